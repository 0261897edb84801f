//! What is done before an attempt is sent, and known of it when its answer comes.
use super::ending::{ErrorEvent, Lesson};
use super::tapping::Tapping;
use super::{Endpoint, Options, Prices};
use crate::body::Body;
use crate::facts::{self, Bill, Call, UsageCell};
use crate::wire::body::TapBody;
use crate::wire::estimate::Expected;
use crate::wire::is_encoded;
use crate::wire::scan::scan;
use crate::wire::splice::{Splice, UsageAsk};
use crate::wire::tap::{Framing, Wire};
use crate::wire::text::Text;
use bytes::Bytes;
use http::{HeaderMap, Request, header};

/// One attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) cell: UsageCell,
    /// Where the words are known.
    endpoint: Option<Endpoint>,
    expected: Option<Expected>,
    pub(super) tapping: Tapping,
}

impl Attempt {
    /// Adds a line to the call's bill, names the model of a fallback, and asks for usage where it
    /// would not be told.
    pub(super) fn begin<P: Prices>(options: &Options<P>, req: &mut Request<Body>) -> Self {
        let endpoint = options.endpoint.or_else(|| Endpoint::of_path(req.uri().path()));
        if endpoint.is_some() {
            req.headers_mut().remove(header::ACCEPT_ENCODING);
        }
        let facts = req.extensions_mut();
        let call: Option<Call> = facts.get().cloned();
        // Whoever fell back has changed the fact; the body still names the first group.
        let fell_back = facts.get::<facts::Attempt>().is_some_and(|attempt| attempt.fallbacks > 0);
        let rename = call.as_ref().filter(|_| fell_back).map(|call| call.group.clone());
        let price = call.as_ref().and_then(|call| options.prices.price(&call.group));
        let cell = price.map_or_else(UsageCell::default, UsageCell::new);
        Bill::of(facts).add(cell.clone());
        let expected: Option<Expected> = facts.get().cloned();
        let hides = endpoint.is_some_and(Endpoint::hides_usage);
        let asks = options.asks && hides && call.is_some_and(|call| call.stream);
        let choices = expected.as_ref().map_or(1, |expected| expected.size.choices);
        let tapping = Tapping {
            wire: endpoint.map_or(Wire::Chat, Endpoint::wire),
            choices: u32::try_from(choices).unwrap_or(u32::MAX),
            input: expected.as_ref().map(Expected::input),
            told: false,
            usage_is_ours: (asks || rename.is_some()) && edit(req, rename.as_deref(), asks),
        };
        Self { cell, endpoint, expected, tapping }
    }

    /// How an answer with these `headers` is cut; `None` if it cannot be read.
    pub(super) fn framing(&self, headers: &HeaderMap) -> Option<Framing> {
        Framing::of_headers(headers).filter(|_| self.endpoint.is_some() && !is_encoded(headers))
    }

    /// The body of a good answer, tapped.
    pub(super) fn tapped<B>(self, framing: Framing, body: B) -> Body
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<crate::BoxError>,
    {
        let tap = self.tapping.all(framing, self.cell.clone());
        let lesson = Lesson { expected: self.expected, cell: self.cell };
        Body::stream(TapBody::new(body, tap, ErrorEvent(self.endpoint), lesson))
    }
}

/// Puts another model's name into the request, and asks for usage. Whether it asks now and did not
/// before.
fn edit(req: &mut Request<Body>, model: Option<&str>, asks: bool) -> bool {
    let Body::Full(bytes) = req.body() else { return false };
    let text = Text::from(bytes.clone());
    let Ok(object) = scan(text.outline()) else { return false };
    let mut splice = Splice::new(&object);
    let is_ours = asks && matches!(splice.ask_for_usage(), Ok(UsageAsk::ByUs));
    let model = model.and_then(|model| Some((object.index("model").ok()?, model)));
    if let Some((index, name)) = model {
        let name = serde_json::Value::from(name).to_string();
        match index {
            Some(index) => splice.replace(index, name),
            None => splice.insert("model", name),
        }
    }
    if is_ours || model.is_some() {
        *req.body_mut() = splice.apply(&text);
        // The client that sends it knows the new one.
        req.headers_mut().remove(header::CONTENT_LENGTH);
    }
    is_ours
}
