//! Whole answers.
use super::{client, members, told};
use crate::providers::chat::{
    Answer, Block, Choice, Citation, Content, Finish, Memo, Thought, ToolUse,
};
use crate::providers::openai::responses::{read_answer, read_error};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Value, json};

fn answer(blocks: Vec<Block>, finish: Finish) -> Answer {
    let choice = Choice { blocks, finish: Some(finish), logprobs: None };
    Answer { choices: vec![choice], ..Answer::default() }
}

fn read(body: Value) -> Answer {
    read_answer(members(body), &Memo::default()).unwrap()
}

#[test]
fn an_answer_is_a_whole_response() {
    let cited = Citation {
        url: Some("https://example.com".to_owned()),
        title: Some("Example".to_owned()),
        cited: None,
        range: None,
    };
    let thought =
        Thought { text: "hm".to_owned(), signature: Some("sig".to_owned()), ..Thought::default() };
    let call = |name: &str, input: &str| ToolUse {
        id: format!("call_{name}"),
        name: name.to_owned(),
        input: input.to_owned(),
        signature: None,
    };
    let blocks = vec![
        Block::new(Content::Thought(thought.clone())),
        Block::new(Content::Text("Größe".to_owned(), vec![cited])),
        Block::new(Content::ToolUse(call("f", ""))),
        Block::new(Content::ToolUse(call("patch", r#"{"input":"free"}"#))),
    ];
    let request = json!({"model": "m", "input": "hi", "temperature": 0.5,
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}]});
    let written = told(answer(blocks, Finish::Tools), &client(&request));
    assert_eq!(written["id"], "resp_0a");
    assert_eq!(written["status"], "completed");
    assert_eq!(written["temperature"], 0.5);
    assert_eq!(written["top_p"], 1.0);
    assert_eq!(written["text"], json!({"format": {"type": "text"}}));
    assert_eq!(
        written["tools"][0],
        json!({"type": "function", "name": "f", "parameters": null, "strict": true})
    );
    assert_eq!(written["error"], Value::Null);
    let output = written["output"].as_array().unwrap();
    let kinds: Vec<_> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call", "custom_tool_call"]);
    assert_eq!(output[1]["content"][0]["annotations"][0]["end_index"], 5);
    assert_eq!(output[2]["arguments"], "{}");
    assert_eq!(output[3]["input"], "free");
    let back = read(written);
    let Content::Thought(returned) = &back.choices[0].blocks[0].content else {
        panic!("a thought")
    };
    assert_eq!(
        (&returned.text, &returned.signature, &returned.hidden),
        (&thought.text, &thought.signature, &None)
    );
    assert_eq!(back.choices[0].finish, Some(Finish::Tools));
}

#[test]
fn an_answer_that_was_cut_says_why() {
    let cut = |finish| told(answer(vec![Block::text("a")], finish), &client(&json!({})));
    for (finish, reason) in [
        (Finish::Length, "max_output_tokens"),
        (Finish::Filter, "content_filter"),
        (Finish::Refusal, "content_filter"),
    ] {
        let written = cut(finish);
        assert_eq!(written["status"], "incomplete");
        assert_eq!(written["incomplete_details"]["reason"], reason);
        assert_eq!(written["output"][0]["status"], "incomplete");
    }
    let failed = cut(Finish::Failed("ERROR".to_owned()));
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("failed"), &json!("server_error"))
    );
}

#[test]
fn usage_is_counted_and_told() {
    let body = json!({"output": [], "usage": {"input_tokens": 10, "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 15}});
    let answer = read(body);
    let usage = Usage::tokens(10, 5)
        .with(Unit::CacheRead, 3)
        .with(Unit::CacheWrite, 2)
        .with(Unit::Reasoning, 4);
    assert_eq!(answer.usage, Some(usage));
    let written = told(answer, &client(&json!({})));
    assert_eq!(written["usage"]["input_tokens_details"]["cache_creation_tokens"], 2);
    assert_eq!(written["usage"]["total_tokens"], 15);
}

#[test]
fn tools_of_the_provider_are_none_of_the_client() {
    let output = json!([
        {"type": "web_search_call", "id": "ws", "status": "completed"},
        {"type": "custom_tool_call", "call_id": "a", "name": "x_search", "input": "{}"},
        {"type": "message", "content": [{"type": "output_text", "text": "found", "annotations": []}]},
    ]);
    let answer =
        read(json!({"status": "completed", "output": output, "tools": [{"type": "x_search"}]}));
    assert_eq!(answer.choices[0].blocks, [Block::text("found")]);
    assert_eq!(answer.choices[0].finish, Some(Finish::Stop));
}

#[test]
fn errors_are_read_in_all_their_forms() {
    for (body, kind, status) in [
        (json!({"error": {"message": "no", "type": "t", "code": "c"}}), "c", None),
        (json!({"error": {"message": "no", "type": "t", "code": null}}), "t", None),
        (json!({"error": "no", "code": "c"}), "c", None),
        (json!({"error": {"message": "no", "code": 429, "type": "t"}}), "t", Some(429)),
        (json!({"type": "error", "message": "no", "code": "c"}), "c", None),
        (json!({"response": {"error": {"message": "no", "code": "c"}}}), "c", None),
    ] {
        let error = read_error(&members(body)).unwrap();
        assert_eq!((error.kind.as_deref(), error.status), (Some(kind), status));
        assert_eq!(error.message, "no");
    }
    assert_eq!(read_error(&members(json!({"output": [], "error": null}))), None);
}

#[test]
fn what_is_no_response_is_unreadable() {
    assert!(read_answer(members(json!({"choices": []})), &Memo::default()).is_err());
}
