use super::{Form, Retell};
use crate::facts::{Unit, Usage};
use bytes::Bytes;
use serde_json::{Value, json};

#[test]
fn a_chat_is_put_together_from_its_chunks() {
    let stream = sse(&[
        json!({ "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "system_fingerprint": null, "x_unknown": 7, "choices": [
            { "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }] }),
        json!({ "id": "c1", "system_fingerprint": "fp", "choices": [
            { "index": 1, "delta": { "role": "assistant", "reasoning_content": "Hm" } },
            { "index": 0, "delta": { "content": "Hel" },
              "logprobs": { "content": [{ "token": "Hel", "logprob": -1 }], "refusal": null } }] }),
        json!({ "id": "c1", "choices": [
            { "index": 0, "delta": { "content": "lo" },
              "logprobs": { "content": [{ "token": "lo", "logprob": -2 }], "refusal": null } },
            { "index": 1, "delta": { "reasoning_content": "m", "tool_calls": [
                { "index": 0, "id": "t0", "type": "function", "function": { "name": "f", "arguments": "" } },
                { "index": 1, "id": "t1", "type": "function", "function": { "name": "g", "arguments": "{" } }] } }] }),
        json!({ "id": "c1", "choices": [
            { "index": 1, "delta": { "tool_calls": [
                { "index": 1, "function": { "arguments": "}" } },
                { "index": 0, "function": { "arguments": "{}" } }] } },
            { "index": 0, "delta": {}, "finish_reason": "stop" },
            { "index": 1, "delta": {}, "finish_reason": "tool_calls" }] }),
        json!({ "id": "c1", "choices": [], "usage": { "total_tokens": 9 } }),
    ]);
    let whole = json!({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
        "system_fingerprint": "fp", "x_unknown": 7, "usage": { "total_tokens": 9 },
        "choices": [
            { "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Hello" },
              "logprobs": { "refusal": null, "content": [
                { "token": "Hel", "logprob": -1 }, { "token": "lo", "logprob": -2 }] } },
            { "index": 1, "finish_reason": "tool_calls", "logprobs": null, "message": {
                "role": "assistant", "content": null, "reasoning_content": "Hmm", "tool_calls": [
                { "id": "t0", "type": "function", "function": { "name": "f", "arguments": "{}" } },
                { "id": "t1", "type": "function", "function": { "name": "g", "arguments": "{}" } }] } },
        ],
    });
    let chat = Retell::new(Form::Chat);
    assert_eq!(told(chat.whole(&stream)), whole);
    let again = chat.usage_event(true).stream(whole.to_string().as_bytes()).unwrap();
    assert_eq!(told(chat.whole(&again)), whole);
}

#[test]
fn a_chat_is_told_as_its_role_its_content_its_ending_and_its_usage() {
    let whole = json!({ "id": "c1", "object": "chat.completion", "usage": { "total_tokens": 3 }, "choices": [
        { "index": 0, "message": { "role": "assistant", "content": "Hi", "refusal": null },
          "logprobs": null, "finish_reason": "stop" }] });
    let stream = Retell::new(Form::Chat).usage_event(true).stream(whole.to_string().as_bytes());
    let stream = stream.unwrap();
    let events: Vec<_> = str::from_utf8(&stream).unwrap().split_terminator("\n\n").collect();
    let deltas = events.iter().filter_map(|event| {
        let event: Value = serde_json::from_str(event.strip_prefix("data: ")?).ok()?;
        assert_eq!(
            (&event["id"], &event["object"]),
            (&"c1".into(), &"chat.completion.chunk".into())
        );
        Some((event["choices"][0]["delta"].clone(), event["choices"][0]["finish_reason"].clone()))
    });
    assert_eq!(
        deltas.collect::<Vec<_>>(),
        [
            (json!({ "role": "assistant", "content": "" }), Value::Null),
            (json!({ "content": "Hi" }), Value::Null),
            (json!({}), "stop".into()),
            (Value::Null, Value::Null),
        ]
    );
    assert!(events[3].contains(r#""usage":{"total_tokens":3}"#) && events[4] == "data: [DONE]");
    let without = Retell::new(Form::Chat).stream(whole.to_string().as_bytes()).unwrap();
    assert!(!without.windows(7).any(|window| window == b"\"usage\""));
}

#[test]
fn usage_that_a_stream_does_not_tell_is_added_and_what_nobody_asked_for_left_out() {
    let end = json!({ "id": "c1", "choices": [{ "index": 0, "delta": { "content": "x" }, "finish_reason": "stop" }] });
    let plain = sse(std::slice::from_ref(&end));
    let chat = Retell::new(Form::Chat);
    assert_eq!(chat.again(&plain), plain);
    let usage = Usage::tokens(7, 2).with(Unit::CacheRead, 4);
    let asked = chat.usage_event(true).usage(Some(usage));
    let with = asked.again(&plain);
    let whole = told(chat.whole(&with));
    assert_eq!(whole["usage"]["prompt_tokens"], 7);
    assert_eq!(whole["usage"]["prompt_tokens_details"]["cached_tokens"], 4);
    assert_eq!(asked.again(&with), with);
    assert_eq!(chat.again(&with), plain);
    assert_eq!(told(asked.whole(&plain))["usage"]["total_tokens"], 9);
}

#[test]
fn completions_are_put_together_and_told() {
    let part = |text, finish: Value| {
        json!({ "id": "c", "object": "text_completion", "choices": [
            { "index": 0, "text": text, "finish_reason": finish,
              "logprobs": { "tokens": [text], "text_offset": [1] } }] })
    };
    let stream = sse(&[part("Hel", Value::Null), part("lo", "stop".into())]);
    let whole = told(Retell::new(Form::Completions).whole(&stream));
    assert_eq!(
        whole["choices"],
        json!([{ "index": 0, "text": "Hello", "finish_reason": "stop",
        "logprobs": { "tokens": ["Hel", "lo"], "text_offset": [1, 1] } }])
    );
    both_ways(Form::Completions, &whole);
}

#[test]
fn messages_are_told_and_put_together() {
    both_ways(
        Form::Messages,
        &json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "x_unknown": 1,
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": { "input_tokens": 3, "output_tokens": 9 },
            "content": [
                { "type": "thinking", "thinking": "Hm", "signature": "sig" },
                { "type": "redacted_thinking", "data": "abc" },
                { "type": "text", "text": "Hi", "citations": [{ "type": "char_location", "start": 1 }] },
                { "type": "tool_use", "id": "t", "name": "f", "input": { "a": [1, "x"] } },
                { "type": "tool_use", "id": "u", "name": "g", "input": {} },
            ],
        }),
    );
}

#[test]
fn responses_are_told_and_put_together() {
    let whole = json!({
        "id": "resp_1", "object": "response", "status": "completed", "usage": { "total_tokens": 3 },
        "output": [
            { "type": "reasoning", "id": "rs", "summary": [{ "type": "summary_text", "text": "Hm" }] },
            { "type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [
                { "type": "output_text", "text": "Hi", "annotations": [{ "type": "url_citation" }] },
                { "type": "refusal", "refusal": "No" }] },
            { "type": "function_call", "id": "fc", "name": "f", "arguments": "{}", "status": "completed" },
        ],
    });
    both_ways(Form::Responses, &whole);
    let stream = Retell::new(Form::Responses).stream(whole.to_string().as_bytes()).unwrap();
    let names = str::from_utf8(&stream)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("event: response."));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.done",
            "output_text.annotation.added",
            "content_part.done",
            "content_part.added",
            "refusal.delta",
            "refusal.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
}

