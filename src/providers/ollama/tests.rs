//! What is sent to Ollama, and what is read from it.
use super::embed::{read_embed, write_embed};
use super::{Reader, read_answer, read_error, write_request};
use crate::providers::chat::{
    Block, Content, Event, Finish, Format, Function, InBand, Lost, Media, MediaKind, Memo, Read,
    Request, Role, Sampling, Source, Target, Thinking, Thought, Tool, ToolChoice, ToolResult,
    ToolUse, Turn,
};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value, json};

const TARGET: Target<'_> = Target {
    provider: "ollama",
    row: None,
    model: "llama3",
    like: "llama3",
    max_output: None,
    thinks: None,
    modify: false,
};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn media(kind: MediaKind, source: Source, media_type: &str) -> Block {
    let media_type = Some(media_type.to_owned());
    Block::new(Content::Media(Media { kind, source, media_type, name: None, detail: None }))
}

fn call(input: &str) -> Block {
    let (id, name, input) = ("call_1".to_owned(), "get_w".to_owned(), input.to_owned());
    Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None }))
}

fn function(name: &str) -> Tool {
    Tool::Function(Function { name: name.to_owned(), ..Function::default() })
}

fn asked(blocks: Vec<Block>) -> Request {
    Request { turns: vec![Turn::new(Role::User, blocks)], ..Request::default() }
}

fn written(request: Request) -> (Value, Lost) {
    let mut lost = Lost::default();
    let written = write_request(request, &TARGET, &mut lost).unwrap();
    assert_eq!(written.rest, Map::new());
    (written.body.into(), lost)
}

#[test]
fn a_whole_request_has_what_it_says() {
    let picture = media(MediaKind::Image, Source::Base64("AAAA".to_owned()), "image/png");
    let thought = Thought { text: "hm".to_owned(), ..Thought::default() };
    let (id, blocks) = ("call_1".to_owned(), vec![Block::text("sunny")]);
    let result = ToolResult { id, blocks, ..ToolResult::default() };
    let said = vec![Block::new(Content::Thought(thought)), call(r#"{"c": 2}"#)];
    let answered = vec![Block::new(Content::ToolResult(result)), Block::text("and now?")];
    let request = Request {
        turns: vec![
            Turn::new(Role::System, vec![Block::text("sys")]),
            Turn::new(Role::User, vec![Block::text("look"), picture]),
            Turn::new(Role::Assistant, said),
            Turn::new(Role::User, answered),
        ],
        tools: vec![function("get_w"), function("other")],
        tool_choice: Some(ToolChoice::Tool("get_w".to_owned())),
        format: Some(Format::Json),
        sampling: Sampling {
            max_tokens: Some(64),
            temperature: Some(0.25),
            top_k: Some(40.0),
            stop: vec!["END".to_owned()],
            seed: Some(7),
            frequency_penalty: Some(0.5),
            ..Sampling::default()
        },
        thinking: Some(Thinking { effort: Some("low".to_owned()), ..Thinking::default() }),
        rest: map(
            &json!({"num_ctx": 4096, "keep_alive": "5m", "options": {"seed": 1, "min_p": 0.5}}),
        ),
        ..Request::default()
    };
    let (body, lost) = written(request);
    let function = json!({"name": "get_w", "arguments": {"c": 2}});
    let schema = json!({"type": "object", "properties": {}});
    let wanted = json!({
        "model": "llama3",
        "messages": [
            {"role": "system", "content": "sys"},
            {"role": "user", "content": "look", "images": ["AAAA"]},
            {"role": "assistant", "content": "", "thinking": "hm",
                "tool_calls": [{"id": "call_1", "function": function}]},
            {"role": "tool", "content": "sunny", "tool_name": "get_w", "tool_call_id": "call_1"},
            {"role": "user", "content": "and now?"},
        ],
        "tools": [{"type": "function", "function": {"name": "get_w", "parameters": schema}}],
        "format": "json", "think": true, "keep_alive": "5m", "stream": false,
        "options": {
            "seed": 7, "min_p": 0.5, "num_ctx": 4096, "num_predict": 64, "temperature": 0.25,
            "top_k": 40, "stop": ["END"], "frequency_penalty": 0.5,
        },
    });
    assert_eq!(body, wanted);
    assert_eq!(lost.names().collect::<Vec<_>>(), ["tool_choice", "reasoning_effort"]);
}

#[test]
fn tools_that_must_not_be_called_are_not_offered() {
    let (tools, tool_choice) = (vec![function("f")], Some(ToolChoice::None));
    let (body, lost) = written(Request { tools, tool_choice, ..asked(vec![Block::text("hi")]) });
    assert_eq!(body.get("tools"), None);
    assert_eq!(lost, Lost::default());
}

#[test]
fn only_what_is_in_the_request_can_be_shown() {
    let url = || Source::Url("https://example.com/a".to_owned());
    let text = Source::Base64("aGVsbG8=".to_owned());
    let blocks = vec![
        Block::text("see"),
        media(MediaKind::Document, text, "text/plain"),
        media(MediaKind::Image, url(), "image/png"),
        media(MediaKind::Audio, url(), "audio/wav"),
    ];
    let (body, lost) = written(asked(blocks));
    assert_eq!(body["messages"], json!([{"role": "user", "content": "see\nhello"}]));
    assert_eq!(lost.parts, ["image_url", "input_audio"]);
}

#[test]
fn only_one_family_knows_how_much_to_think() {
    let think = |model: &str, thinking: Thinking| {
        let request = Request { thinking: Some(thinking), ..asked(vec![Block::text("hi")]) };
        let target = Target { model, ..TARGET };
        let mut body = write_request(request, &target, &mut Lost::default()).unwrap().body;
        body.shift_remove("think").unwrap_or_default()
    };
    let effort = |word: &str| Thinking { effort: Some(word.to_owned()), ..Thinking::default() };
    assert_eq!(think("qwen3", effort("medium")), true);
    assert_eq!(think("gpt-oss:20b", effort("medium")), "medium");
    assert_eq!(think("gpt-oss:20b", effort("xhigh")), "high");
    assert_eq!(think("qwen3", effort("none")), false);
    let on = Thinking { on: Some(true), ..Thinking::default() };
    assert_eq!(think("qwen3", on), true);
    assert_eq!(think("qwen3", Thinking::default()), Value::Null);
}

#[test]
fn an_answer_has_thoughts_text_and_calls() {
    let calls = json!([{"function": {"name": "f", "arguments": {"b": 1, "a": [2]}}}]);
    let body = json!({
        "model": "qwen3", "created_at": "2026-01-02T03:04:05.67Z",
        "message": {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": calls},
        "done": true, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4,
    });
    let answer = read_answer(map(&body), &Memo::default()).unwrap();
    let id = "call_20260102T03040567Z_0".to_owned();
    let (name, input) = ("f".to_owned(), r#"{"b":1,"a":[2]}"#.to_owned());
    let wanted = [
        Block::new(Content::Thought(Thought { text: "hm".to_owned(), ..Thought::default() })),
        Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None })),
    ];
    assert_eq!(answer.choices[0].blocks, wanted);
    assert_eq!(answer.choices[0].finish, Some(Finish::Tools));
    assert_eq!(answer.usage, Some(Usage::tokens(9, 4)));
    assert!(read_answer(map(&json!({"object": "list"})), &Memo::default()).is_err());
}

fn told(lines: &[Value]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(&Memo::default()), Vec::new());
    for line in lines {
        reader.event(b"", line.to_string().as_bytes(), &mut out);
    }
    reader.end(&mut out);
    out
}

