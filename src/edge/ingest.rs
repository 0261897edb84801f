//! Reads a call's body once, under its cap and the memory budget, and finds out what it asks for.
//!
//! From here inwards the body is a [`Prompt`]: bytes in memory and the few facts that the layers
//! need. The prompt itself is not parsed.
use super::asked::{Asked, Field};
use super::budget::{BodyRules, Share};
use super::inflate::{Inflate, inflate};
use super::text::Pieces;
use super::wanted::Read;
use crate::providers::{Class, Contents, Operation, PathModel, Problem, Prompt};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::wire::estimate::Size;
use bartizan_layers::wire::scan::scan;
use bartizan_layers::wire::text::Text;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// Why a body was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// It is larger than the cap, in bytes.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// All bodies together hold too much.
    #[error("the memory for bodies is used up")]
    NoMemory,
    /// Its framing or its compression is wrong.
    #[error("the body could not be read")]
    Broken(#[source] BoxError),
    /// The client went away before its end.
    #[error("the client left before the end of the body")]
    Left(#[source] BoxError),
    /// Its `content-encoding` is not one that we decode.
    #[error("the content-encoding is not supported")]
    Encoding,
    /// It is not what its path takes.
    #[error("{}", .0.message)]
    Refused(Box<Problem>),
}

impl IngestError {
    /// Why a body that a client sends broke off.
    pub(super) fn of_body(error: BoxError) -> Self {
        if has_left(&*error) { Self::Left(error) } else { Self::Broken(error) }
    }

    /// What a client gets to see of it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::TooLarge(cap) => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The request body is larger than {cap} bytes. Raise \
                         `general_settings.max_request_size_mb` to allow it."
                ),
            ),
            Self::NoMemory => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The proxy holds as many request bodies as its memory allows. Try again.",
            )
            .retry_after(Duration::from_secs(1)),
            Self::Broken(_) => Problem::bad_request("The request body could not be read whole."),
            // Nobody reads it, but for who closed one direction only.
            Self::Left(_) => Problem {
                class: Class::Cancelled,
                ..Problem::new(CLIENT_LEFT, "The request body ended too early.")
            },
            Self::Encoding => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The request's content-encoding is not supported. Use gzip, deflate or none.",
            ),
            Self::Refused(problem) => (**problem).clone(),
        }
    }
}

/// nginx's status for clients that left, as in the records of all calls that end so.
const CLIENT_LEFT: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

/// Whether a body ended with its connection or its stream, and not with a mistake.
fn has_left(error: &(dyn std::error::Error + 'static)) -> bool {
    let cut = |error: &io::Error| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
    };
    cause_ref::<io::Error>(error).is_some_and(cut)
        || cause_ref::<h2::Error>(error).is_some_and(h2::Error::is_remote)
}

/// Wraps services that take a [`Prompt`] in [`Ingest`].
#[derive(Clone, Debug)]
pub struct IngestLayer(Arc<BodyRules>);

impl IngestLayer {
    /// Reads bodies by these rules.
    #[must_use]
    pub const fn new(rules: Arc<BodyRules>) -> Self {
        Self(rules)
    }
}

impl<S> Layer<S> for IngestLayer {
    type Service = Ingest<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Ingest { inner, rules: self.0.clone() }
    }
}

/// Middleware that reads bodies. Made by [`IngestLayer`].
#[derive(Clone, Debug)]
pub struct Ingest<S> {
    inner: S,
    rules: Arc<BodyRules>,
}

impl<S, B> Service<Request<B>> for Ingest<S>
where
    S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>
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
        Box::pin(async move { ready.call(rules.read(req).await?).await })
    }
}

impl BodyRules {
    async fn read<B>(&self, req: Request<B>) -> Result<Request<Prompt>, IngestError>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let (mut parts, mut body) = req.into_parts();
        let share = self.budget.share();
        let mut pieces = self.collect(&mut body, &share).await?;
        if let Some(trail) = parts.extensions.get::<Trail>() {
            trail.add_received(pieces.len() as u64);
        }
        if let Some(encoding) = parts.headers.remove(header::CONTENT_ENCODING) {
            let encoding = Inflate::of(&encoding).ok_or(IngestError::Encoding)?;
            pieces = Pieces::One(inflate(encoding, &pieces.whole(), self.cap, &share)?);
        }
        let operation: Operation = parts.extensions.get().cloned().ok_or(IngestError::Encoding)?;
        let text = pieces.into_text().map_err(|error| invalid(&error));
        let prompt = text.and_then(|text| self.peek(&operation, &mut parts, text, share));
        let prompt = prompt.map_err(|problem| IngestError::Refused(Box::new(problem)))?;
        Ok(Request::from_parts(parts, prompt))
    }

    async fn collect<B>(&self, body: &mut B, share: &Share) -> Result<Pieces, IngestError>
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: Into<BoxError>,
    {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        self.admit(announced, share)?;
        let mut pieces = Pieces::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| IngestError::of_body(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            self.admit(pieces.len() + data.len(), share)?;
            pieces.push(data, announced);
        }
        Ok(pieces)
    }

    fn admit(&self, bytes: usize, share: &Share) -> Result<(), IngestError> {
        if bytes > self.cap {
            return Err(IngestError::TooLarge(self.cap));
        }
        if share.grow_to(bytes) { Ok(()) } else { Err(IngestError::NoMemory) }
    }

    /// Reads the model and the stream flag without parsing the prompt.
    fn peek(
        &self,
        operation: &Operation,
        parts: &mut Parts,
        text: Text,
        share: Share,
    ) -> Result<Prompt, Problem> {
        let object = scan(text.outline()).map_err(|error| invalid(&error))?;
        let asked = Asked::of(&object);
        asked.overrides(operation, parts)?;
        let elsewhere = asked.elsewhere(operation, self.elsewhere)?;
        asked.check(operation)?;
        // Which model is for moderations, the router knows.
        let default = self.default_model.as_deref();
        let default = || default.filter(|_| *operation != Operation::Moderations).map(Into::into);
        let (model, stream) = match operation {
            Operation::Gemini(path) => {
                (Some(path.model.clone()), &*path.action == "streamGenerateContent")
            }
            _ => {
                let stream = asked.get(Field::Stream)?.and_then(|value| value.as_bool());
                (asked.model(operation.route())?.or_else(default), stream.unwrap_or(false))
            }
        };
        let of_path = parts.extensions.get().map(|PathModel(model)| model.clone());
        let model = of_path.or(model);
        let (mut timeout, mut stream_timeout) = (None, None);
        if operation.strips_litellm_fields() {
            let either = asked.seconds(Field::Timeout)?;
            timeout = either.or(asked.seconds(Field::RequestTimeout)?);
            stream_timeout = asked.seconds(Field::StreamTimeout)?;
        }
        let size = Size::of(&text, &object);
        let choices = asked.get(Field::N)?.and_then(|value| value.as_u64()).unwrap_or(1);
        let headers = &parts.headers;
        let read = Read { text: &text, model: model.as_deref(), stream, size, headers };
        self.wanted.note(operation, &asked, &object, &read, &mut parts.extensions)?;
        let contents = Contents {
            layout: object.layout(),
            stream,
            choices: u32::try_from(choices).unwrap_or(1).max(1),
            timeout,
            stream_timeout,
            elsewhere,
            size,
            text,
            held: Arc::new(share),
        };
        Ok(Prompt::new(contents, model.map(Into::into)))
    }
}

#[cold]
fn invalid(why: &dyn std::fmt::Display) -> Problem {
    Problem::bad_request(format!("Invalid JSON payload: {why}")).param("request_body")
}