#[test]
fn what_is_no_complete_answer_has_no_other_form() {
    let chat = |choices: Value| sse(&[json!({ "id": "c", "choices": choices })]);
    for (form, stream) in [
        (Form::Chat, chat(json!([{ "index": 0, "delta": { "content": "x" } }]))),
        (Form::Chat, chat(json!([]))),
        (Form::Chat, chat(json!([{ "delta": { "audio": {} }, "finish_reason": "stop" }]))),
        (Form::Chat, sse(&[json!({ "error": { "message": "no" } })])),
        (Form::Chat, "data: no json\n\n".into()),
        (Form::Messages, sse(&[json!({ "type": "message_start", "message": {} })])),
        (Form::Messages, sse(&[json!({ "type": "error", "error": {} })])),
        (Form::Responses, sse(&[json!({ "type": "response.incomplete", "response": {} })])),
        (Form::Responses, sse(&[json!({ "type": "response.created", "response": {} })])),
    ] {
        assert_eq!(Retell::new(form).whole(&stream), None, "{form:?} {stream:?}");
    }
    for form in [Form::Chat, Form::Completions, Form::Responses, Form::Messages] {
        for whole in ["", "[]", "{}", r#"{"error":{}}"#, r#"{"choices":[]}"#] {
            assert_eq!(Retell::new(form).stream(whole.as_bytes()), None, "{form:?} {whole}");
        }
    }
}

fn sse(events: &[Value]) -> Bytes {
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    (events.collect::<String>() + "data: [DONE]\n\n").into()
}

fn told(whole: Option<Bytes>) -> Value {
    serde_json::from_slice(&whole.expect("a whole answer")).unwrap()
}

fn both_ways(form: Form, whole: &Value) {
    let retell = Retell::new(form).usage_event(true);
    let stream = retell.stream(whole.to_string().as_bytes()).unwrap();
    assert_eq!(&told(retell.whole(&stream)), whole);
}
