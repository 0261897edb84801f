//! A line for a client. A whole answer is one line, and says the same things.
use crate::providers::chat::{Client, Finish, Taking, ToolUse, object, signed_id};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value};
use std::time::Duration;

/// Which path's lines they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Those of `/api/chat`: they hold a message.
    Chat,
    /// Those of `/api/generate`, which has no tools.
    Generate,
}

/// What a line says.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// More text.
    pub text: String,
    /// More of a thought.
    pub thought: String,
    /// Whole calls.
    pub calls: Vec<ToolUse>,
    /// Whole pictures, in base64.
    pub pictures: Vec<String>,
    /// OpenAI's `logprobs`.
    pub logprobs: Option<Value>,
}

impl Line {
    /// As JSON, without an end.
    pub(crate) fn written(self, form: Form, model: &str, client: &Client) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("model".to_owned(), model.into());
        line.insert("created_at".to_owned(), client.time().into());
        let mut said = Map::new();
        let content = match form {
            Form::Chat => {
                said.insert("role".to_owned(), "assistant".into());
                "content"
            }
            Form::Generate => "response",
        };
        said.insert(content.to_owned(), self.text.into());
        if !self.thought.is_empty() {
            said.insert("thinking".to_owned(), self.thought.into());
        }
        match form {
            Form::Chat => {
                if !self.pictures.is_empty() {
                    said.insert("images".to_owned(), self.pictures.into());
                }
                if !self.calls.is_empty() {
                    let calls: Vec<Value> = self.calls.into_iter().map(write_call).collect();
                    said.insert("tool_calls".to_owned(), calls.into());
                }
                line.insert("message".to_owned(), said.into());
            }
            Form::Generate => line.extend(said),
        }
        line.insert("done".to_owned(), false.into());
        if let Some(Value::Object(mut told)) = self.logprobs {
            let entries = told.take_array("content");
            line.insert("logprobs".to_owned(), entries.into());
        }
        line
    }
}

impl Form {
    /// Makes a line the last one: with what was used, and how long it took from the call and from
    /// the first piece of the answer.
    pub(crate) fn end(
        self,
        line: &mut Map<String, Value>,
        reason: String,
        usage: Usage,
        (total, writing): (Duration, Duration),
    ) {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let count = |unit| u64::try_from(usage[unit]).unwrap_or(0);
        let members: [(&str, Value); 8] = [
            ("done", true.into()),
            ("done_reason", reason.into()),
            ("total_duration", nanos(total).into()),
            ("load_duration", 0.into()),
            ("prompt_eval_count", count(Unit::Input).into()),
            ("prompt_eval_duration", nanos(total.saturating_sub(writing)).into()),
            ("eval_count", count(Unit::Output).into()),
            ("eval_duration", nanos(writing).into()),
        ];
        line.extend(members.map(|(name, value)| (name.to_owned(), value)));
    }
}

/// Ollama's word for why an answer ends. It has one for calls and texts that are whole.
pub(crate) fn reason(finish: Option<Finish>) -> String {
    match finish {
        Some(Finish::Length) => "length".to_owned(),
        Some(Finish::Filter | Finish::Refusal) => "content_filter".to_owned(),
        Some(Finish::Failed(word)) => word,
        _ => "stop".to_owned(),
    }
}

/// A call. Newer servers give ids, which some clients repeat in the result.
fn write_call(call: ToolUse) -> Value {
    let arguments = call.object();
    let function = object([("name", call.name.into()), ("arguments", arguments.into())]);
    let id = signed_id(call.id, call.signature.as_deref());
    object([("id", id.into()), ("function", function)])
}
