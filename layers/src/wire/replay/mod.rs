//! Tells a whole answer as a stream of events, and a stream as a whole answer.
//!
//! What one form says and the other has no place for is left out; members that are not known here
//! go along. Where no faithful form can be made, there is none.
//!
//! ```
//! use bartizan_layers::wire::replay::{Form, Retell};
//!
//! let stream = concat!(
//!     r#"data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}"#,
//!     "\n\n",
//!     r#"data: {"id":"c1","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#,
//!     "\n\ndata: [DONE]\n\n",
//! );
//! let whole = Retell::new(Form::Chat).whole(stream.as_bytes()).unwrap();
//! assert!(str::from_utf8(&whole).unwrap().contains(r#""content":"Hello""#));
//! ```
mod chat;
mod merge;
mod messages;
mod responses;
#[cfg(test)]
mod tests;
mod usage;

use super::scan;
use super::sse::Events;
use crate::facts::Usage;
use bytes::Bytes;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// How an API tells an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI completions.
    Completions,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
}

/// Tells an answer in the other form.
#[derive(Clone, Copy, Debug)]
pub struct Retell {
    form: Form,
    usage_event: bool,
    usage: Option<Usage>,
}

impl Retell {
    /// Streams have no usage event.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form, usage_event: false, usage: None }
    }

    /// Tells an answer to `request` as it asks for it.
    #[must_use]
    pub fn to(request: &scan::Object<'_>, form: Form) -> Self {
        let options = request.get("stream_options").ok().flatten().map(|member| member.value());
        let usage = options.and_then(|options| options.get("include_usage")?.as_bool());
        Self::new(form).usage_event(usage == Some(true))
    }

    /// Whether an OpenAI stream has a usage event: whether its request set
    /// `stream_options.include_usage`. Other streams have their usage in any case.
    #[must_use]
    pub const fn usage_event(self, usage_event: bool) -> Self {
        Self { usage_event, ..self }
    }

    /// What the answer used, for one that does not tell itself.
    #[must_use]
    pub fn usage(self, usage: Option<Usage>) -> Self {
        Self { usage, ..self }
    }

    /// The whole answer that `stream` tells. `None` for one that is not complete, or tells an
    /// error or anything else that a whole answer has no place for.
    #[must_use]
    pub fn whole(&self, stream: &[u8]) -> Option<Bytes> {
        let whole = match self.form {
            Form::Chat => chat::whole(stream, self.usage, &chat::CHAT),
            Form::Completions => chat::whole(stream, self.usage, &chat::COMPLETIONS),
            Form::Responses => responses::whole(stream),
            Form::Messages => messages::whole(stream),
        };
        Some(Value::Object(whole?).to_string().into())
    }

    /// The stream that tells the answer `whole`. `None` for an error, or anything else that is no
    /// complete answer.
    #[must_use]
    pub fn stream(&self, whole: &[u8]) -> Option<Bytes> {
        let whole = serde_json::from_slice(whole).ok()?;
        let out = match self.form {
            Form::Chat => chat::stream(whole, self.usage_for_event(), &chat::CHAT),
            Form::Completions => chat::stream(whole, self.usage_for_event(), &chat::COMPLETIONS),
            Form::Responses => responses::stream(&whole),
            Form::Messages => messages::stream(whole),
        };
        Some(out?.0.into())
    }

    /// The same stream, with a usage event or without one.
    #[must_use]
    pub fn again(&self, stream: &Bytes) -> Bytes {
        match self.form {
            Form::Chat => usage::adapted(stream, self.usage_for_event(), chat::CHAT.chunk),
            Form::Completions => {
                usage::adapted(stream, self.usage_for_event(), chat::COMPLETIONS.chunk)
            }
            Form::Responses | Form::Messages => stream.clone(),
        }
    }

    /// `None`: no event is wanted; an inner `None`: nothing is known but what the answer tells.
    fn usage_for_event(&self) -> Option<Option<Usage>> {
        self.usage_event.then_some(self.usage)
    }
}

/// Events on their way out.
#[derive(Debug, Default)]
struct Out(Vec<u8>);

impl Out {
    /// An event as OpenAI's chat completions have them.
    fn data(&mut self, data: &Value) {
        self.0.extend_from_slice(format!("data: {data}\n\n").as_bytes());
    }

    /// An event that is called like its data's `type`.
    fn event(&mut self, data: &Value) {
        let name = data["type"].as_str().unwrap_or_default();
        self.0.extend_from_slice(format!("event: {name}\n").as_bytes());
        self.data(data);
    }

    fn done(&mut self) {
        self.0.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// Reads the JSON events of a stream up to its `[DONE]`. `None` if one of them is no object, or
/// `each` has no use for it.
fn read(stream: &[u8], mut each: impl FnMut(Object) -> Option<()>) -> Option<()> {
    let (mut all, mut done) = (Some(()), false);
    let mut events = Events::new();
    let mut one = |data: &[u8], clipped| {
        done |= data == b"[DONE]";
        if done || data.is_empty() || all.is_none() {
            return;
        }
        let event = if clipped { None } else { serde_json::from_slice(data).ok() };
        all = event.and_then(&mut each);
    };
    events.push(stream, |event| one(event.data, event.clipped));
    events.finish(|event| one(event.data, event.clipped));
    all
}

/// Takes a member that is an object out of `from`.
fn take_object(from: &mut Object, name: &str) -> Option<Object> {
    match from.remove(name)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Takes a member that is an array out of `from`.
fn take_array(from: &mut Object, name: &str) -> Option<Vec<Value>> {
    match from.remove(name)? {
        Value::Array(array) => Some(array),
        _ => None,
    }
}

fn object(value: Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
