//! The way back: what an upstream answered becomes what the client gets.
use super::deployment::Deployment;
use super::error::{UpstreamCause, UpstreamFailure};
use super::leaf::LeafBody;
use super::stream::{StreamEnding, StreamWatch};
use super::whole::{Collected, collect};
use crate::forward::{ForwardError, strip_hop_by_hop};
use crate::providers::{Class, Hold, Operation};
use crate::telemetry::{Failure, Trail, millis};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use bartizan_layers::wire::body::TapBody;
use bartizan_layers::wire::peek::{Peek, Replay, Verdict};
use bartizan_layers::wire::tap::{Framing, InBand, Tap, Wire, usage_of};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A call whose upstream has answered.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) deployment: Arc<Deployment>,
    pub(super) operation: Operation,
    pub(super) trail: Option<Trail>,
    pub(super) usage: UsageCell,
    pub(super) usage_is_ours: bool,
    pub(super) choices: u32,
    pub(super) commit: Duration,
    pub(super) sent: Instant,
    pub(super) held: Arc<dyn Hold>,
}

impl Answering {
    /// Hands the answer on. An event stream that begins with an error is a failure.
    pub(super) async fn answer(
        self,
        rsp: Response<LeafBody>,
    ) -> Result<Response<Body>, UpstreamFailure> {
        let (mut parts, body) = rsp.into_parts();
        let framing = framing(&self.operation, &parts);
        self.mark(&mut parts.headers);
        if !parts.status.is_success() {
            self.fail(Failure {
                status: parts.status.as_u16(),
                class: Class::of(parts.status).name(),
            });
        }
        let body = match framing {
            Framing::Whole => self.whole(&mut parts, body).await?,
            framing => self.stream(&mut parts, body, framing).await?,
        };
        Ok(Response::from_parts(parts, body))
    }

    async fn stream(
        self,
        parts: &mut Parts,
        body: LeafBody,
        framing: Framing,
    ) -> Result<Body, UpstreamFailure> {
        let tap = Tap::new(self.wire(), framing).choices(self.choices);
        let (verdict, body) = Peek::new(body, tap, self.commit).await;
        match verdict {
            Verdict::ErrorFirst(error) => return Err(self.failure(in_band(&error))),
            Verdict::Broke(error) => return Err(self.failure(broken(error))),
            Verdict::Ended { complete: false } => return Err(self.failure(UpstreamCause::Cut)),
            _ => {}
        }
        // Its length changes when a usage event is taken out, or an error event added.
        parts.headers.remove(header::CONTENT_LENGTH);
        let mut tap = Tap::new(self.wire(), framing).choices(self.choices).cell(self.usage.clone());
        if self.usage_is_ours {
            tap = tap.take_out_usage_event();
        }
        let watch = StreamWatch::new(self.trail.clone(), self.deployment.observed(), self.sent);
        let ending = StreamEnding::new(self.operation, self.deployment.config().provider.title);
        Ok(Body::stream(TapBody::new(body, tap, ending, watch)))
    }

    /// An answer that is no stream. Up to a bound it is read whole, so that its cost can stand in
    /// its headers and a break is an error instead of half an answer.
    async fn whole(self, parts: &mut Parts, body: LeafBody) -> Result<Body, UpstreamFailure> {
        let success = parts.status.is_success();
        let bytes = match collect(body, &*self.held).await {
            Ok(Collected::Whole(bytes)) => bytes,
            Ok(Collected::Longer(held, rest)) => return Ok(self.passed_on(held, rest)),
            Err(error) => return Err(self.failure(broken(error))),
        };
        let failed = parts.status.is_client_error() || parts.status.is_server_error();
        // Not the provider's word, but a page of something before it.
        if failed && !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
            return Err(self.failure(UpstreamCause::Page(parts.status)));
        }
        if let Some(usage) = usage_of(self.wire(), &bytes).filter(|_| success) {
            self.usage.set(usage);
        }
        if success {
            let cost = dollars(self.usage.cost().0);
            parts.headers.insert(RESPONSE_COST, text(cost));
        }
        let started = self.trail.as_ref().map_or(self.sent, Trail::started);
        parts.headers.insert(RESPONSE_DURATION, duration(started.elapsed()));
        Ok(Body::Full(bytes))
    }

    fn passed_on(self, held: Vec<bytes::Bytes>, rest: LeafBody) -> Body {
        let tap = Tap::new(self.wire(), Framing::Whole).cell(self.usage.clone());
        let watch = StreamWatch::new(self.trail.clone(), self.deployment.observed(), self.sent);
        let ending = StreamEnding::new(self.operation, self.deployment.config().provider.title);
        Body::stream(TapBody::new(Replay::new(held, rest), tap, ending, watch))
    }

    /// Adds what the contract's 8.1 wants, and takes out what concerns the upstream's connection.
    fn mark(&self, headers: &mut HeaderMap) {
        strip_hop_by_hop(headers);
        for name in UPSTREAMS_OWN {
            headers.remove(name);
        }
        let own = self.deployment.answer_headers();
        headers.reserve(headers.len() + own.len() + 6);
        let prefixed: Vec<_> = headers
            .iter()
            .filter_map(|(name, value)| Some((self.deployment.prefixed(name)?, value.clone())))
            .collect();
        if let Some(id) = headers.get(&UPSTREAM_ID).cloned() {
            headers.insert(REQUEST_ID, id);
        }
        for (name, value) in prefixed {
            headers.append(name, value);
        }
        for (name, value) in own {
            headers.insert(name.clone(), value.clone());
        }
        if let Some(trail) = &self.trail {
            headers.insert(OVERHEAD, duration(self.sent - trail.started()));
        }
    }

    fn fail(&self, failure: Failure) {
        if let Some(trail) = &self.trail {
            trail.set_failure(failure);
        }
    }

    fn failure(&self, cause: UpstreamCause) -> UpstreamFailure {
        UpstreamFailure { provider: self.deployment.config().provider.title, cause }
    }

    const fn wire(&self) -> Wire {
        match self.operation {
            Operation::Responses => Wire::Responses,
            Operation::Messages | Operation::CountTokens => Wire::Messages,
            Operation::Gemini(_) => Wire::Gemini,
            _ => Wire::Chat,
        }
    }
}

