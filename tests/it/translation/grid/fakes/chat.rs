//! OpenAI chat completions and completions of text, and what others made of them.
use super::super::asked::TOOL;
use super::{FAILED, Speech, arguments, error, events, pieces, proof};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

/// Members that tell a thought, or a piece of one, with its proof where that is known.
fn thought(provider: &str, text: &str, proof: Option<&str>) -> Value {
    match provider {
        // OpenAI tells none.
        "openai" => json!({}),
        "mistral" => {
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]})
        }
        "openrouter" => {
            let kind = "reasoning.text";
            let detail = json!({"type": kind, "text": text, "signature": proof, "index": 0});
            json!({"reasoning": text, "reasoning_details": [detail]})
        }
        "groq" => json!({"reasoning": text}),
        "litellm_proxy" => {
            let block = json!({"type": "thinking", "thinking": text, "signature": proof});
            json!({"reasoning_content": text, "thinking_blocks": [block]})
        }
        _ => json!({"reasoning_content": text}),
    }
}

fn call(index: Option<usize>, id: &str, arguments: &str) -> Value {
    let function = json!({"name": TOOL, "arguments": arguments});
    let mut call = json!({"id": id, "type": "function", "function": function});
    if let Some(index) = index {
        call["index"] = index.into();
    }
    call
}

fn usage(speech: Speech) -> Value {
    let reasoning = if speech.thought.is_empty() { 0 } else { 4 };
    json!({
        "prompt_tokens": 20,
        "completion_tokens": 9,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    })
}

fn finish(speech: Speech) -> &'static str {
    if speech.calls.is_empty() { "stop" } else { "tool_calls" }
}

pub(super) fn whole(speech: Speech, provider: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": speech.text});
    if !speech.thought.is_empty() {
        let mut told = thought(provider, speech.thought, proof(Protocol::Chat, provider));
        if let Some(parts) = told["content"].as_array_mut() {
            parts.push(json!({"type": "text", "text": speech.text}));
        }
        let told = told.as_object().expect("members").clone();
        message
            .as_object_mut()
            .expect("members")
            .extend(told.into_iter().filter(|it| !it.1.is_null()));
    }
    if speech.text.is_empty() {
        message["content"] = Value::Null;
    }
    if !speech.calls.is_empty() {
        let calls = speech.calls.iter();
        let calls = calls.map(|(id, harbour)| call(None, id, &arguments(harbour).to_string()));
        message["tool_calls"] = calls.collect();
    }
    let choice = json!({"index": 0, "message": message, "finish_reason": finish(speech)});
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "up",
        "choices": [choice],
        "usage": usage(speech),
    })
}

fn chunk(kind: &str, choices: &Value) -> Value {
    json!({"id": "chatcmpl-1", "object": kind, "created": 1_760_000_000, "model": "up", "choices": choices})
}

fn delta(delta: &Value, finish: Option<&str>) -> Value {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    chunk("chat.completion.chunk", &json!([choice]))
}

pub(super) fn stream(speech: Speech, provider: &str, fails: bool) -> String {
    let mut all = vec![delta(&json!({"role": "assistant", "content": ""}), None)];
    for piece in pieces(speech.thought) {
        all.push(delta(&thought(provider, piece, None), None));
    }
    if let Some(proof) = proof(Protocol::Chat, provider).filter(|_| !speech.thought.is_empty()) {
        all.push(delta(&thought(provider, "", Some(proof)), None));
    }
    for piece in pieces(speech.text) {
        all.push(delta(&json!({"content": piece}), None));
    }
    if fails {
        all.push(error(Protocol::Chat));
        return events(&all);
    }
    for (index, (id, harbour)) in speech.calls.iter().enumerate() {
        all.push(delta(&json!({"tool_calls": [call(Some(index), id, "")]}), None));
        for piece in pieces(&arguments(harbour).to_string()) {
            let function = json!({"arguments": piece});
            let piece = json!({"index": index, "function": function});
            all.push(delta(&json!({"tool_calls": [piece]}), None));
        }
    }
    all.push(delta(&json!({}), Some(finish(speech))));
    all.push(counted("chat.completion.chunk", speech));
    events(&all) + "data: [DONE]\n\n"
}

fn counted(kind: &str, speech: Speech) -> Value {
    let mut chunk = chunk(kind, &json!([]));
    chunk["usage"] = usage(speech);
    chunk
}

pub(super) fn text(speech: Speech) -> Value {
    let choice =
        json!({"text": speech.text, "index": 0, "logprobs": null, "finish_reason": "stop"});
    let mut told = counted("text_completion", speech);
    told["choices"] = json!([choice]);
    told
}

pub(super) fn text_stream(speech: Speech, fails: bool) -> String {
    let piece = |text: &str, finish: Option<&str>| {
        let choice = json!({"text": text, "index": 0, "logprobs": null, "finish_reason": finish});
        chunk("text_completion", &json!([choice]))
    };
    let mut all: Vec<Value> = pieces(speech.text).into_iter().map(|it| piece(it, None)).collect();
    if fails {
        all.push(json!({"error": {"message": FAILED, "type": "server_error"}}));
        return events(&all);
    }
    all.extend([piece("", Some("stop")), counted("text_completion", speech)]);
    events(&all) + "data: [DONE]\n\n"
}
