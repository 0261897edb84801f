//! OpenAI's chat completions and completions, which differ in names.
use super::merge::merge;
use super::{Object, Out, object, read, take_array, take_object, usage};
use crate::facts::Usage;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What an API calls things.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) whole: &'static str,
    pub(super) chunk: &'static str,
    /// Whether a choice has a message; otherwise it has its text itself.
    messages: bool,
}

pub(super) const CHAT: Names =
    Names { whole: "chat.completion", chunk: "chat.completion.chunk", messages: true };
pub(super) const COMPLETIONS: Names =
    Names { whole: "text_completion", chunk: "text_completion", messages: false };

/// A choice as far as it was told.
#[derive(Default)]
struct Choice {
    message: Object,
    rest: Object,
}

pub(super) fn whole(stream: &[u8], known: Option<Usage>, names: &Names) -> Option<Object> {
    let (mut answer, mut choices) = (Map::new(), BTreeMap::<u64, Choice>::new());
    read(stream, |mut chunk| {
        if chunk.contains_key("error") {
            return None;
        }
        for choice in take_array(&mut chunk, "choices").unwrap_or_default() {
            let choice = object(choice)?;
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
            choices.entry(index).or_default().add(choice, names)?;
        }
        for (name, value) in chunk {
            if !value.is_null() && (name == "usage" || answer.get(&name).is_none_or(Value::is_null))
            {
                answer.insert(name, value);
            }
        }
        Some(())
    })?;
    if choices.is_empty() {
        return None;
    }
    let choices = choices.into_iter().map(|(index, choice)| choice.whole(index, names));
    answer.insert("choices".into(), Value::Array(choices.collect::<Option<_>>()?));
    answer.insert("object".into(), names.whole.into());
    if let (false, Some(known)) = (answer.contains_key("usage"), known) {
        answer.insert("usage".into(), usage::object(&known));
    }
    Some(answer)
}

impl Choice {
    /// `None` for what comes in pieces that cannot be put together.
    fn add(&mut self, mut choice: Object, names: &Names) -> Option<()> {
        choice.remove("index");
        if names.messages {
            let delta = take_object(&mut choice, "delta").unwrap_or_default();
            // Each piece of audio is padded for itself.
            if delta.contains_key("audio") {
                return None;
            }
            merge(&mut self.message, delta);
        }
        // These grow; all else is told anew.
        for name in ["text", "logprobs"] {
            if let Some((name, piece)) = choice.remove_entry(name) {
                merge(&mut self.rest, Map::from_iter([(name, piece)]));
            }
        }
        for (name, value) in choice {
            if !value.is_null() || !self.rest.contains_key(&name) {
                self.rest.insert(name, value);
            }
        }
        Some(())
    }

    /// `None` for a choice without an ending.
    fn whole(self, index: u64, names: &Names) -> Option<Value> {
        let Self { mut message, rest: mut choice } = self;
        choice.get("finish_reason").filter(|reason| reason.is_string())?;
        choice.insert("index".into(), index.into());
        choice.entry("logprobs").or_insert(Value::Null);
        if names.messages {
            message.entry("role").or_insert("assistant".into());
            message.entry("content").or_insert(Value::Null);
            let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
            for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
                call.remove("index");
            }
            choice.insert("message".into(), message.into());
        }
        Some(choice.into())
    }
}

pub(super) fn stream(
    mut answer: Object,
    usage: Option<Option<Usage>>,
    names: &Names,
) -> Option<Out> {
    let choices = take_array(&mut answer, "choices").filter(|choices| !choices.is_empty())?;
    let told = answer.remove("usage").filter(Value::is_object);
    answer.insert("object".into(), names.chunk.into());
    let mut out = Out::default();
    let mut chunk = |choices: Value, told: Option<Value>| {
        let mut chunk = answer.clone();
        chunk.insert("choices".into(), choices);
        chunk.extend(told.map(|told| ("usage".to_owned(), told)));
        out.data(&chunk.into());
    };
    for choice in choices {
        let parts = if names.messages { parts(object(choice)?)? } else { vec![choice] };
        parts.into_iter().for_each(|part| chunk(json!([part]), None));
    }
    if let Some(known) = usage
        && let Some(told) = told.or_else(|| known.as_ref().map(usage::object))
    {
        chunk(json!([]), Some(told));
    }
    out.done();
    Some(out)
}

/// A choice as its role, what it says, and its ending.
fn parts(mut choice: Object) -> Option<Vec<Value>> {
    let index = choice.get("index").cloned().unwrap_or_else(|| 0.into());
    let mut message = take_object(&mut choice, "message")?;
    let role = message.remove("role").unwrap_or_else(|| "assistant".into());
    message.retain(|_, value| !value.is_null());
    for (at, call) in message
        .get_mut("tool_calls")
        .into_iter()
        .flat_map(Value::as_array_mut)
        .flatten()
        .enumerate()
    {
        call.as_object_mut()?.insert("index".into(), at.into());
    }
    let content = if message.contains_key("content") { "".into() } else { Value::Null };
    let logprobs = choice.remove("logprobs").unwrap_or_default();
    choice.insert("delta".into(), json!({}));
    choice.insert("index".into(), index.clone());
    let role = json!({ "index": index, "delta": { "role": role, "content": content } });
    let said = json!({ "index": index, "delta": message, "logprobs": logprobs });
    Some(vec![role, said, choice.into()])
}
