//! What can be learned of an answer that passes untouched: its model and its usage.
use super::super::deployment::Deployment;
use super::super::leaf::LeafBody;
use crate::providers::Raw;
use crate::telemetry::{Served, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::facts::{Bill, UsageCell};
use bartizan_layers::wire::is_encoded;
use bartizan_layers::wire::tap::{Framing, Tap, Wire};
use bytes::{Bytes, BytesMut};
use http::Extensions;
use http::response::Parts;
use http_body::{Body as _, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// So far into an answer its model is looked for, in bytes.
const NEAR: usize = 16 * 1024;

/// Listens to the answer of one call.
#[derive(Debug)]
pub(super) struct Listener {
    deployment: Arc<Deployment>,
    trail: Option<Trail>,
    wire: Option<Wire>,
    /// The model, where the path names it.
    model: Option<Box<str>>,
    tap: Option<Tap>,
    /// The answer's beginning, until its model is known.
    near: BytesMut,
    bill: Option<UsageCell>,
    call: Option<Bill>,
}

impl Listener {
    pub(super) fn new(deployment: Arc<Deployment>, facts: &Extensions, asked: &Raw) -> Self {
        let (wire, model) = known(&asked.path);
        let (tap, near, bill) = (None, BytesMut::new(), None);
        let (trail, call) = (facts.get().cloned(), facts.get().cloned());
        let model = model.map(Into::into);
        Self { deployment, trail, wire, model, tap, near, bill, call }
    }

    /// Whether there is something to hear in an answer that begins like this: a wire that we
    /// know, in plain text.
    pub(super) fn hear(mut self: Box<Self>, parts: &Parts) -> Box<Self> {
        let framing = Framing::of_headers(&parts.headers);
        if let Some(trail) = &self.trail {
            trail.set_streamed(framing == Some(Framing::Events));
        }
        let is_plain = !is_encoded(&parts.headers);
        let heard = self.wire.zip(framing).filter(|_| is_plain && parts.status.is_success());
        self.tap = heard.map(|(wire, framing)| Tap::new(wire, framing));
        if self.tap.is_none() || self.model.is_some() {
            self.open();
        }
        self
    }

    /// Opens the bill: from now on the call has an account, and prices if its model is known.
    fn open(&mut self) {
        if self.bill.is_some() {
            return;
        }
        let usage = UsageCell::new(self.deployment.price(self.model.as_deref().unwrap_or("")));
        if let Some(trail) = &self.trail {
            let deployment = self.deployment.labels().clone();
            let model = self.model.clone();
            trail.set_served(Served { deployment, model, usage: usage.clone() });
        }
        if let Some(call) = &self.call {
            call.add(usage.clone());
        }
        self.bill = Some(usage);
    }

    fn frame(&mut self, data: &Bytes) {
        let Some(tap) = &mut self.tap else { return };
        tap.push(data.clone());
        while tap.pop().is_some() {}
        if self.bill.is_none() {
            let room = NEAR.saturating_sub(self.near.len()).min(data.len());
            self.near.extend_from_slice(data.get(..room).unwrap_or_default());
            self.model = model_in(&self.near);
            if self.model.is_some() || self.near.len() >= NEAR {
                self.open();
            }
        }
        self.charge();
    }

    fn end(&mut self) {
        self.open();
        if let Some(tap) = &mut self.tap {
            tap.finish();
        }
        self.charge();
        self.tap = None;
    }

    fn charge(&self) {
        let usage = self.tap.as_ref().and_then(Tap::usage);
        if let (Some(usage), Some(bill)) = (usage, &self.bill)
            && bill.usage() != Some(usage)
        {
            bill.set(usage);
        }
    }
}

/// The wire of a path, and the model that it names.
fn known(path: &str) -> (Option<Wire>, Option<&str>) {
    if let Some((model, "generateContent" | "streamGenerateContent")) = path.rsplit_once(':') {
        return (Some(Wire::Gemini), model.rsplit_once("/models/").map(|(_, model)| model));
    }
    let ends = |with: &[&str]| with.iter().any(|end| path.ends_with(end));
    let wire = if ends(&["/messages"]) {
        Some(Wire::Messages)
    } else if ends(&["/responses"]) {
        Some(Wire::Responses)
    } else {
        ends(&["/completions", "/embeddings"]).then_some(Wire::Chat)
    };
    (wire, None)
}

/// The first member `model` of an answer. Inside a text its quotes would be escaped.
fn model_in(text: &[u8]) -> Option<Box<str>> {
    const KEY: &[u8] = b"\"model\"";
    let at = text.windows(KEY.len()).position(|window| window == KEY)?;
    let rest = text.get(at + KEY.len()..)?.trim_ascii_start();
    let value = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = value.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(value.get(..end)?).ok().map(Into::into)
}

/// A body that passes untouched while somebody listens.
#[derive(Debug)]
pub(super) struct Overheard {
    inner: LeafBody,
    listener: Box<Listener>,
}

impl Overheard {
    pub(super) fn new(inner: LeafBody, mut listener: Box<Listener>) -> Self {
        if inner.is_end_stream() {
            listener.end();
        }
        Self { inner, listener }
    }
}

impl http_body::Body for Overheard {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            this.listener.frame(data);
        }
        // With a content length nobody asks again after the last byte.
        if !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream() {
            this.listener.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::{Wire, known, model_in};

    #[test]
    fn a_path_tells_the_wire_and_sometimes_the_model() {
        assert_eq!(known("/v1/messages"), (Some(Wire::Messages), None));
        assert_eq!(known("/v1/chat/completions"), (Some(Wire::Chat), None));
        assert_eq!(known("/v1/files"), (None, None));
        let path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
        assert_eq!(known(path), (Some(Wire::Gemini), Some("gemini-2.5-flash")));
    }

    #[test]
    fn the_first_model_of_an_answer_is_its_own() {
        let answer = br#"{"text":"\"model\":\"no\"","model" : "yes","x":{"model":"no"}}"#;
        assert_eq!(model_in(answer).as_deref(), Some("yes"));
        assert_eq!(model_in(br#"{"model":"ye"#), None);
    }
}
