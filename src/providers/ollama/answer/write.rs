//! An answer for a client.
use super::line::{Form, Line, reason};
use crate::providers::chat::{Answer, Client, Content, Thought};
use serde_json::{Map, Value};

/// Writes an answer of `/api/chat`: of several ones the first, as this dialect has one.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    written(answer, client, Form::Chat)
}

/// Writes an answer of `/api/generate`.
#[must_use]
pub fn write_generated(answer: Answer, client: &Client) -> Value {
    written(answer, client, Form::Generate)
}

fn written(answer: Answer, client: &Client, form: Form) -> Value {
    let Answer { model, choices, usage, .. } = answer;
    let choice = choices.into_iter().next().unwrap_or_default();
    let mut line = Line::default();
    for block in choice.blocks {
        match block.content {
            Content::Text(text, _) | Content::Refusal(text) => line.text.push_str(&text),
            Content::Thought(Thought { text, .. }) => line.thought.push_str(&text),
            // One that was cut off is none.
            Content::ToolUse(call) if call.is_whole() => line.calls.push(call),
            Content::Media(media) => line.pictures.extend(media.picture()),
            Content::ToolUse(_) | Content::ToolResult(_) | Content::Other(_) => {}
        }
    }
    line.logprobs = choice.logprobs;
    let model = model.as_deref().unwrap_or(&client.model);
    let mut told: Map<String, Value> = line.written(form, model, client);
    let taken = client.elapsed.now();
    form.end(&mut told, reason(choice.finish), usage.unwrap_or_default(), (taken, taken));
    told.into()
}
