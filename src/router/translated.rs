//! A call that is translated: the request on its way out, the answer on its way back.
use super::keeping::Keeping;
use super::leaf::{LeafBody, Sending};
use super::whole::collect_all;
use crate::forward::{FetchError, ForwardError, Forwarder};
use crate::providers::chat::{Media, Source};
use crate::providers::translate::{Reply, Stream, Whole};
use crate::providers::{Class, Hold, Problem};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Cause, Fault, UsageCell};
use bartizan_layers::wire::cause::fault_of;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::Either;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

/// Media that one request may name; more are refused as one too large.
const MOST_MEDIA: usize = 32;

/// How much a stream may keep that is not counted, in bytes: any stream takes as much.
const FREE: usize = 32 * 1024;

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

    async fn answered(self, rsp: Response<LeafBody>) -> Result<Response<LeafBody>, ForwardError> {
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
        let kind = match self.reply.is_array() {
            true => "application/json",
            false => "text/event-stream; charset=utf-8",
        };
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let stream = self.reply.stream();
        let (held, holds) = (self.held.another(), FREE);
        let (usage, keeping) = (self.usage, self.keeping);
        let body = TranslatedBody {
            inner: body,
            stream,
            usage,
            keeping,
            saving: None,
            over: false,
            held,
            holds,
        };
        Response::from_parts(parts, Either::Right(Body::stream(body)))
    }

    async fn whole(mut self, mut parts: Parts, bytes: &Bytes) -> Response<LeafBody> {
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
        let kind = match self.stream && !self.reply.is_array() {
            true => "text/event-stream; charset=utf-8",
            false => "application/json",
        };
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

/// Whether an answer comes piece by piece.
fn is_stream(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    ["text/event-stream", "application/x-ndjson", "application/stream+json"]
        .iter()
        .any(|stream| kind.starts_with(stream))
}

/// A stream in the client's words.
#[derive(Debug)]
struct TranslatedBody {
    inner: LeafBody,
    stream: Stream,
    usage: UsageCell,
    keeping: Option<Keeping>,
    /// The end, which waits until the answer is kept.
    saving: Option<Saving>,
    over: bool,
    /// The stream's share of memory, and how many of its bytes are held.
    held: Arc<dyn Hold>,
    holds: usize,
}

impl TranslatedBody {
    /// Holds what the stream keeps; whether there is memory for it.
    fn hold(&mut self) -> bool {
        let more = self.stream.kept().saturating_sub(self.holds);
        self.holds += more;
        more == 0 || self.held.hold_more(more)
    }
}

/// Bytes for the client, and what comes before.
struct Saving {
    done: Pin<Box<dyn Future<Output = ()> + Send>>,
    out: Vec<u8>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("out", &self.out.len()).finish_non_exhaustive()
    }
}

impl http_body::Body for TranslatedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(saving) = &mut this.saving {
            ready!(saving.done.as_mut().poll(cx));
            let out = this.saving.take().map(|saving| saving.out).unwrap_or_default();
            return Poll::Ready(Some(Ok(Frame::data(out.into()))));
        }
        while !this.over {
            let mut out = Vec::new();
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    this.stream.push(&data, &mut out);
                    if !this.hold() {
                        return Poll::Ready(Some(Err(
                            ForwardError::AnswerBody(NO_ROOM.into()).into()
                        )));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.over = true;
                    this.stream.finish(&mut out);
                }
            }
            if let Some(usage) = this.stream.usage() {
                this.usage.set(usage);
            }
            if let Some(kept) = this.stream.whole()
                && let Some(keeping) = this.keeping.take()
            {
                this.saving = Some(Saving { done: Box::pin(keeping.keep(kept)), out });
                return self.poll_frame(cx);
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over && self.saving.is_none()
    }
}

/// Fetches the media that a provider wants in the request.
pub(super) async fn fetched(
    forwarder: &Forwarder,
    media: Vec<&mut Media>,
    held: &dyn Hold,
) -> Result<(), ForwardError> {
    if media.len() > MOST_MEDIA {
        return Err(ForwardError::Image(FetchError::TooLarge));
    }
    for one in media {
        let Source::Url(url) = &one.source else { continue };
        let url = url.parse().map_err(|_| ForwardError::Image(FetchError::Url))?;
        // Base64 is a third longer than what it stands for, and is written once more.
        let hold = |bytes: usize| held.hold_more(bytes + 2 * (bytes.div_ceil(3) * 4));
        let fetched = forwarder.fetch_image(&url, hold).await.map_err(ForwardError::Image)?;
        one.source = Source::Base64(STANDARD.encode(&fetched.bytes));
        one.media_type = Some(fetched.kind);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
