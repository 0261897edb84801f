//! Requests of Anthropic's clients.
use super::{object, read, written};
use crate::providers::anthropic::read_request;
use crate::providers::chat::{Content, Format, Role, ToolChoice};
use serde_json::{Value, json};

fn ask(messages: &Value) -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": messages})
}

#[test]
fn a_request_is_read_whole() {
    let request = read(json!({
        "model": "m", "max_tokens": 100, "stream": true, "temperature": 0.5, "top_k": 4,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "stop_sequences": ["x"], "metadata": {"user_id": "u"},
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "tools": [
            {"name": "f", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "low", "task_budget": 5,
            "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "speed": "fast",
        "messages": [{"role": "user", "content": "hi"}],
    }));
    assert_eq!(request.turns[0].role, Role::System);
    assert_eq!(request.turns[0].blocks[0].cache, Some(json!({"type": "ephemeral"})));
    assert_eq!(request.tool_choice, Some(ToolChoice::Tool("f".into())));
    assert_eq!((request.parallel_tools, request.tools.len()), (Some(false), 2));
    let thinking = request.thinking.unwrap();
    assert_eq!((thinking.budget, thinking.effort.as_deref()), (Some(2000), Some("low")));
    assert!(matches!(request.format, Some(Format::Schema { .. })));
    let rest = json!({"speed": "fast", "output_config": {"task_budget": 5}});
    assert_eq!(Value::Object(request.rest), rest);
}

#[test]
fn a_wrong_member_is_named() {
    let cases = [
        (json!([]), "messages"),
        (json!([{"role": "user"}]), "messages[0].content"),
        (json!([{"role": "bot", "content": ""}]), "messages[0].role"),
        (json!([{"role": "user", "content": [{"type": "text"}]}]), "messages[0].content[0].text"),
        (
            json!([{"role": "user", "content": [{"type": "image", "source": {"type": "url"}}]}]),
            "messages[0].content[0].source.url",
        ),
        (
            json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a",
                "content": [{"type": "text", "text": 1}]}]}]),
            "messages[0].content[0].content[0].text",
        ),
    ];
    for (messages, param) in cases {
        assert_eq!(read_request(object(ask(&messages))).unwrap_err().param, param);
    }
}

#[test]
fn an_answer_needs_a_length() {
    let body = object(json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!(read_request(body).unwrap_err().param, "max_tokens");
}

#[test]
fn what_other_providers_want_to_see_again_is_found() {
    let request = read(ask(&json!([
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "t", "signature": ""},
            {"type": "redacted_thinking", "data": "rs_1:abc"},
            {"type": "tool_use", "id": "c1__thought__sig", "name": "f", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c1__thought__sig", "content": "1"},
        ]},
    ])));
    let blocks = &request.turns[0].blocks;
    let Content::Thought(thought) = &blocks[1].content else { panic!("no thought") };
    assert_eq!((thought.id.as_deref(), thought.hidden.as_deref()), (Some("rs_1"), Some("abc")));
    let Content::ToolUse(call) = &blocks[2].content else { panic!("no call") };
    assert_eq!((call.id.as_str(), call.signature.as_deref()), ("c1", Some("sig")));
    let Content::ToolResult(result) = &request.turns[1].blocks[0].content else { panic!("none") };
    assert_eq!(result.id, "c1");
}

#[test]
fn a_request_that_is_read_and_written_is_the_same() {
    let body = json!({
        "model": "claude-sonnet-4-5",
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "source": {"type": "url", "url": "https://x"}, "title": "t"},
                {"type": "text", "text": "q", "cache_control": {"type": "ephemeral"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "srv", "content": []},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": [1.5]}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [
                    {"type": "text", "text": "1"}, {"type": "text", "text": "2"}]},
            ]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}},
            "cache_control": {"type": "ephemeral"}}],
        "max_tokens": 9000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "stream": true,
    });
    let (written, lost) = written(read(body.clone()), "claude-sonnet-4-5");
    assert_eq!(Value::Object(written.body), body);
    assert_eq!(lost.names().count(), 0);
}
