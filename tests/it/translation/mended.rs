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
