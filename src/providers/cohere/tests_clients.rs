//! What Cohere's clients ask, and what they are told.
use super::embed::{Version, read_asked, write_told};
use super::{Writer, read_request, write_answer};
use crate::providers::chat::{
    Answer, Block, Choice, Citation, Client, Content, Event, Finish, Format, Lost, Media, Request,
    Role, Source, Thinking, Thought, Tool, ToolChoice, ToolUse, Write,
};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value, json};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn asked(more: &Value) -> Map<String, Value> {
    let mut body = map(&json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    body.extend(map(more));
    body
}

fn read(more: &Value) -> Request {
    read_request(asked(more)).unwrap()
}

fn client() -> Client {
    Client { id: "0123456789abcdef0123456789abcdef".to_owned(), ..Client::default() }
}

#[test]
fn a_conversation_has_plans_calls_and_results() {
    let request = read(&json!({"messages": [
        {"role": "system", "content": [{"type": "text", "text": "Be short."}]},
        {"role": "assistant", "tool_plan": "I look.", "tool_calls": [
            {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
        ]},
        {"role": "tool", "tool_call_id": "f_1", "content": [
            {"type": "document", "document": {"id": "1", "data": {"wind": "9 m/s"}}},
        ]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]},
    ]}));
    let roles: Vec<_> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::System, Role::Assistant, Role::User, Role::User]);
    assert_eq!(request.turns[1].blocks[0].as_text(), Some("I look."));
    let Content::ToolUse(ToolUse { id, input, .. }) = &request.turns[1].blocks[1].content else {
        panic!()
    };
    assert_eq!((id.as_str(), input.as_str()), ("f_1", r#"{"a":1}"#));
    let Content::ToolResult(result) = &request.turns[2].blocks[0].content else { panic!() };
    assert_eq!(result.text(), r#"{"wind":"9 m/s"}"#);
    let Content::Media(Media { source, media_type, .. }) = &request.turns[3].blocks[0].content
    else {
        panic!()
    };
    assert_eq!(
        (source, media_type.as_deref()),
        (&Source::Base64("iVBO".to_owned()), Some("image/png"))
    );
}

#[test]
fn documents_stand_before_the_last_question() {
    let request = read(&json!({"documents": [
        "plain", {"id": "d", "data": {"text": "red", "title": "Book", "page": "12"}},
    ]}));
    let told: Vec<_> = request.turns[0]
        .blocks
        .iter()
        .map(|block| match &block.content {
            Content::Media(Media { source: Source::Text(text), name, .. }) => {
                (name.as_deref(), text.as_str())
            }
            Content::Text(text, _) => (None, text.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(None, "plain"), (Some("Book"), "page: 12\nred"), (None, "hi")]);
}

#[test]
fn parameters_have_coheres_names() {
    let request = read(&json!({
        "k": 0, "p": 0.7, "stop_sequences": ["END"], "seed": 3, "max_tokens": 9, "tool_choice": "REQUIRED",
        "strict_tools": true, "thinking": {"type": "enabled", "token_budget": 100},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}}, "safety_mode": "OFF",
    }));
    let sampling = &request.sampling;
    assert_eq!(
        (sampling.top_k, sampling.top_p, sampling.max_tokens, sampling.seed),
        (None, Some(0.7), Some(9), Some(3))
    );
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    let Tool::Function(function) = &request.tools[0] else { panic!() };
    assert_eq!(function.strict, Some(true));
    assert!(matches!(request.format, Some(Format::Schema { .. })));
    assert_eq!(
        request.thinking,
        Some(Thinking { on: Some(true), budget: Some(100), ..Thinking::default() })
    );
    assert_eq!(request.rest.keys().collect::<Vec<_>>(), ["safety_mode"]);
}

#[test]
fn what_is_of_the_wrong_type_is_refused_where_it_stands() {
    for (more, param) in [
        (json!({"messages": "hi"}), "messages"),
        (json!({"messages": [{"role": "tool", "content": "x"}]}), "messages[0].tool_call_id"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
        ),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [{}]}]}),
            "messages[0].tool_calls[0].function",
        ),
        (json!({"documents": [1]}), "documents[0]"),
        (json!({"tool_choice": "f"}), "tool_choice"),
        (json!({"response_format": {"type": "xml"}}), "response_format.type"),
        (json!({"thinking": {}}), "thinking.type"),
        (json!({"seed": "x"}), "seed"),
    ] {
        assert_eq!(read_request(asked(&more)).unwrap_err().param, param, "{more}");
    }
}

