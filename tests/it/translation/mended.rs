//! What translations once got wrong.
use super::setup::{heard, heard_stream, reply, streamed};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

fn whole(client: Protocol, provider: Protocol, answer: &Value) -> Value {
    let told = reply(client, provider, false).whole(answer.to_string().as_bytes());
    serde_json::from_slice(&told.expect("an answer").body).expect("JSON")
}

fn chat(message: &Value, usage: &Value) -> Value {
    json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
}

#[test]
fn a_signature_stands_behind_a_calls_id_once() {
    let part = json!({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2lnbg=="});
    let answer = json!({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]});
    for (client, id) in
        [(Protocol::Messages, "/content/0/id"), (Protocol::Responses, "/output/0/call_id")]
    {
        let told = whole(client, Protocol::Gemini, &answer);
        let id = told.pointer(id).and_then(Value::as_str).expect("an id");
        let (_, signature) = id.split_once("__thought__").expect("a signature");
        assert_eq!(signature, "c2lnbg==");
    }
}

#[test]
fn a_refusal_ends_a_message_whole_and_as_a_stream() {
    let answer = chat(&json!({"content": null, "refusal": "No."}), &Value::Null);
    let reply = reply(Protocol::Messages, Protocol::Chat, false);
    let body = answer.to_string();
    let whole = reply.whole(body.as_bytes()).expect("an answer").body;
    let stream = reply.as_stream(body.as_bytes()).expect("an answer").body;
    let stream = String::from_utf8(stream.to_vec()).expect("UTF-8");
    let whole = heard(Protocol::Messages, &whole);
    assert_eq!(whole.unlike(&heard_stream(Protocol::Messages, false, &stream)), "");
}

#[test]
fn what_mistral_says_of_its_cache_and_of_errors_is_heard() {
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 2, "num_cached_tokens": 4});
    let told = whole(Protocol::Messages, Protocol::Chat, &chat(&json!({"content": "a"}), &usage));
    assert_eq!(told["usage"]["cache_read_input_tokens"], 4);
    let error = reply(Protocol::Messages, Protocol::Chat, false).error(br#"{"detail":"No key"}"#);
    assert_eq!(error.expect("an error").message, "No key");
}

#[test]
fn a_sound_is_its_words_or_itself() {
    let spoken = json!({"content": null, "audio": {"data": "AAAA", "transcript": "Ahoy"}});
    let told = whole(Protocol::Messages, Protocol::Chat, &chat(&spoken, &Value::Null));
    assert_eq!(told["content"][0]["text"], "Ahoy");
    let part = json!({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}});
    let answer = json!({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]});
    let told = whole(Protocol::Chat, Protocol::Gemini, &answer);
    assert_eq!(told["choices"][0]["message"]["audio"]["data"], "AAAA");
}

#[test]
fn text_that_calls_tools_is_done() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let delta = json!({"content": "a", "tool_calls": [call]});
    let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]});
    let stream = format!("data: {chunk}\n\ndata: [DONE]\n\n");
    let reply = reply(Protocol::Completions, Protocol::Chat, false);
    let told = streamed(&reply, std::iter::once(stream.as_bytes()));
    assert!(told.contains(r#""finish_reason":"stop""#) && !told.contains("tool_calls"), "{told}");
}

/// The pieces of a call's arguments, as a client of chat completions puts them together.
fn arguments(stream: &str) -> String {
    let chunks = super::frames::events(stream);
    let pieces = chunks.iter().filter_map(|event| {
        let path = "/choices/0/delta/tool_calls/0/function/arguments";
        event.json().pointer(path)?.as_str().map(str::to_owned)
    });
    pieces.collect()
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f"}});
    let begun = |call: &Value| json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": call}}});
    for (finish, whole) in [("TOOL_CALL", "{}"), ("MAX_TOKENS", "")] {
        let end = json!({"type": "message-end", "delta": {"finish_reason": finish}});
        let stream = format!("data: {}\n\ndata: {end}\n\n", begun(&call));
        let reply = reply(Protocol::Chat, Protocol::Cohere, false);
        let told = streamed(&reply, std::iter::once(stream.as_bytes()));
        assert_eq!(arguments(&told), whole, "{told}");
    }
}

#[test]
fn sources_that_come_without_text_are_told() {
    let cited = json!({"type": "url_citation", "url_citation": {"url": "https://a.example/"}});
    let chunk = |delta: &Value, finish: &Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"choices": [choice]}))
    };
    let stream = chunk(&json!({"content": "Calm."}), &Value::Null)
        + &chunk(&json!({"annotations": [cited]}), &"stop".into())
        + "data: [DONE]\n\n";
    for client in [Protocol::Messages, Protocol::Responses, Protocol::Gemini] {
        let told = streamed(&reply(client, Protocol::Chat, false), [stream.as_bytes()].into_iter());
        assert!(told.contains("https://a.example/"), "{client:?}: {told}");
    }
}

#[test]
fn a_call_that_is_cut_is_not_made_without_its_arguments() {
    let function = json!({"name": "f", "arguments": "{\"harbour\":\"Lis"});
    let call = json!({"index": 0, "id": "c", "type": "function", "function": function});
    for (finish, reason) in [("length", "MAX_TOKENS"), ("tool_calls", "MALFORMED_FUNCTION_CALL")] {
        let message = json!({"content": "I look.", "tool_calls": [call]});
        let choice = json!({"index": 0, "message": message, "finish_reason": finish});
        let told = whole(Protocol::Gemini, Protocol::Chat, &json!({"choices": [choice]}));
        let choice = json!({"index": 0, "delta": message, "finish_reason": finish});
        let chunk = json!({"choices": [choice]});
        let stream = format!("data: {chunk}\n\ndata: [DONE]\n\n");
        let reply = reply(Protocol::Gemini, Protocol::Chat, false);
        let stream = streamed(&reply, std::iter::once(stream.as_bytes()));
        for told in [told.to_string(), stream] {
            assert!(told.contains(reason) && told.contains("I look."), "{told}");
            assert!(!told.contains("functionCall"), "{told}");
        }
    }
}

#[test]
fn json_that_is_told_as_itself_is_heard_as_text() {
    let message = json!({"role": "assistant", "content": {"name": "Emily", "age": 32}});
    let told = whole(Protocol::Messages, Protocol::Chat, &chat(&message, &Value::Null));
    assert_eq!(told["content"][0]["text"], r#"{"name":"Emily","age":32}"#);
}

#[test]
fn more_thoughts_than_output_are_counted_beside_it() {
    let details = json!({"reasoning_tokens": 61});
    let usage = json!({"prompt_tokens": 28, "completion_tokens": 9, "total_tokens": 37,
        "completion_tokens_details": details});
    let told = whole(Protocol::Messages, Protocol::Chat, &chat(&json!({"content": "a"}), &usage));
    assert_eq!(told["usage"]["output_tokens"], 70);
}
