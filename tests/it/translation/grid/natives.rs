//! What clients of Cohere and Ollama ask, and how they go on.
use super::asked::{ABOUT, PNG, RESULTS, SYSTEM, TOOL, USER, arguments, schema};
use super::rows::Column;
use crate::translation::said::list;
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

fn asked(model: &str, stream: bool, user: &Value, column: Column) -> Value {
    let system = json!({"role": "system", "content": SYSTEM});
    let mut body = json!({"model": model, "messages": [system, user], "stream": stream});
    if column.goes_on() {
        let function = json!({"name": TOOL, "description": ABOUT, "parameters": arguments()});
        body["tools"] = json!([{"type": "function", "function": function}]);
    }
    body
}

/// A request for `/v2/chat`.
pub(super) fn cohere(column: Column, model: &str, stream: bool) -> Option<Value> {
    let words = json!({"type": "text", "text": USER});
    let content = match column {
        Column::Image => {
            let url = format!("data:image/png;base64,{PNG}");
            json!([words, {"type": "image_url", "image_url": {"url": url}}])
        }
        Column::Document => return None,
        _ => USER.into(),
    };
    let mut body = asked(model, stream, &json!({"role": "user", "content": content}), column);
    match column {
        Column::Tools => body["tool_choice"] = "REQUIRED".into(),
        Column::Reasoning => body["thinking"] = json!({"type": "enabled", "token_budget": 2048}),
        Column::Structured => {
            body["response_format"] = json!({"type": "json_object", "json_schema": schema()});
        }
        _ => {}
    }
    Some(body)
}

/// A request for `/api/chat`.
pub(super) fn ollama(column: Column, model: &str, stream: bool) -> Option<Value> {
    let mut user = json!({"role": "user", "content": USER});
    match column {
        Column::Image => user["images"] = json!([PNG]),
        Column::Document | Column::Tools => return None,
        _ => {}
    }
    let mut body = asked(model, stream, &user, column);
    match column {
        Column::Reasoning => body["think"] = "medium".into(),
        Column::Structured => body["format"] = schema(),
        _ => {}
    }
    Some(body)
}

/// What the model said, and what the tools gave back: to Ollama by their names alone.
pub(super) fn next(client: Protocol, message: &Value) -> Vec<Value> {
    let result = |(call, told): (&Value, &str)| match client {
        Protocol::Cohere => json!({"role": "tool", "tool_call_id": call["id"], "content": told}),
        _ => json!({"role": "tool", "tool_name": call["function"]["name"], "content": told}),
    };
    let results = list(message, "tool_calls").zip(RESULTS).map(result);
    std::iter::once(message.clone()).chain(results).collect()
}