#[test]
fn calls_in_different_lines_are_numbered() {
    let line = |name: &str, done: bool| {
        let calls = json!([{"id": "", "function": {"name": name, "arguments": {}}}]);
        let message = json!({"content": "", "tool_calls": calls});
        json!({"model": "m", "created_at": "1", "message": message, "done": done})
    };
    let call = |tool: u32, name: &str| {
        let (id, name) = (format!("call_1_{tool}"), name.to_owned());
        Event::ToolUse { choice: 0, tool, id, name, signature: None }
    };
    let arguments = |tool: u32| Event::Arguments { choice: 0, tool, json: "{}".to_owned() };
    let wanted = [
        Event::Start { id: None, model: Some("m".to_owned()) },
        call(0, "f"),
        arguments(0),
        call(1, "g"),
        arguments(1),
        Event::Finish(0, Finish::Tools),
        Event::End,
    ];
    assert_eq!(told(&[line("f", false), line("g", true)]), wanted);
}

#[test]
fn a_stream_without_its_last_line_does_not_end() {
    let line = json!({"model": "m", "response": "hi", "done": false});
    let start = Event::Start { id: None, model: Some("m".to_owned()) };
    let text = Event::Text(0, "hi".to_owned());
    assert_eq!(told(std::slice::from_ref(&line)), [start.clone(), text.clone()]);
    let failure = InBand { kind: None, status: None, message: "out of memory".to_owned() };
    let error = json!({"error": "out of memory"});
    let events = told(&[line.clone(), error, line]);
    assert_eq!(events, [start, text, Event::Error(failure)]);
}

#[test]
fn errors_have_two_forms() {
    let plain = read_error(&map(&json!({"error": "gone", "StatusCode": 404}))).unwrap();
    assert_eq!((plain.status, plain.message.as_str()), (Some(404), "gone"));
    let like_openai = json!({"error": {"message": "gone", "type": "not_found"}});
    assert_eq!(read_error(&map(&like_openai)).unwrap().kind.as_deref(), Some("not_found"));
    assert_eq!(read_error(&map(&json!({"done": true}))), None);
}

#[test]
fn embeddings_are_asked_for_as_text() {
    let mut lost = Lost::default();
    let asked = json!({
        "model": "x", "input": ["a"], "dimensions": 8, "encoding_format": "base64", "odd": 1,
    });
    let body = write_embed(map(&asked), "embed", &mut lost).unwrap();
    assert_eq!(Value::Object(body), json!({"model": "embed", "input": ["a"], "dimensions": 8}));
    assert_eq!(lost.parts, ["odd"]);
    for input in [json!([1]), json!([]), json!(1)] {
        let refused = write_embed(map(&json!({"input": input})), "embed", &mut lost).unwrap_err();
        assert_eq!(refused.param, "input");
    }
    let body = json!({"embeddings": [[0.5], [1]], "prompt_eval_count": 3});
    let (vectors, usage) = read_embed(map(&body), "embed").unwrap();
    assert_eq!((vectors.len(), usage), (2, Some(Usage::tokens(3, 0))));
}