const RESPONSE_COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
const RESPONSE_DURATION: HeaderName = HeaderName::from_static("x-litellm-response-duration-ms");
const OVERHEAD: HeaderName = HeaderName::from_static("x-litellm-overhead-duration-ms");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const UPSTREAM_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an upstream says about its own host: cookies and other protocols are not the client's.
const UPSTREAMS_OWN: [HeaderName; 3] =
    [header::SET_COOKIE, HeaderName::from_static("alt-svc"), header::STRICT_TRANSPORT_SECURITY];

/// How an answer is cut into events.
fn framing(operation: &Operation, parts: &Parts) -> Framing {
    let kind = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let starts = |with: &str| {
        kind.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()))
    };
    match operation {
        _ if !parts.status.is_success() => Framing::Whole,
        _ if starts("text/event-stream") => Framing::Events,
        Operation::Gemini(path) if &*path.action == "streamGenerateContent" => Framing::Array,
        _ => Framing::Whole,
    }
}

fn broken(error: BoxError) -> UpstreamCause {
    error.downcast::<ForwardError>().map_or(UpstreamCause::Cut, |error| (*error).into())
}

/// The status that an error event stands for: its own, or the one that its kind has elsewhere.
fn in_band(error: &InBand) -> UpstreamCause {
    let kinds = [error.kind.as_deref(), error.code.as_deref()];
    let kind = |names: &[&str]| kinds.iter().flatten().any(|kind| names.contains(kind));
    let guessed = if kind(&["rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED"]) {
        429
    } else if kind(&["overloaded_error", "UNAVAILABLE"]) {
        503
    } else if kind(&["invalid_request_error", "INVALID_ARGUMENT"]) {
        400
    } else {
        500
    };
    let status = error.status.filter(|status| (400..600).contains(status)).unwrap_or(guessed);
    UpstreamCause::ErrorFirst {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        message: error.message.clone().unwrap_or_else(|| "the stream began with an error".into()),
    }
}

/// Milliseconds with three decimals.
fn duration(duration: Duration) -> HeaderValue {
    let mut text = Vec::with_capacity(16);
    millis(&mut text, duration);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

fn text(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0"))
}

/// US dollars as Python prints a float, which clients of LiteLLM parse: `3.9e-06`.
fn dollars(nanos: i64) -> String {
    let dollars = nanos as f64 / 1e9;
    if dollars == 0.0 || dollars >= 1e-4 {
        return format!("{dollars:?}");
    }
    let text = format!("{dollars:e}");
    text.split_once("e-").map_or(text.clone(), |(digits, power)| format!("{digits}e-{power:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn dollars_look_like_pythons_floats() {
        for (nanos, text) in [
            (0, "0.0"),
            (1, "1e-09"),
            (750, "7.5e-07"),
            (3_900, "3.9e-06"),
            (100_000, "0.0001"),
            (1_000_000_000, "1.0"),
            (123_456_789_000, "123.456789"),
        ] {
            assert_eq!(dollars(nanos), text);
        }
    }
}
