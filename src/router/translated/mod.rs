//! A call that is translated: the request on its way out, the answer on its way back.
mod body;
mod fetched;
#[cfg(test)]
mod tests;

pub(super) use self::fetched::fetched;

use self::body::TranslatedBody;
use super::failed::UpstreamCause;
use super::keeping::Keeping;
use super::leaf::{LeafBody, Sending};
use super::whole::collect_all;
use crate::providers::translate::{Reply, Whole};
use crate::providers::{Class, Hold, Problem};
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Cause, Fault, UsageCell};
use bartizan_layers::wire::cause::fault_of;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Either;
use std::sync::Arc;
use std::time::SystemTime;

/// What is said of an answer that is too large.
const NO_ROOM: &str = "the answer is larger than the proxy's memory allows";

/// How much is repeated of an error in words that nobody knows, in characters.
const LONGEST_WORDS: usize = 500;

/// What is known of a translated call when its answer comes.
#[derive(Clone, Debug)]
pub(super) struct Expecting {
    pub(super) reply: Reply,
    pub(super) usage: UsageCell,
    /// Whether the client wants a stream.
    pub(super) stream: bool,
    /// The provider, as error messages spell it.
    pub(super) provider: &'static str,
    pub(super) held: Arc<dyn Hold>,
    /// What the answer is kept with, if it is.
    pub(super) keeping: Option<Keeping>,
}

impl Expecting {
    /// The answer that comes, in the client's words.
    pub(super) fn on(self, sending: Sending) -> Sending {
        Sending::Made(Box::pin(async move { self.answered(sending.await?).await }))
    }

    async fn answered(self, rsp: Response<LeafBody>) -> Result<Response<LeafBody>, UpstreamCause> {
        let (mut parts, body) = rsp.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        if parts.status.is_informational() || parts.status.is_redirection() {
            return Ok(Response::from_parts(parts, body));
        }
        match parts.status.is_success() && is_stream(&parts) {
            true if self.stream => return Ok(self.streamed(parts, body)),
            true => return Ok(self.unreadable(parts, "a stream came, and none was asked for")),
            false => {}
        }
        let Some(bytes) = collect_all(body, &*self.held).await? else {
            return Ok(self.unreadable(parts, NO_ROOM));
        };
        if !parts.status.is_success() {
            return Ok(self.failed(parts, bytes));
        }
        Ok(self.whole(parts, &bytes).await)
    }

    fn streamed(self, mut parts: Parts, body: LeafBody) -> Response<LeafBody> {
        let kind = HeaderValue::from_static(self.reply.stream_type());
        parts.headers.insert(header::CONTENT_TYPE, kind);
        let stream = self.reply.stream();
        let held = self.held.another();
        let body = TranslatedBody::new(body, stream, self.usage, self.keeping, held);
        Response::from_parts(parts, Either::Right(Body::stream(body)))
    }

    async fn whole(mut self, mut parts: Parts, bytes: &Bytes) -> Response<LeafBody> {
        self.reply.hear(&parts.headers);
        let read = match self.stream {
            true => self.reply.as_stream(bytes),
            false => self.reply.whole(bytes),
        };
        let Ok(Whole { body, usage, kept }) = read else {
            // Some put an error into a good status.
            let told = self.reply.error(bytes).map(|error| error.message);
            let words = told.as_deref().unwrap_or("the answer is not what this provider answers");
            return self.unreadable(parts, words);
        };
        if let Some(usage) = usage {
            self.usage.set(usage);
        }
        if let Some((keeping, kept)) = self.keeping.take().zip(kept) {
            keeping.keep(kept).await;
        }
        let kind = if self.stream { self.reply.stream_type() } else { "application/json" };
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        Response::from_parts(parts, Either::Right(Body::Full(body)))
    }

    /// The provider's error in the client's words. A page of something before it stays as it is:
    /// nobody gets to see it.
    fn failed(&self, mut parts: Parts, bytes: Bytes) -> Response<LeafBody> {
        let json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        let words = || String::from_utf8_lossy(&bytes).chars().take(LONGEST_WORDS).collect();
        let told = self.reply.error(&bytes).map(|error| error.message);
        let Some(told) = told.or_else(|| json.then(words)) else {
            return Response::from_parts(parts, Either::Right(Body::Full(bytes)));
        };
        let fault = fault_of(parts.status, &parts.headers, &bytes, SystemTime::now());
        let status = client_status(parts.status);
        let class = match fault.cause {
            Cause::ContextTooLong => "ContextWindowExceededError",
            Cause::ContentFilter => "ContentPolicyViolationError",
            _ => Class::of(status).name(),
        };
        let provider = self.provider;
        let message = format!("litellm.{class}: {provider}Exception - {told}");
        parts.status = status;
        parts.extensions.insert(fault);
        self.told(parts, &Problem::new(status, message))
    }

    fn unreadable(&self, mut parts: Parts, words: &str) -> Response<LeafBody> {
        let provider = self.provider;
        let message = format!("litellm.APIError: {provider}Exception - {words}");
        parts.status = StatusCode::BAD_GATEWAY;
        parts.extensions.insert(Fault::new(Cause::Outage, parts.status));
        let problem = Problem::new(parts.status, message);
        self.told(parts, &problem)
    }

    fn told(&self, mut parts: Parts, problem: &Problem) -> Response<LeafBody> {
        let body = self.reply.dialect().error_body(problem);
        let json = HeaderValue::from_static("application/json");
        parts.headers.insert(header::CONTENT_TYPE, json);
        Response::from_parts(parts, Either::Right(Body::Full(body)))
    }
}

/// The status for a client of a status that its dialect may not know (contract 10.2).
fn client_status(status: StatusCode) -> StatusCode {
    match status.as_u16() {
        413 => StatusCode::BAD_REQUEST,
        504 => StatusCode::REQUEST_TIMEOUT,
        529 => StatusCode::INTERNAL_SERVER_ERROR,
        _ => status,
    }
}

/// The types of answers that come piece by piece.
const STREAMS: [&str; 4] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/stream+json",
    "application/vnd.amazon.eventstream",
];

/// Whether an answer comes piece by piece.
fn is_stream(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    STREAMS.iter().any(|stream| kind.starts_with(stream))
}
