//! Prepares bodies that go straight through: counts and bounds them, and reads a form up to its
//! model. What follows streams on, still watched.
use super::budget::{BodyRules, Share};
use super::entitled;
use super::flow::{Cap, Flow, Reader};
use super::form::FormReader;
use super::ingest::IngestError;
use super::selectors::{FormSelectors, MOST_HELD, of_json};
use super::sought::{self, Said};
use super::wanted;
use crate::providers::{
    Fault, Form, Operation, Passing, PathModel, Place, Problem, Resumed, Selected, is_of_type,
};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::Call;
use bartizan_layers::query::{decoded, parameters};
use bartizan_layers::wire::{form, is_encoded};
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body::Body as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services that take a [`Passing`] in [`Intake`].
#[derive(Clone, Debug)]
pub struct IntakeLayer(Arc<BodyRules>);

impl IntakeLayer {
    /// Takes bodies by these rules.
    #[must_use]
    pub const fn new(rules: Arc<BodyRules>) -> Self {
        Self(rules)
    }
}

impl<S> Layer<S> for IntakeLayer {
    type Service = Intake<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Intake { inner, rules: self.0.clone() }
    }
}

/// Middleware that prepares bodies. Made by [`IntakeLayer`].
#[derive(Clone, Debug)]
pub struct Intake<S> {
    inner: S,
    rules: Arc<BodyRules>,
}

impl<S, B> Service<Request<B>> for Intake<S>
where
    S: Service<Request<Passing>, Response = Response<Body>, Error = BoxError>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let unready = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, unready);
        let rules = self.rules.clone();
        Box::pin(async move { ready.call(rules.take(req).await?).await })
    }
}

impl BodyRules {
    async fn take<B>(&self, req: Request<B>) -> Result<Request<Passing>, BoxError>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = req.into_parts();
        let operation: Operation = parts.extensions.get().cloned().ok_or(IngestError::Encoding)?;
        let operation = &operation;
        let share = self.budget.share();
        let cap = match operation {
            Operation::Upload(_) => Cap::Body(self.cap),
            Operation::Resource(_) => self.largest_file.map_or(Cap::None, Cap::File),
            _ => Cap::None,
        };
        let mut flow = Flow {
            body,
            trail: parts.extensions.get().cloned(),
            cap,
            seen: 0,
            reader: None,
            fault: Fault::default(),
        };
        flow.admit(flow.body.size_hint().lower())?;
        let Begun { mut form, selected, held } =
            self.begin(&mut flow, operation, &mut parts, &share).await?;
        let named = match &mut form {
            Some(form) => {
                form.model = form.model.take().map(|it| entitled::model(&parts.extensions, it));
                form.model.clone()
            }
            None => (*operation == Operation::Realtime).then(|| of_query(&parts.uri)).flatten(),
        };
        if form.is_some() || *operation == Operation::Realtime {
            let stream = form.as_ref().is_none_or(|form| form.stream);
            parts.extensions.insert(Call {
                group: named.unwrap_or_default().as_ref().into(),
                stream,
                end_user: wanted::told_end_user(&parts.headers),
            });
        }
        self.wanted.tell(&mut parts);
        let fault = flow.fault.clone();
        let rest = if flow.is_end_stream() { Body::empty() } else { Body::stream(flow) };
        let body = if held.is_empty() { rest } else { Resumed::body(vec![held], rest) };
        let passing = Passing { form, selected, body, fault, held: Arc::new(share) };
        Ok(Request::from_parts(parts, passing))
    }

    /// Reads as much of a body as somebody has to know.
    async fn begin<B>(
        &self,
        flow: &mut Flow<B>,
        operation: &Operation,
        parts: &mut Parts,
        share: &Share,
    ) -> Result<Begun, BoxError>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let mut begun = Begun::default();
        match operation {
            Operation::Upload(_) => {
                begun.form = Some(self.read_form(flow, operation, parts, share).await?);
            }
            Operation::Resource(asked) => {
                let mut said = Said::default();
                if parts.method == Method::POST {
                    (begun.selected, said, begun.held) =
                        select(flow, operation, parts, share).await?;
                }
                if entitled::tenant(&parts.extensions).is_some() {
                    let provider = asked.provider.as_deref();
                    let provider = provider.or(begun.selected.provider.as_deref());
                    let provider = provider.unwrap_or("openai");
                    let groups = sought::groups(parts, &begun.selected);
                    said.tell(parts, provider, &groups, true);
                }
            }
            Operation::Raw(asked) => {
                let Some(caller) = entitled::tenant(&parts.extensions) else { return Ok(begun) };
                let said = sought::raw(flow, asked, caller, parts, (share, self.cap)).await?;
                if let Some((said, held)) = said {
                    begun.held = held;
                    said.tell(parts, asked.provider, "", false);
                }
            }
            _ => {}
        }
        Ok(begun)
    }

    /// Reads a form until its model is known.
    async fn read_form<B>(
        &self,
        flow: &mut Flow<B>,
        operation: &Operation,
        parts: &Parts,
        share: &Share,
    ) -> Result<Form, IngestError>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        if is_encoded(&parts.headers) {
            return Err(IngestError::Encoding);
        }
        let boundary = boundary(operation, &parts.headers)?;
        flow.reader = Some(Reader::Upload(FormReader::new(operation.route(), &boundary)));
        let mut begun = BytesMut::new();
        let found = loop {
            let Some(data) = flow.next(begun.len(), share).await? else { break None };
            begun.extend_from_slice(&data);
            if let Some(found) = flow.upload().and_then(FormReader::take_model) {
                break Some(found);
            }
        };
        let stream = flow.upload().is_some_and(|form| form.stream());
        let pictured = flow.upload().map(|form| form.pictured()).unwrap_or_default();
        let (named, place) = match found {
            Some((model, at)) => (Some(model), Place::At(at)),
            None => (self.default_model.as_deref().map(Into::into), Place::Missing),
        };
        let model = parts.extensions.get().map(|PathModel(model)| model.clone()).or(named);
        let (begun, boundary) = (begun.freeze(), boundary.into());
        Ok(Form { begun, model, place, stream, boundary, pictured })
    }
}

