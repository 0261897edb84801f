use super::{Reader, Writer, read_answer, read_request, write_answer, write_request};
use crate::providers::chat::{
    Client, Content, Event, Lost, Memo, Read, Request, Role, Target, Write,
};
use bartizan_layers::facts::Unit;
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn asked(messages: &Value) -> Request {
    read_request(map(json!({"model": "m", "messages": messages}))).unwrap()
}

fn written(request: Request, provider: &str, model: &str) -> (Value, Lost) {
    let target = Target {
        provider,
        row: None,
        model,
        like: model,
        max_output: None,
        thinks: None,
        modify: false,
    };
    let mut lost = Lost::default();
    let written = write_request(request, &target, &mut lost).unwrap();
    (written.body.into(), lost)
}

fn called(id: &str) -> Value {
    json!([
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": id, "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "warm"}]},
        {"role": "user", "content": "and now?"},
    ])
}

#[test]
fn results_of_tools_are_one_turn_and_separate_messages_again() {
    let request = asked(&called("call_1"));
    assert_eq!(request.turns.len(), 4);
    assert_eq!(request.turns[2].role, Role::User);
    assert_eq!(request.turns[2].blocks.len(), 2);
    let (body, lost) = written(request, "openai", "gpt-4.1");
    let roles: Vec<_> = body["messages"].as_array().unwrap().iter().map(|it| &it["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    assert_eq!(body["messages"][1]["tool_calls"][1]["function"]["arguments"], "{}");
    assert_eq!(lost.hints, ["messages.reasoning_content"]);
}

#[test]
fn providers_that_want_thoughts_back_get_them() {
    let (body, lost) = written(asked(&called("call_1")), "deepseek", "deepseek-chat");
    assert_eq!(body["messages"][1]["reasoning_content"], "Hm.");
    assert_eq!(lost, Lost::default());
}

#[test]
fn ids_of_calls_are_what_mistral_takes_and_the_same_in_call_and_result() {
    let (body, _) = written(asked(&called("call_with_a_long_id")), "mistral", "mistral-large");
    let id = body["messages"][1]["tool_calls"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(body["messages"][2]["tool_call_id"], id);
}

#[test]
fn the_proof_of_another_dialect_is_not_sent_along_in_an_id() {
    let (body, _) = written(asked(&called("call_1__thought__c2ln")), "openai", "gpt-4.1");
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], "call_1");
    assert_eq!(body["messages"][2]["tool_call_id"], "call_1");
}

#[test]
fn a_reasoning_model_is_asked_as_it_takes_it() {
    let body = json!({"messages": [], "max_tokens": 5, "temperature": 0.2, "stop": "x"});
    let (body, lost) = written(read_request(map(body)).unwrap(), "openai", "gpt-5-mini");
    assert_eq!(body["max_completion_tokens"], 5);
    assert_eq!(body.get("temperature"), None);
    assert_eq!(lost.parts, ["temperature", "stop"]);
}

#[test]
fn a_message_that_is_none_is_named_by_its_place() {
    for (messages, place) in [
        (json!([1]), "messages[0]"),
        (json!([{"role": "boss", "content": ""}]), "messages[0].role"),
        (json!([{"role": "user", "content": 1}]), "messages[0].content"),
        (json!("hi"), "messages"),
    ] {
        let refused = read_request(map(json!({"messages": messages}))).unwrap_err();
        assert_eq!(refused.param, place);
    }
}

#[test]
fn tokens_that_xai_counts_beside_the_answer_are_in_the_output() {
    let body = json!({"choices": [], "usage": {
        "prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 20,
        "completion_tokens_details": {"reasoning_tokens": 6},
    }});
    let usage = read_answer(map(body), &Memo::default()).unwrap().usage.unwrap();
    assert_eq!((usage[Unit::Output], usage[Unit::Reasoning]), (10, 6));
}

#[test]
fn thoughts_can_be_told_as_text() {
    let message = json!({"role": "assistant", "content": "Hi", "reasoning": "Hm."});
    let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let answer = read_answer(map(body), &Memo::default()).unwrap();
    assert!(matches!(answer.choices[0].blocks[0].content, Content::Thought(_)));
    let client = Client { merge_thoughts: true, ..Client::default() };
    let told = write_answer(answer.clone(), &client);
    assert_eq!(told["choices"][0]["message"]["content"], "<think>Hm.</think>\n\nHi");
    let (mut writer, mut out) = (Writer::new(client), Vec::new());
    answer.events().into_iter().for_each(|event| writer.write(event, &mut out));
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("<think>Hm.") && out.contains("</think>\\n\\nHi"), "{out}");
}

#[test]
fn calls_that_are_told_without_an_index_are_told_apart() {
    let call = |name: &str| {
        let function = json!({"name": name, "arguments": "{}"});
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"id": format!("call_{name}"), "type": "function", "function": function},
        ]}}]})
    };
    let (mut reader, mut out) = (Reader::new(&Memo::default()), Vec::new());
    for chunk in [call("a"), call("b")] {
        reader.event(b"", chunk.to_string().as_bytes(), &mut out);
    }
    let begun = out.iter().filter_map(|event| match event {
        Event::ToolUse { tool, name, .. } => Some((*tool, name.as_str())),
        _ => None,
    });
    assert_eq!(begun.collect::<Vec<_>>(), [(0, "a"), (1, "b")]);
}
