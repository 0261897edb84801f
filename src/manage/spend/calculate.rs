//! `/spend/calculate`: what a call would cost.
use crate::manage::{Asked, Refusal, Room, Who};
use axum::Json;
use bartizan_layers::facts::{Unit, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

/// A call, or the answer to one.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct Fields {
    /// The model's name, as calls name it, or the provider's.
    model: Option<String>,
    /// What would be asked: its tokens are reckoned from its length.
    #[schema(value_type = Option<Vec<Object>>)]
    messages: Option<Vec<Value>>,
    /// An answer with its `usage`, and its `model` where none is told.
    #[schema(value_type = Option<Object>)]
    completion_response: Option<Value>,
}

/// What a call would cost: its answer's usage, else its messages alone.
#[utoipa::path(
    post,
    path = "/spend/calculate",
    request_body = Fields,
    responses((status = 200, description = "`{cost}` in US dollars"))
)]
pub(super) async fn calculate(
    room: Room,
    _who: Who,
    Asked { fields, .. }: Asked<Fields>,
) -> Result<Json<Value>, Refusal> {
    let answer = fields.completion_response.as_ref();
    let answered = answer.and_then(|answer| answer.get("model")).and_then(Value::as_str);
    let model = fields.model.as_deref().or(answered).ok_or_else(|| {
        let message = "Bad Request - Either 'model' or 'completion_response' must be provided";
        Refusal::bad_request(message).param("model")
    })?;
    let usage = match (answer.and_then(|answer| answer.get("usage")), &fields.messages) {
        (Some(told), _) => reported(told),
        (None, Some(messages)) => Usage::tokens(tokens(messages), 0),
        (None, None) => {
            let message =
                "Bad Request - Either 'messages' or 'completion_response' must be provided";
            return Err(Refusal::bad_request(message).param("messages"));
        }
    };
    let price = room.models()?.price(model).ok_or_else(|| {
        let message = format!("No price is known for the model `{model}`.");
        Refusal::bad_request(message).param("model")
    })?;
    Ok(Json(json!({"cost": price.cost(&usage).dollars()})))
}

/// The usage of an answer, in OpenAI's words or Anthropic's.
fn reported(told: &Value) -> Usage {
    let count = |paths: &[&str]| paths.iter().find_map(|path| told.pointer(path)?.as_i64());
    let input = count(&["/prompt_tokens", "/input_tokens"]).unwrap_or_default();
    let output = count(&["/completion_tokens", "/output_tokens"]).unwrap_or_default();
    let parts = [
        (Unit::CacheRead, count(&["/prompt_tokens_details/cached_tokens"])),
        (Unit::AudioInput, count(&["/prompt_tokens_details/audio_tokens"])),
        (Unit::Reasoning, count(&["/completion_tokens_details/reasoning_tokens"])),
        (Unit::AudioOutput, count(&["/completion_tokens_details/audio_tokens"])),
    ];
    let with = |usage: Usage, (unit, count): (Unit, Option<i64>)| {
        count.map_or(usage, |count| usage.with(unit, count))
    };
    parts.into_iter().fold(Usage::tokens(input, output), with)
}

/// The tokens that messages are likely to have.
fn tokens(messages: &[Value]) -> i64 {
    let texts: usize = messages.iter().map(length).sum();
    // A token of English has some four bytes.
    i64::try_from(texts.div_ceil(4)).unwrap_or(i64::MAX).max(1)
}

/// Bytes of all texts in a message.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(length).sum(),
        Value::Object(map) => map.values().map(length).sum(),
        _ => 0,
    }
}
