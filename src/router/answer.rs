//! The way back: what an upstream answered becomes what the client gets.
use super::attempt::Attempt;
use super::dress::Told;
use super::failed::{UpstreamCause, UpstreamFailure, failure_of};
use super::leaf::{LeafBody, Sending};
use super::pictures;
use super::stream::{StreamEnding, StreamWatch};
use super::whole::{Collected, collect};
use crate::forward::strip_hop_by_hop;
use crate::providers::{Operation, Prompt, is_of_type};
use crate::telemetry::{Decimal, Trail, millis};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Fault, NanoUsd};
use bartizan_layers::wire::body::TapBody;
use bartizan_layers::wire::cause::fault_of;
use bartizan_layers::wire::estimate::Expected;
use bartizan_layers::wire::peek::{Peek, Replay};
use bartizan_layers::wire::tap::{Framing, Tap, Wire, finish_of, name_whole, usage_of};
use bartizan_layers::wire::usage_tap::{Tapping, begun};
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use std::pin::Pin;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// What a client gets of a call.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl Attempt {
    /// Waits for what is `sending` and hands the answer on. An event stream that begins with an
    /// error is a failure.
    pub(super) fn answer(self, sending: Sending, prompt: Prompt) -> Answer {
        Box::pin(async move {
            let answered = sending.await;
            // The upstream has read the request by now; its share of memory may yet grow.
            let held = prompt.held.clone();
            drop(prompt);
            let rsp = answered.map_err(|cause| self.failure(cause))?;
            let (mut parts, mut body) = rsp.into_parts();
            if !parts.status.is_success() {
                // The client did not ask for another protocol, or asked somebody else.
                if parts.status.is_informational() {
                    return Err(self.failure(UpstreamCause::Unasked(parts.status)).into());
                }
                if let Some(trail) = &self.trail {
                    trail.set_failure(failure_of(parts.status));
                }
            }
            let body = match framing(&self.operation, &parts) {
                // Audio begins to play before it ends.
                Framing::Whole if self.is_audio(&parts) => {
                    self.passed_on(&mut parts, Tap::opaque(self.wire()), Vec::new(), body)
                }
                Framing::Whole => match collect(&mut body, &*held).await {
                    Ok(Collected::Whole(bytes)) => self.whole(&mut parts, bytes)?,
                    Ok(Collected::Longer(begun)) => {
                        self.passed_on(&mut parts, self.tap_of_long(), begun, body)
                    }
                    Err(error) => return Err(self.failure(UpstreamCause::of_break(error)).into()),
                },
                framing => self.stream(&mut parts, body, framing).await?,
            };
            // Of a stream its breaker and its cache learn how it ended, of all answers the cache and
            // a quota that counts tokens.
            let counted = self.kept || self.deployment.room().counts_tokens();
            if counted || matches!(body, Body::Stream(_)) {
                parts.extensions.insert(self.usage.clone());
            }
            Ok(Response::from_parts(parts, body))
        })
    }

    async fn stream(
        &self,
        parts: &mut Parts,
        body: LeafBody,
        framing: Framing,
    ) -> Result<Body, UpstreamFailure> {
        let tapping = self.tapping();
        let tap = tapping.begin(framing, self.usage.clone());
        let (verdict, body) = Peek::new(body, tap, self.commit).await;
        begun(verdict).map_err(|error| self.failure(error.into()))?;
        self.dress(&mut parts.headers, self.told());
        // Its length changes when a usage event is taken out, or an error event added.
        parts.headers.remove(header::CONTENT_LENGTH);
        Ok(self.tapped(body, tapping.all(framing, self.usage.clone())))
    }

    fn tapping(&self) -> Tapping {
        Tapping {
            wire: self.wire(),
            choices: self.choices,
            input: self.expected.as_ref().map(Expected::input),
            usage_is_ours: self.usage_is_ours,
            told: self.is_translated,
        }
    }

    /// An answer that is no stream and was read whole, so that its cost can stand in its headers
    /// and a break is an error instead of half an answer.
    fn whole(&self, parts: &mut Parts, bytes: Bytes) -> Result<Body, UpstreamFailure> {
        let failed = parts.status.is_client_error() || parts.status.is_server_error();
        // Not the provider's word, but a page of something before it.
        if failed && !matches!(bytes.trim_ascii_start().first(), None | Some(b'{' | b'[')) {
            return Err(self.failure(UpstreamCause::Page(parts.status)));
        }
        // Where it was translated, it was judged by the provider's own words.
        if failed && parts.extensions.get::<Fault>().is_none() {
            let fault = fault_of(parts.status, &parts.headers, &bytes, SystemTime::now());
            parts.extensions.insert(fault);
        }
        let mut told = self.told();
        if parts.status.is_success() {
            self.account(&bytes);
            told.cost = Some(dollars(self.usage.cost()));
        }
        let started = self.trail.as_ref().map_or(self.sent, Trail::started);
        told.duration = Some(milliseconds(started.elapsed()));
        self.dress(&mut parts.headers, told);
        Ok(Body::Full(bytes))
    }

    /// Notes what a whole answer used, and why it ended.
    fn account(&self, bytes: &Bytes) {
        let wire = self.wire();
        name_whole(wire, bytes, &self.usage);
        let reported = match wire {
            _ if self.is_translated => self.usage.usage(),
            Wire::Media if self.operation.makes_images() => {
                let reported = pictures::account(&self.usage, bytes);
                reported.zip(self.expected.as_ref()).iter().for_each(|(it, one)| one.learn(it));
                return;
            }
            wire => usage_of(wire, bytes),
        };
        match reported {
            Some(usage) => {
                self.usage.set(usage);
                self.expected.iter().for_each(|expected| expected.learn(&usage));
            }
            None if self.operation.writes() => self.count(bytes),
            None => {}
        }
        // Only a cache asks, and to find out takes a walk through the answer.
        if self.kept
            && let Some(finish) = finish_of(wire, bytes)
        {
            self.usage.finish(finish);
        }
    }

    /// Counts the content of a whole answer that does not tell what it used.
    #[cold]
    fn count(&self, bytes: &Bytes) {
        let mut tap = self.tapping().all(Framing::Whole, self.usage.clone());
        tap.push(bytes.clone());
        tap.finish();
    }

    /// Where images are charged by their number, it is known what they cost.
    fn tap_of_long(&self) -> Tap {
        match self.is_by_number() {
            true => Tap::opaque(self.wire()),
            false => Tap::new(self.wire(), Framing::Whole),
        }
    }

    fn is_by_number(&self) -> bool {
        self.operation.makes_images() && pictures::is_by_number(&self.usage)
    }

    /// An answer that is no stream of events, but is not to be read whole.
    fn passed_on(&self, parts: &mut Parts, tap: Tap, begun: Vec<Bytes>, rest: LeafBody) -> Body {
        let mut told = self.told();
        told.cost = self.is_by_number().then(|| dollars(self.usage.cost()));
        self.dress(&mut parts.headers, told);
        self.tapped(Replay::new(begun, rest), tap.cell(self.usage.clone()))
    }

    fn is_audio(&self, parts: &Parts) -> bool {
        matches!(self.operation, Operation::Speech) && parts.status.is_success()
    }

    fn tapped(&self, body: Replay<LeafBody>, tap: Tap) -> Body {
        let watch = StreamWatch::new(self.trail.clone(), self.deployment.observed(), self.sent)
            .learning(self.expected.clone());
        let provider = self.deployment.config().provider.title;
        let ending = StreamEnding::new(self.operation.clone(), provider);
        Body::stream(TapBody::new(body, tap, ending, watch))
    }

    /// Adds what the contract's 8.1 wants, and takes out what concerns the upstream's connection.
    fn dress(&self, headers: &mut HeaderMap, told: Told) {
        strip_hop_by_hop(headers);
        *headers = self.deployment.dresser().dress(headers, told, self.limits.as_ref());
        if let Some(names) = &self.dropped {
            headers.insert(DROPPED, names.clone());
        }
    }

    fn told(&self) -> Told {
        told(self.trail.as_ref(), self.sent)
    }

    fn failure(&self, cause: UpstreamCause) -> UpstreamFailure {
        if let Some(trail) = &self.trail {
            trail.set_failure(failure_of(cause.status()));
        }
        UpstreamFailure::new(self.deployment.config().provider.title, cause)
    }

    const fn wire(&self) -> Wire {
        match self.operation {
            Operation::Responses => Wire::Responses,
            Operation::Messages | Operation::CountTokens => Wire::Messages,
            Operation::Gemini(_) => Wire::Gemini,
            Operation::Cohere(_) => Wire::Cohere,
            Operation::Ollama(_) => Wire::Ollama,
            Operation::ImageGenerations
            | Operation::ImageEdits
            | Operation::Speech
            | Operation::Upload(_) => Wire::Media,
            _ => Wire::Chat,
        }
    }
}

