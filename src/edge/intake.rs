//! Prepares bodies that go straight through: counts and bounds them, and reads a form up to its
//! model. What follows streams on, still watched.
use super::budget::{BodyRules, Share};
use super::form::FormReader;
use super::ingest::IngestError;
use crate::providers::{Fault, Form, Operation, Passing, PathModel, Place, Problem};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
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
    async fn take<B>(&self, req: Request<B>) -> Result<Request<Passing>, IngestError>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = req.into_parts();
        let operation = parts.extensions.get().ok_or(IngestError::Encoding)?;
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
            form: None,
            fault: Fault::default(),
        };
        flow.admit(flow.body.size_hint().lower())?;
        let mut form = None;
        if let Operation::Upload(_) = operation {
            form = Some(self.read_form(&mut flow, operation, &parts, &share).await?);
        }
        let fault = flow.fault.clone();
        let body = if flow.is_end_stream() { Body::empty() } else { Body::stream(flow) };
        let passing = Passing { form, body, fault, held: Arc::new(share) };
        Ok(Request::from_parts(parts, passing))
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
        if parts.headers.get(header::CONTENT_ENCODING).is_some_and(|it| it != "identity") {
            return Err(IngestError::Encoding);
        }
        let boundary = boundary(operation, &parts.headers)?;
        flow.form = Some(FormReader::new(operation.route(), &boundary));
        let mut begun = BytesMut::new();
        let found = loop {
            let frame = flow.frame().await.transpose();
            let frame = frame.map_err(|error| reason(&flow.fault, error))?;
            let Some(frame) = frame else { break None };
            let Ok(data) = frame.into_data() else { continue };
            if !share.grow_to(begun.len() + data.len()) {
                return Err(IngestError::NoMemory);
            }
            begun.extend_from_slice(&data);
            if let Some(found) = flow.form.as_mut().and_then(FormReader::take_model) {
                break Some(found);
            }
        };
        let stream = flow.form.as_ref().is_some_and(FormReader::stream);
        let (named, place) = match found {
            Some((model, at)) => (Some(model), Place::At(at)),
            None => (self.default_model.as_deref().map(Into::into), Place::Missing),
        };
        let model = parts.extensions.get().map(|PathModel(model)| model.clone()).or(named);
        Ok(Form { begun: begun.freeze(), model, place, stream, boundary: boundary.into() })
    }
}

/// The boundary of a call that must be a form.
fn boundary(operation: &Operation, headers: &HeaderMap) -> Result<Vec<u8>, IngestError> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().map_or(&b""[..], |kind| kind.as_bytes());
    let found = bartizan_layers::wire::form::boundary(kind);
    found.ok().filter(|_| kinds.next().is_none()).ok_or_else(|| {
        let route = operation.route();
        let message = format!("{route}: send a form: `multipart/form-data` with its `boundary`.");
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
        IngestError::Refused(Box::new(problem))
    })
}

/// What the fault knows of an error.
fn reason(fault: &Fault, error: BoxError) -> IngestError {
    let known = fault.take().unwrap_or(error);
    known.downcast().map_or_else(IngestError::Broken, |error| *error)
}

/// How long a body may be, and which setting says so.
#[derive(Clone, Copy, Debug)]
enum Cap {
    None,
    Body(usize),
    File(u64),
}

/// A body on its way. What ends it early is kept as its [`Fault`].
#[derive(Debug)]
struct Flow<B> {
    body: B,
    trail: Option<Trail>,
    cap: Cap,
    seen: u64,
    form: Option<FormReader>,
    fault: Fault,
}

impl<B> Flow<B> {
    fn admit(&self, bytes: u64) -> Result<(), IngestError> {
        match self.cap {
            Cap::Body(cap) if bytes > cap as u64 => Err(IngestError::TooLarge(cap)),
            Cap::File(cap) if bytes > cap => {
                let message = format!(
                    "The file is larger than {cap} bytes. Raise `general_settings.max_file_size_mb`."
                );
                let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message);
                Err(IngestError::Refused(Box::new(problem)))
            }
            _ => Ok(()),
        }
    }

    /// Looks at a piece, or at the end.
    fn look(&mut self, data: Option<&Bytes>, last: bool) -> Result<(), IngestError> {
        if let Some(data) = data {
            self.seen += data.len() as u64;
            self.admit(self.seen)?;
            if let Some(trail) = &self.trail {
                trail.add_received(data.len() as u64);
            }
        }
        let Some(form) = &mut self.form else { return Ok(()) };
        let read = data.map_or(Ok(()), |data| form.push(data));
        read.and_then(|()| if last { form.finish() } else { Ok(()) })
            .map_err(|problem| IngestError::Refused(Box::new(problem)))
    }
}

impl<B> http_body::Body for Flow<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx)).transpose();
        let looked = frame.map_err(|error| IngestError::of_body(error.into())).and_then(|frame| {
            // With a content length nobody asks again after the last byte.
            let last = frame.is_none() || this.body.is_end_stream();
            this.look(frame.as_ref().and_then(Frame::data_ref), last)?;
            Ok(frame)
        });
        Poll::Ready(match looked {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                let words = error.to_string();
                this.fault.set(error.into());
                Some(Err(words.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
