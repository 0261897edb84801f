//! What Ollama's clients ask, and what they are told.
use super::{Writer, read_generate, read_request, write_answer, write_generated};
use crate::providers::chat::{
    Answer, Block, Choice, Client, Content, Elapsed, Event, Finish, Format, Media, Request, Role,
    Source, Thought, ToolUse, Write,
};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value, json};
use std::time::Duration;

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn read(value: &Value) -> Request {
    read_request(map(value)).unwrap()
}

fn refused(more: &Value) -> String {
    let mut body = map(&json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}));
    body.extend(map(more));
    read_request(body).unwrap_err().param
}

fn client() -> Client {
    let elapsed = Elapsed::by(|| Duration::from_millis(1500));
    Client { created: 1_760_000_000, model: "m".to_owned(), elapsed, ..Client::default() }
}

#[test]
fn results_find_their_calls_without_ids() {
    let call = |name: &str| json!({"function": {"name": name, "arguments": {"at": 1}}});
    let request = read(&json!({"messages": [
        {"role": "assistant", "content": "", "tool_calls": [call("a"), call("b"), call("a")]},
        {"role": "tool", "tool_name": "b", "content": "of b"},
        {"role": "tool", "tool_name": "a", "content": "of the first a"},
        {"role": "tool", "content": "of the other"},
    ]}));
    let uses: Vec<_> = request.turns[0]
        .blocks
        .iter()
        .map(|block| match &block.content {
            Content::ToolUse(call) => (call.id.as_str(), call.input.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        uses,
        [("call_1", r#"{"at":1}"#), ("call_2", r#"{"at":1}"#), ("call_3", r#"{"at":1}"#)]
    );
    let results: Vec<_> = request.turns[1]
        .blocks
        .iter()
        .map(|block| match &block.content {
            Content::ToolResult(result) => {
                (result.id.as_str(), result.name.as_deref(), result.text())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let told = |id, name, text: &str| (id, Some(name), text.to_owned());
    assert_eq!(
        results,
        [
            told("call_2", "b", "of b"),
            told("call_1", "a", "of the first a"),
            told("call_3", "a", "of the other")
        ]
    );
}

#[test]
fn ids_that_clients_repeat_carry_the_proof_of_a_thought() {
    let call = json!({"id": "x__thought__AbCd", "function": {"name": "a", "arguments": {}}});
    let request = read(&json!({"messages": [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x__thought__AbCd", "content": "so"},
    ]}));
    let Content::ToolUse(call) = &request.turns[0].blocks[0].content else { panic!() };
    assert_eq!((call.id.as_str(), call.signature.as_deref()), ("x", Some("AbCd")));
    let Content::ToolResult(result) = &request.turns[1].blocks[0].content else { panic!() };
    assert_eq!(result.id, "x");
}

#[test]
fn a_request_streams_unless_it_says_otherwise() {
    let asked = json!({"messages": [{"role": "user", "content": "hi"}]});
    assert!(read(&asked).stream);
    assert!(!read(&json!({"messages": [], "stream": false})).stream);
}

#[test]
fn options_are_parameters_and_what_is_ollamas_alone_is_left() {
    let request = read(&json!({
        "messages": [], "keep_alive": "5m",
        "options": {"num_predict": -1, "temperature": 0.5, "top_k": 0, "stop": "END", "seed": 7.0, "num_ctx": 4096, "format": "x"},
    }));
    let sampling = request.sampling;
    assert_eq!(
        (sampling.max_tokens, sampling.temperature, sampling.top_k),
        (None, Some(0.5), None)
    );
    assert_eq!((sampling.stop, sampling.seed), (vec!["END".to_owned()], Some(7)));
    assert_eq!(request.format, None);
    let names: Vec<_> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(names, ["keep_alive", "num_ctx", "format"]);
}

#[test]
fn what_is_of_the_wrong_type_is_refused_where_it_stands() {
    for (more, param) in [
        (json!({"options": {"temperature": "hot"}}), "options.temperature"),
        (json!({"options": {"stop": [1]}}), "options.stop"),
        (json!({"think": "much"}), "think"),
        (json!({"format": "xml"}), "format"),
        (json!({"stream": "yes"}), "stream"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content",
        ),
        (json!({"messages": [{"role": "user", "images": [1]}]}), "messages[0].images"),
        (json!({"messages": [{"role": "wizard"}]}), "messages[0].role"),
        (json!({"messages": ["hi"]}), "messages[0]"),
        (json!({"tools": [{"function": {}}]}), "tools[0].function.name"),
    ] {
        assert_eq!(refused(&more), param, "{more}");
    }
}

#[test]
fn pictures_have_the_type_that_their_bytes_show() {
    let request = read(&json!({"messages": [
        {"role": "user", "content": "?", "images": ["/9j/4AAQ", "data:image/png;base64,iVBORw0K"]},
    ]}));
    let kinds: Vec<_> = request.turns[0]
        .blocks
        .iter()
        .filter_map(|block| match &block.content {
            Content::Media(Media { media_type, source: Source::Base64(data), .. }) => {
                Some((media_type.as_deref(), data.as_str()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [(Some("image/jpeg"), "/9j/4AAQ"), (Some("image/png"), "iVBORw0K")]);
}

#[test]
fn a_prompt_is_a_turn_with_instructions_before_it() {
    let schema = json!({"type": "object"});
    let body = json!({"model": "m", "prompt": "Why?", "system": "Be short.", "suffix": "", "context": [1], "raw": true, "format": schema});
    let request = read_generate(map(&body)).unwrap();
    let said: Vec<_> =
        request.turns.iter().map(|turn| (turn.role, turn.blocks[0].as_text())).collect();
    assert_eq!(said, [(Role::System, Some("Be short.")), (Role::User, Some("Why?"))]);
    assert!(matches!(request.format, Some(Format::Schema { .. })));
    let names: Vec<_> = request.rest.keys().map(String::as_str).collect();
    assert_eq!(names, ["context", "raw"]);
}

fn answer() -> Answer {
    let thought = Thought { text: "hm".to_owned(), ..Thought::default() };
    let call = |input: &str| ToolUse {
        id: "c".to_owned(),
        name: "f".to_owned(),
        input: input.to_owned(),
        signature: Some("S".to_owned()),
    };
    let blocks = vec![
        Block::new(Content::Thought(thought)),
        Block::text("Hello"),
        Block::new(Content::ToolUse(call(r#"{"a":1}"#))),
        Block::new(Content::ToolUse(call(r#"{"a":"#))),
    ];
    let choice = Choice { blocks, finish: Some(Finish::Length), ..Choice::default() };
    Answer { choices: vec![choice], usage: Some(Usage::tokens(5, 3)), ..Answer::default() }
}

#[test]
fn an_answer_tells_its_counts_and_times() {
    let told = write_answer(answer(), &client());
    assert_eq!(
        told,
        json!({
            "model": "m", "created_at": "2025-10-09T08:53:21.500000Z",
            "message": {
                "role": "assistant", "content": "Hello", "thinking": "hm",
                "tool_calls": [{"id": "c__thought__S", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            "done": true, "done_reason": "length", "total_duration": 1_500_000_000, "load_duration": 0,
            "prompt_eval_count": 5, "prompt_eval_duration": 0, "eval_count": 3, "eval_duration": 1_500_000_000,
        })
    );
    let told = write_generated(answer(), &client());
    assert_eq!(
        (&told["response"], &told["thinking"], &told["message"]),
        (&json!("Hello"), &json!("hm"), &Value::Null)
    );
}

#[test]
fn calls_are_told_whole_and_nothing_follows_the_end() {
    let mut writer = Writer::new(client());
    let mut out = Vec::new();
    let arguments = |tool, json: &str| Event::Arguments { choice: 0, tool, json: json.to_owned() };
    let call = |tool| Event::ToolUse {
        choice: 0,
        tool,
        id: format!("c{tool}"),
        name: "f".to_owned(),
        signature: None,
    };
    writer.write(call(0), &mut out);
    writer.write(arguments(0, r#"{"a""#), &mut out);
    assert!(out.is_empty() && writer.kept() > 0);
    writer.write(arguments(0, ":1}"), &mut out);
    writer.write(call(1), &mut out);
    let first: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(first["message"]["tool_calls"][0]["function"]["arguments"], json!({"a": 1}));
    for event in [Event::Finish(0, Finish::Tools), Event::End, Event::Text(0, "x".to_owned())] {
        writer.write(event, &mut out);
    }
    let lines: Vec<Value> = out
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[2]["done"], &lines[2]["done_reason"]), (&json!(true), &json!("stop")));
}
