//! Messages.
use super::prompt::Said;
use super::{id, named};
use serde_json::{Value, json};

pub(super) fn message(said: &Said) -> Value {
    json!({
        "id": id("msg_"), "type": "message", "role": "assistant", "model": said.model,
        "content": [{"type": "text", "text": said.text}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": usage(said, said.output_tokens),
    })
}

pub(super) fn message_stream(said: &Said) -> Vec<String> {
    let begun = json!({
        "id": id("msg_"), "type": "message", "role": "assistant", "model": said.model, "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage(said, 0),
    });
    let mut events = vec![
        json!({"type": "message_start", "message": begun}),
        json!({"type": "content_block_start", "index": 0,
               "content_block": {"type": "text", "text": ""}}),
    ];
    events.extend(said.words().map(|word| {
        json!({"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": word}})
    }));
    events.extend([
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta",
               "delta": {"stop_reason": "end_turn", "stop_sequence": null},
               "usage": {"output_tokens": said.output_tokens}}),
        json!({"type": "message_stop"}),
    ]);
    events.iter().map(named).collect()
}

pub(super) fn count(said: &Said) -> Value {
    json!({"input_tokens": said.input_tokens})
}

fn usage(said: &Said, output: usize) -> Value {
    json!({"input_tokens": said.input_tokens, "output_tokens": output})
}
