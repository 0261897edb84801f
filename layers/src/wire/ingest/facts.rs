//! The policy that leaves what a request asks for among its facts.
use super::{Begin, Endpoint, IngestError, Policy, Prices};
use crate::BoxError;
use crate::body::Body;
use crate::facts::Call;
use crate::wire::estimate::{Expected, Longest, Size, Typical};
use crate::wire::is_encoded;
use crate::wire::key::{LEFT_OUT, cache_control, key_of_object};
use crate::wire::replay::Retell;
use crate::wire::scan::{Object, scan};
use crate::wire::text::{Pieces, Text};
use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, Method};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Leaves what a request asks for among its facts, and its body as it is. The policy of
/// [`IngestLayer::new`](super::IngestLayer::new). Clones share what they learn.
#[derive(Debug)]
pub struct Notes<P> {
    pub(super) cap: usize,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) cache_keys: bool,
    known: Arc<Known<P>>,
}

#[derive(Debug)]
struct Known<P> {
    prices: P,
    typical: RwLock<HashMap<Arc<str>, Typical>>,
    strangers: Typical,
}

impl<P> Clone for Notes<P> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), ..*self }
    }
}

/// 32 MiB: a conversation with pictures.
const CAP: usize = 32 * 1024 * 1024;

/// So many groups are learned about; clients make up names of models.
const MOST_GROUPS: usize = 1024;

impl<P: Prices> Policy for Notes<P> {
    type Reading = Endpoint;
    type Body = Body;
    type Error = IngestError;

    fn begin<B>(&self, parts: &Parts, body: B) -> Begin<Endpoint, B, Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let endpoint = self.endpoint.or_else(|| Endpoint::of_path(parts.uri.path()));
        match endpoint.filter(|_| parts.method == Method::POST) {
            Some(endpoint) => Begin::Read(endpoint, body),
            None => Begin::Pass(Body::stream(body)),
        }
    }

    fn admit(&self, _: &mut Endpoint, bytes: usize) -> Result<(), IngestError> {
        if bytes > self.cap { Err(IngestError::TooLarge(self.cap)) } else { Ok(()) }
    }

    fn broken(&self, error: BoxError) -> IngestError {
        IngestError::Broken(error)
    }

    fn read(
        &self,
        endpoint: Endpoint,
        parts: &mut Parts,
        body: Pieces,
    ) -> Result<Body, IngestError> {
        if is_encoded(&parts.headers) {
            return Err(IngestError::Encoded);
        }
        // In one piece: whoever edits it further in, and makes its key, needs it so.
        let text = Text::from(body.into_text()?.whole());
        self.note(endpoint, &mut parts.extensions, &text)?;
        Ok(Body::Full(text.whole()))
    }
}

impl<P: Prices> Notes<P> {
    pub(super) fn new(prices: P) -> Self {
        let (typical, strangers) = (RwLock::default(), Typical::default());
        let known = Arc::new(Known { prices, typical, strangers });
        Self { cap: CAP, endpoint: None, cache_keys: false, known }
    }

    /// Writes the facts of a request whose body is `text`.
    fn note(
        &self,
        endpoint: Endpoint,
        facts: &mut Extensions,
        text: &Text,
    ) -> Result<(), IngestError> {
        let object = scan(text.outline())?;
        let named = object.get("model")?.and_then(|model| model.value().as_str());
        // Some upstreams need no name, or have it in their path: such a call is a call, too. But
        // its body does not tell whether another one is equal.
        let has_key = self.cache_keys && named.is_some();
        let model = named.unwrap_or_default();
        let stream = object.get("stream")?.and_then(|stream| stream.value().as_bool());
        let size = Size::of(text, &object);
        let size = if endpoint.writes() { size } else { size.without_output() };
        let price = self.known.prices.price(&model);
        let (group, typical) = self.known.group(&model, price.is_some());
        facts.insert(size.estimate(&typical, price.as_deref(), Longest::default()));
        facts.insert(Expected { size, typical });
        if let Some(control) = cache_control(&object) {
            facts.insert(control);
        }
        if has_key {
            cached(endpoint, &object, facts);
        }
        let end_user = end_user(endpoint, &object);
        facts.insert(Call { group, stream: stream.unwrap_or(false), end_user });
        Ok(())
    }
}

impl<P> Known<P> {
    /// The group called `model`, and what it usually takes. Half of the room is for groups that
    /// have a price.
    fn group(&self, model: &str, has_price: bool) -> (Arc<str>, Typical) {
        let known = self.typical.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((group, typical)) = known.get_key_value(model) {
            return (group.clone(), typical.clone());
        }
        let is_full = known.len() >= if has_price { MOST_GROUPS } else { MOST_GROUPS / 2 };
        drop(known);
        let group: Arc<str> = model.into();
        if is_full {
            return (group, self.strangers.clone());
        }
        let mut all = self.typical.write().unwrap_or_else(PoisonError::into_inner);
        let typical = all.entry(group.clone()).or_default().clone();
        (group, typical)
    }
}

/// The key of the answer, and how it is told.
fn cached(endpoint: Endpoint, object: &Object<'_>, facts: &mut Extensions) {
    let left_out = |name: &str| LEFT_OUT.contains(&name);
    if let Some(key) = key_of_object([endpoint.name()], object, left_out) {
        facts.insert(key);
    }
    if let Some(form) = endpoint.form() {
        facts.insert(Retell::to(object, form));
    }
}

/// Whom the client calls for.
fn end_user(endpoint: Endpoint, object: &Object<'_>) -> Option<Arc<str>> {
    let user = match endpoint {
        Endpoint::Messages => object.get("metadata").ok()??.value().get("user_id")?,
        _ => object.get("user").ok()??.value(),
    };
    Some(user.as_str()?.as_ref().into())
}
