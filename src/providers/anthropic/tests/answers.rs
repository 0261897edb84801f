//! Whole answers.
use super::{client, object};
use crate::providers::anthropic::{read_answer, read_error, write_answer};
use crate::providers::chat::{Answer, Block, Choice, Citation, Content, Finish, Memo, Thought};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::json;

#[test]
fn an_answer_is_read_with_all_of_its_blocks() {
    let answer = read_answer(
        object(json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "toolu_1", "name": "get_w", "input": {"c": 1}},
            ],
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 3,
                "cache_creation_input_tokens": 2, "output_tokens": 9, "service_tier": "standard"},
        })),
        &Memo::default(),
    )
    .unwrap();
    let want = Usage::tokens(15, 9).with(Unit::CacheRead, 3).with(Unit::CacheWrite, 2);
    assert_eq!(answer.usage, Some(want));
    assert_eq!(answer.choices[0].finish, Some(Finish::Tools));
    let Content::ToolUse(call) = &answer.choices[0].blocks[2].content else { panic!("no call") };
    assert_eq!(call.input, r#"{"c":1}"#);
}

#[test]
fn a_call_of_the_hidden_tool_is_text() {
    let body = json!({
        "content": [{"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"a": 1}}],
        "stop_reason": "tool_use",
    });
    let memo = Memo { json_tool: Some("json_tool_call"), ..Memo::default() };
    let answer = read_answer(object(body), &memo).unwrap();
    let choice = &answer.choices[0];
    assert_eq!(
        (choice.blocks[0].as_text(), &choice.finish),
        (Some(r#"{"a":1}"#), &Some(Finish::Stop))
    );
}

#[test]
fn any_answer_is_told_to_a_client() {
    let thought = Thought { text: "hm".into(), ..Thought::default() };
    let hidden = Thought { hidden: Some("x".into()), id: Some("rs".into()), ..Thought::default() };
    let cites = vec![Citation { url: Some("https://x".into()), ..Citation::default() }];
    let blocks = vec![
        Block::new(Content::Thought(thought)),
        Block::new(Content::Thought(hidden)),
        Block::new(Content::Text("Hi".into(), cites)),
        super::calls("call_1", "f", ""),
    ];
    let choice = Choice { blocks, finish: Some(Finish::Stop), logprobs: None };
    let usage = Usage::tokens(15, 9).with(Unit::CacheRead, 3).with(Unit::Reasoning, 4);
    let answer = Answer { choices: vec![choice], usage: Some(usage), ..Answer::default() };
    let want = json!({
        "id": "msg_0f", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "redacted_thinking", "data": "rs:x"},
            {"type": "text", "text": "Hi", "citations": [{
                "type": "web_search_result_location", "cited_text": "", "encrypted_index": "",
                "title": null, "url": "https://x"}]},
            {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {"input_tokens": 12, "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 3, "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4}},
    });
    assert_eq!(write_answer(answer, &client()), want);
}

#[test]
fn an_error_tells_its_status() {
    let body = json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}});
    let error = read_error(&object(body)).unwrap();
    assert_eq!((error.status, error.message.as_str()), (Some(529), "m"));
    assert_eq!(read_error(&object(json!({"type": "message", "content": []}))), None);
}
