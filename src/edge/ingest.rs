//! Reads a call's body once, under its cap and the memory budget, and finds out what it asks for.
//!
//! From here inwards the body is a [`Prompt`]: bytes in memory and the few facts that the layers
//! need. The prompt itself is not parsed.
use super::asked::{Asked, Field};
use super::budget::{BodyRules, Share};
use super::entitled;
use super::inflate::{Inflate, inflate};
use super::wanted::Read;
use crate::providers::{Class, Contents, Operation, PathModel, Problem, Prompt};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::wire::estimate::Size;
use bartizan_layers::wire::ingest::{self, Begin, Policy};
use bartizan_layers::wire::scan::scan;
use bartizan_layers::wire::text::{Pieces, Text};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use std::io;
use std::sync::Arc;
use std::time::Duration;

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
pub type IngestLayer = ingest::IngestLayer<BodyRules>;

/// Middleware that reads bodies. Made by [`IngestLayer`].
pub type Ingest<S> = ingest::Ingest<BodyRules, S>;

impl Policy for BodyRules {
    type Reading = Share;
    type Body = Prompt;
    type Error = IngestError;

    fn begin<B>(&self, _: &Parts, body: B) -> Begin<Share, B, Prompt>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Begin::Read(self.budget.share(), body)
    }

    fn admit(&self, share: &mut Share, bytes: usize) -> Result<(), IngestError> {
        if bytes > self.cap {
            return Err(IngestError::TooLarge(self.cap));
        }
        if share.grow_to(bytes) { Ok(()) } else { Err(IngestError::NoMemory) }
    }

    fn broken(&self, error: BoxError) -> IngestError {
        IngestError::of_body(error)
    }

    fn read(
        &self,
        share: Share,
        parts: &mut Parts,
        mut body: Pieces,
    ) -> Result<Prompt, IngestError> {
        if let Some(trail) = parts.extensions.get::<Trail>() {
            trail.add_received(body.len() as u64);
        }
        if let Some(encoding) = parts.headers.remove(header::CONTENT_ENCODING) {
            let encoding = Inflate::of(&encoding).ok_or(IngestError::Encoding)?;
            body = inflate(encoding, &body.whole(), self.cap, &share)?.into();
        }
        let operation: Operation = parts.extensions.get().cloned().ok_or(IngestError::Encoding)?;
        let text = body.into_text().map_err(|error| invalid(&error));
        let prompt = text.and_then(|text| self.peek(&operation, parts, text, share));
        prompt.map_err(|problem| IngestError::Refused(Box::new(problem)))
    }
}

impl BodyRules {
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
        entitled::check(&parts.extensions, &object)?;
        // Which model is for moderations, the router knows.
        let default = self.default_model.as_deref();
        let default = || default.filter(|_| *operation != Operation::Moderations).map(Into::into);
        let (model, stream) = match operation {
            Operation::Gemini(path) => {
                (Some(path.model.clone()), &*path.action == "streamGenerateContent")
            }
            _ => {
                let stream = asked.get(Field::Stream)?.and_then(|value| value.as_bool());
                let unsaid = matches!(operation, Operation::Ollama(call) if call.streams());
                (asked.model(operation.route())?.or_else(default), stream.unwrap_or(unsaid))
            }
        };
        let of_path = parts.extensions.get().map(|PathModel(model)| model.clone());
        let model = of_path.or(model).map(|name| entitled::model(&parts.extensions, name));
        // Ollama's clients put a tag behind it.
        let model = model.map(|name| match operation {
            Operation::Ollama(_) => self.wanted.router().untagged(name),
            _ => name,
        });
        let (mut timeout, mut stream_timeout) = (None, None);
        if operation.strips_litellm_fields() {
            let either = asked.seconds(Field::Timeout)?;
            timeout = either.or(asked.seconds(Field::RequestTimeout)?);
            stream_timeout = asked.seconds(Field::StreamTimeout)?;
        }
        let size = Size::of(&text, &object);
        let choices = asked.get(Field::N)?.and_then(|value| value.as_u64()).unwrap_or(1);
        let headers = &parts.headers;
        let model_name = model.as_deref();
        let read = Read { text: &text, model: model_name, stream, size, headers, share: &share };
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
