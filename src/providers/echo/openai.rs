//! Chat completions, completions, embeddings and responses.
use super::prompt::{Said, instance};
use super::{data, id, named, now};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

/// A chat completion: the prompt, or a call of the tool that the request insists on.
pub(super) fn chat(request: &Value, said: &Said) -> Value {
    let tool = forced_tool(request, said);
    let finish = if tool.is_some() { "tool_calls" } else { "stop" };
    let message = match tool {
        Some(call) => json!({"role": "assistant", "content": null, "tool_calls": [call]}),
        None => json!({"role": "assistant", "content": said.text, "refusal": null}),
    };
    json!({
        "id": id("chatcmpl-"), "object": "chat.completion", "created": now(), "model": said.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
        "usage": usage(said),
    })
}

pub(super) fn chat_stream(request: &Value, said: &Said) -> Vec<String> {
    let (id, created) = (id("chatcmpl-"), now());
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": id, "object": "chat.completion.chunk", "created": created, "model": said.model,
            "choices": choices,
        });
        if !usage.is_null() {
            chunk["usage"] = usage;
        }
        data(&chunk)
    };
    let delta = |delta: Value, finish: Option<&str>| {
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": finish}]), Value::Null)
    };
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}), None)];
    let finish = match forced_tool(request, said) {
        Some(mut call) => {
            call["index"] = 0.into();
            events.push(delta(json!({"tool_calls": [call]}), None));
            "tool_calls"
        }
        None => {
            events.extend(said.words().map(|word| delta(json!({"content": word}), None)));
            "stop"
        }
    };
    events.push(delta(json!({}), Some(finish)));
    if wants_usage(request) {
        events.push(chunk(json!([]), usage(said)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

pub(super) fn completion(said: &Said) -> Value {
    json!({
        "id": id("cmpl-"), "object": "text_completion", "created": now(), "model": said.model,
        "choices": [{"index": 0, "text": said.text, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(said),
    })
}

pub(super) fn completion_stream(request: &Value, said: &Said) -> Vec<String> {
    let (id, created) = (id("cmpl-"), now());
    let chunk = |choices: Value| {
        json!({
            "id": id, "object": "text_completion", "created": created, "model": said.model,
            "choices": choices,
        })
    };
    let piece = |text: &str, finish: Option<&str>| {
        data(&chunk(json!([{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}])))
    };
    let mut events: Vec<_> = said.words().map(|word| piece(word, None)).collect();
    events.push(piece("", Some("stop")));
    if wants_usage(request) {
        let mut last = chunk(json!([]));
        last["usage"] = usage(said);
        events.push(data(&last));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// A vector of eight numbers for each input; the same input always has the same vector.
pub(super) fn embeddings(request: &Value) -> Value {
    let input = request.get("input").unwrap_or(&Value::Null);
    let several = input.as_array().filter(|list| !list.iter().all(Value::is_number));
    let inputs = several.map_or_else(|| vec![input], |list| list.iter().collect());
    let base64 = request.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let item = |(index, input): (usize, &&Value)| {
        let vector = vector(&input.to_string());
        let embedding = if base64 { encoded(&vector).into() } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let items: Vec<_> = inputs.iter().enumerate().map(item).collect();
    let tokens: usize = inputs.iter().map(|input| input.to_string().len().div_ceil(4)).sum();
    json!({
        "object": "list", "data": items, "model": "echo",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

/// A unit vector that is seeded by the text (FNV-1a).
fn vector(text: &str) -> Vec<f32> {
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = fastrand::Rng::with_seed(seed);
    let vector: Vec<f32> = (0..8).map(|_| random.f32() - 0.5).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.into_iter().map(|x| x / length).collect()
}

/// Little-endian floats in base64, as the SDKs ask for them.
pub(super) fn encoded(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    BASE64.encode(bytes)
}

pub(super) fn response(said: &Said) -> Value {
    let item = message(&id("msg_"), "completed", &json!([output_text(&said.text)]));
    response_object(said, &id("resp_"), "completed", &json!([item]), &response_usage(said))
}

pub(super) fn response_stream(said: &Said) -> Vec<String> {
    let (response_id, item_id) = (id("resp_"), id("msg_"));
    let begun = response_object(said, &response_id, "in_progress", &json!([]), &Value::Null);
    let whole = message(&item_id, "completed", &json!([output_text(&said.text)]));
    let done =
        response_object(said, &response_id, "completed", &json!([whole]), &response_usage(said));
    let at = json!({"item_id": item_id, "output_index": 0, "content_index": 0});
    let part = |kind: &str, more: Value| merged(&json!({"type": kind}), &merged(&at, &more));
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
        json!({"type": "response.output_item.added", "output_index": 0,
               "item": message(&item_id, "in_progress", &json!([]))}),
        part("response.content_part.added", json!({"part": output_text("")})),
    ];
    let delta =
        |word: &str| part("response.output_text.delta", json!({"delta": word, "logprobs": []}));
    events.extend(said.words().map(delta));
    events.extend([
        part("response.output_text.done", json!({"text": said.text, "logprobs": []})),
        part("response.content_part.done", json!({"part": output_text(&said.text)})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": whole}),
        json!({"type": "response.completed", "response": done}),
    ]);
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    events.iter().map(named).collect()
}

fn response_object(said: &Said, id: &str, status: &str, output: &Value, usage: &Value) -> Value {
    json!({
        "id": id, "object": "response", "created_at": now(), "status": status, "model": said.model,
        "output": output, "usage": usage, "error": null, "incomplete_details": null,
        "instructions": null, "metadata": {}, "parallel_tool_calls": true, "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0,
    })
}

fn message(id: &str, status: &str, content: &Value) -> Value {
    json!({"id": id, "type": "message", "role": "assistant", "status": status, "content": content})
}

fn output_text(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn response_usage(said: &Said) -> Value {
    json!({
        "input_tokens": said.input_tokens, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.output_tokens, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.input_tokens + said.output_tokens,
    })
}

fn usage(said: &Said) -> Value {
    json!({
        "prompt_tokens": said.input_tokens, "completion_tokens": said.output_tokens,
        "total_tokens": said.input_tokens + said.output_tokens,
    })
}

fn wants_usage(request: &Value) -> bool {
    request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true))
}

/// A call of the tool that the request names, or of its first one where some call is required.
fn forced_tool(request: &Value, said: &Said) -> Option<Value> {
    let choice = request.get("tool_choice")?;
    let name = choice.pointer("/function/name");
    if name.is_none() && choice != "required" {
        return None;
    }
    let tools = request.get("tools")?.as_array()?;
    let tool = tools.iter().map(|tool| &tool["function"]);
    let tool = tool.into_iter().find(|tool| name.is_none_or(|name| tool["name"] == *name))?;
    let arguments = instance(&tool["parameters"], &said.text).to_string();
    Some(json!({
        "id": id("call_"), "type": "function",
        "function": {"name": tool["name"], "arguments": arguments},
    }))
}

fn merged(one: &Value, other: &Value) -> Value {
    let members = [one, other].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}