/// The names of what a translated request lost on its way.
const DROPPED: HeaderName = HeaderName::from_static("x-bartizan-dropped");

/// What is known of a call when its answer begins.
pub(super) fn told(trail: Option<&Trail>, sent: Instant) -> Told {
    Told {
        call_id: trail.map(|trail| trail.id().header().clone()),
        overhead: trail.map(|trail| milliseconds(sent - trail.started())),
        ..Told::default()
    }
}

/// The type of Ollama's streams.
const NDJSON: &str = "application/x-ndjson";

/// How an answer is cut into events.
fn framing(operation: &Operation, parts: &Parts) -> Framing {
    match (operation, Framing::of_headers(&parts.headers)) {
        _ if !parts.status.is_success() => Framing::Whole,
        (_, Some(Framing::Events)) => Framing::Events,
        (Operation::Ollama(_), None) if is_of_type(&parts.headers, NDJSON) => Framing::Lines,
        (Operation::Gemini(path), _) if &*path.action == "streamGenerateContent" => Framing::Array,
        _ => Framing::Whole,
    }
}

pub(super) fn milliseconds(duration: Duration) -> HeaderValue {
    number(millis(duration).as_bytes().to_vec())
}

/// US dollars as Python prints a float, which clients of LiteLLM parse: `3.9e-06`.
#[must_use]
pub fn dollars(NanoUsd(nanos): NanoUsd) -> HeaderValue {
    let nanos = u64::try_from(nanos).unwrap_or(0);
    if nanos == 0 || nanos >= 100_000 {
        return number(Decimal::new(nanos, 9).trimmed().to_vec());
    }
    let digits = Decimal::new(nanos, 0);
    let (first, rest) = digits.as_bytes().split_at(1);
    // One to five digits below the tenth of a thousandth.
    let power = b'9' - rest.len() as u8;
    let zeros = rest.iter().rev().take_while(|digit| **digit == b'0').count();
    let rest = &rest[..rest.len() - zeros];
    let point: &[u8] = if rest.is_empty() { b"" } else { b"." };
    number([first, point, rest, b"e-0", &[power]].concat())
}

fn number(text: Vec<u8>) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("digits can stand in a header")
}

#[cfg(test)]
mod tests {
    use super::{NanoUsd, dollars};

    #[test]
    fn dollars_look_like_pythons_floats() {
        for (nanos, text) in [
            (0, "0.0"),
            (1, "1e-09"),
            (750, "7.5e-07"),
            (3_900, "3.9e-06"),
            (12_345, "1.2345e-05"),
            (99_999, "9.9999e-05"),
            (100_000, "0.0001"),
            (1_000_000_000, "1.0"),
            (123_456_789_000, "123.456789"),
        ] {
            assert_eq!(dollars(NanoUsd(nanos)), text);
        }
    }
}