fn answer() -> Answer {
    let thought = Thought { text: "hm".to_owned(), ..Thought::default() };
    let citation = Citation {
        url: Some("https://a.example".to_owned()),
        title: Some("A".to_owned()),
        cited: Some("red".to_owned()),
        range: Some((3, 6)),
    };
    let call =
        ToolUse { id: "c".to_owned(), name: "f".to_owned(), input: String::new(), signature: None };
    let blocks = vec![
        Block::new(Content::Thought(thought)),
        Block::new(Content::Text("is red".to_owned(), vec![citation])),
        Block::new(Content::ToolUse(call)),
    ];
    let choice = Choice { blocks, ..Choice::default() };
    Answer { choices: vec![choice], usage: Some(Usage::tokens(5, 3)), ..Answer::default() }
}

#[test]
fn an_answer_has_parts_citations_and_calls() {
    let told = write_answer(answer(), &client());
    assert_eq!(
        told,
        json!({
            "id": "01234567-89ab-cdef-0123-456789abcdef", "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "is red"}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                "citations": [{
                    "start": 3, "end": 6, "text": "red", "content_index": 1, "type": "TEXT_CONTENT",
                    "sources": [{"type": "document", "id": "https://a.example", "document": {"title": "A", "url": "https://a.example"}}],
                }],
            },
            "usage": {"billed_units": {"input_tokens": 5, "output_tokens": 3}, "tokens": {"input_tokens": 5, "output_tokens": 3}},
        })
    );
}

#[test]
fn a_stream_has_each_part_and_call_between_its_events() {
    let mut writer = Writer::new(client());
    let mut out = Vec::new();
    answer().events().into_iter().for_each(|event| writer.write(event, &mut out));
    let out = String::from_utf8(out).unwrap();
    let names: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(
        names,
        [
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "content-start",
            "content-delta",
            "citation-start",
            "citation-end",
            "content-end",
            "tool-call-start",
            "tool-call-end",
            "message-end",
        ]
    );
    assert!(out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_stream_that_fails_ends_with_the_error() {
    let mut writer = Writer::new(client());
    let mut out = Vec::new();
    let failure = crate::providers::chat::InBand { message: "no".to_owned(), ..Default::default() };
    for event in [
        Event::Text(0, "a".to_owned()),
        Event::Error(failure),
        Event::Finish(0, Finish::Stop),
        Event::End,
    ] {
        writer.write(event, &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    assert!(out.ends_with("data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"no\"}}\n\n"), "{out}");
}

#[test]
fn embeddings_are_told_by_type_or_as_they_are() {
    let body = map(
        &json!({"model": "m", "texts": ["a"], "images": ["data:image/png;base64,x"], "input_type": "search_query", "truncate": "END", "embedding_types": ["float", "int8"]}),
    );
    let mut lost = Lost::default();
    let asked = read_asked(body.clone(), false, &mut lost).unwrap();
    assert_eq!(
        Value::Object(asked),
        json!({"input": ["a"], "input_type": "search_query", "encoding_format": "float"})
    );
    assert_eq!(lost.told().as_deref(), Some("images, embedding_types, truncate"));
    let asked = read_asked(body, true, &mut Lost::default()).unwrap();
    assert_eq!(asked["input"], json!(["a", "data:image/png;base64,x"]));
    let told =
        |version| write_told(vec![json!([0.5])], Some(&Usage::tokens(2, 0)), &client(), version);
    assert_eq!(told(Version::Two)["embeddings"], json!({"float": [[0.5]]}));
    let one = told(Version::One);
    assert_eq!(
        (&one["embeddings"], &one["response_type"]),
        (&json!([[0.5]]), &json!("embeddings_floats"))
    );
    assert_eq!(one["meta"]["billed_units"]["input_tokens"], 2);
}
