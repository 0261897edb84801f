//! A response, read.
use super::super::usage;
use super::{Customs, blocks, logprobs, read_ending};
use crate::providers::chat::{Answer, Choice, Content, Memo, Taking, Unreadable};
use serde_json::{Map, Value};

/// Reads a response.
///
/// # Errors
/// When it is none.
pub fn read_answer(mut body: Map<String, Value>, _: &Memo) -> Result<Answer, Unreadable> {
    let Some(Value::Array(output)) = body.take("output") else {
        return Err(Unreadable("OpenAI responses"));
    };
    let customs = Customs::of(&body);
    let (mut all, mut probabilities) = (Vec::new(), Vec::new());
    for item in output {
        if let Value::Object(mut item) = item {
            probabilities.append(&mut logprobs_of(&mut item));
            all.append(&mut blocks(item, &customs));
        }
    }
    let calls = all.iter().any(|block| matches!(block.content, Content::ToolUse(_)));
    let created = body.take_number("created_at");
    let choice = Choice {
        finish: read_ending(&mut body, calls),
        blocks: all,
        logprobs: logprobs(probabilities),
    };
    Ok(Answer {
        id: body.take_text("id"),
        model: body.take_text("model"),
        created: created.and_then(seconds),
        choices: vec![choice],
        usage: body.take_object("usage").and_then(usage::read),
        tier: body.take_text("service_tier"),
    })
}

/// The probabilities in a message.
fn logprobs_of(item: &mut Map<String, Value>) -> Vec<Value> {
    let Some(Value::Array(parts)) = item.get_mut("content") else { return Vec::new() };
    let parts = parts.iter_mut().filter_map(Value::as_object_mut);
    parts.flat_map(|part| part.take_array("logprobs")).collect()
}

/// Some tell the time with fractions.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
fn seconds(time: f64) -> Option<u64> {
    (0.0..1e15).contains(&time).then_some(time as u64)
}