/// What was read of a body.
#[derive(Debug, Default)]
struct Begun {
    form: Option<Form>,
    selected: Selected,
    /// What is to be sent before the rest.
    held: Bytes,
}

/// The model that a WebSocket's query names.
fn of_query(uri: &Uri) -> Option<Box<str>> {
    let model = parameters(uri.query()?).find(|it| it.name == "model")?;
    decoded(model.value).map(Into::into)
}

/// Holds the beginning of a body about objects of an account: what it selects, what else it says,
/// and the rest of what was held.
async fn select<B>(
    flow: &mut Flow<B>,
    operation: &Operation,
    parts: &Parts,
    share: &Share,
) -> Result<(Selected, Said, Bytes), IngestError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let headers = &parts.headers;
    // Of callers that are bounded all has to be read that may name an object.
    let is_bounded = entitled::tenant(&parts.extensions).is_some();
    let is_json = is_of_type(headers, "application/json");
    let boundary = headers.get(header::CONTENT_TYPE).map(|kind| form::boundary(kind.as_bytes()));
    if let Some(Ok(boundary)) = boundary {
        flow.reader = Some(Reader::Objects(FormSelectors::new(operation.route(), &boundary)));
    }
    let read = is_json || is_bounded || flow.selectors().is_some();
    if !read || headers.contains_key(header::CONTENT_ENCODING) {
        return if is_bounded { Err(sought::unread(MOST_HELD)) } else { Ok(Default::default()) };
    }
    let (mut held, mut is_whole) = (BytesMut::new(), false);
    while !is_whole && held.len() < MOST_HELD && !flow.selectors().is_some_and(|it| it.is_over()) {
        match flow.next(held.len(), share).await? {
            Some(data) => held.extend_from_slice(&data),
            None => is_whole = true,
        }
    }
    let held = held.freeze();
    Ok(match flow.selectors() {
        Some(selectors) if is_bounded && selectors.is_broken() => {
            return Err(sought::unread(MOST_HELD));
        }
        Some(selectors) => {
            let (selected, rest) = selectors.release(held);
            (selected, Said { named: selectors.named(), ..Said::default() }, rest)
        }
        None if !is_whole && is_bounded => return Err(sought::unread(MOST_HELD)),
        None if !is_whole => (Selected::default(), Said::default(), held),
        None => {
            let said = if is_bounded { Said::of(&held) } else { Said::default() };
            let (selected, rest) =
                if is_json { of_json(held) } else { (Selected::default(), held) };
            (selected, said, rest)
        }
    })
}

/// The boundary of a call that must be a form.
fn boundary(operation: &Operation, headers: &HeaderMap) -> Result<Vec<u8>, IngestError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().map_or(&b""[..], |kind| kind.as_bytes());
    let found = form::boundary(kind);
    found.ok().filter(|_| kinds.next().is_none()).ok_or_else(|| {
        let route = operation.route();
        let message = format!("{route}: send a form: `multipart/form-data` with its `boundary`.");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        IngestError::Refused(Box::new(problem))
    })
}
