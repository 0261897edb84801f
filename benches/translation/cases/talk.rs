//! A conversation of texts alone.
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

/// How many turns there are, the user's first.
const TURNS: usize = 7;

/// How long each is, and the instructions, in bytes.
const TURN: usize = 330;

/// A text of this many bytes.
pub(super) fn text(len: usize) -> String {
    let said = "Off Lisvik the tide sets west by north until noon, and turns then: \"wait\", says the pilot.\n";
    said.chars().cycle().take(len).collect()
}

/// What a client asks, of about 3 KiB.
pub(super) fn request(client: Protocol) -> Value {
    let said = text(TURN);
    let turns = |assistant: &str, turn: fn(&str, &str) -> Value| -> Value {
        (0..TURNS).map(|at| turn(if at % 2 == 0 { "user" } else { assistant }, &said)).collect()
    };
    let plain = |role: &str, text: &str| json!({"role": role, "content": text});
    match client {
        Protocol::Messages => json!({
            "model": "harbour-pilot",
            "max_tokens": 800,
            "system": said,
            "messages": turns("assistant", plain),
            "temperature": 0.3,
        }),
        Protocol::Gemini => json!({
            "systemInstruction": {"parts": [{"text": said}]},
            "contents": turns("model", |role, text| json!({"role": role, "parts": [{"text": text}]})),
            "generationConfig": {"temperature": 0.3, "maxOutputTokens": 800},
        }),
        Protocol::Responses => json!({
            "model": "harbour-pilot",
            "instructions": said,
            "input": turns("assistant", plain),
            "temperature": 0.3,
            "max_output_tokens": 800,
        }),
        _ => {
            let mut messages = turns("assistant", plain);
            let turns = messages.as_array_mut().expect("a list");
            turns.insert(0, plain("system", &said));
            json!({"model": "harbour-pilot", "messages": messages, "temperature": 0.3, "max_tokens": 800})
        }
    }
}

/// What a provider answers, of about 1 KiB.
pub(super) fn answer(provider: Protocol) -> Value {
    let said = text(700);
    match provider {
        Protocol::Messages => json!({
            "id": "msg_tide42", "type": "message", "role": "assistant", "model": "harbour-pilot-2",
            "content": [{"type": "text", "text": said}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 700, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 180},
        }),
        Protocol::Gemini => json!({
            "candidates": [{"content": {"parts": [{"text": said}], "role": "model"}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 180, "totalTokenCount": 880, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 700}]},
            "modelVersion": "harbour-pilot-2", "responseId": "tide42",
        }),
        Protocol::Cohere => json!({
            "id": "c0ffee00-0000-4000-8000-000000000042", "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": said}]},
            "usage": {"billed_units": {"input_tokens": 690, "output_tokens": 180}, "tokens": {"input_tokens": 700, "output_tokens": 180}},
        }),
        Protocol::Ollama => json!({
            "model": "harbour-pilot-2", "created_at": "2025-10-09T08:54:02.000000Z",
            "message": {"role": "assistant", "content": said},
            "done": true, "done_reason": "stop", "total_duration": 910_000_000, "load_duration": 10_000_000,
            "prompt_eval_count": 700, "prompt_eval_duration": 300_000_000, "eval_count": 180, "eval_duration": 600_000_000,
        }),
        Protocol::Responses => json!({
            "id": "resp_tide42", "object": "response", "created_at": 1_760_000_042, "status": "completed",
            "error": null, "incomplete_details": null, "model": "harbour-pilot-2",
            "output": [{"id": "msg_two", "type": "message", "status": "completed", "role": "assistant", "content": [{"type": "output_text", "text": said, "annotations": [], "logprobs": []}]}],
            "parallel_tool_calls": true, "tool_choice": "auto", "tools": [],
            "usage": {"input_tokens": 700, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 180, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 880},
        }),
        _ => json!({
            "id": "chatcmpl-tide42", "object": "chat.completion", "created": 1_760_000_042, "model": "harbour-pilot-2",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": said, "refusal": null, "annotations": []}, "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 700, "completion_tokens": 180, "total_tokens": 880, "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0}},
            "service_tier": "default", "system_fingerprint": "fp_tide",
        }),
    }
}
