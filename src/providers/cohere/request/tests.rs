//! What is sent to Cohere.
use super::write_request;
use crate::providers::chat::{
    Block, Content, Format, Function, Lost, Media, MediaKind, Request, Role, Sampling, Source,
    Target, Thinking, Thought, Tool, ToolChoice, ToolResult, ToolUse, Turn,
};
use serde_json::{Map, Value, json};

const TARGET: Target<'_> = Target {
    provider: "cohere",
    row: None,
    model: "command",
    like: "command",
    max_output: None,
    thinks: None,
    modify: false,
};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn picture(source: Source) -> Block {
    let kind = MediaKind::Image;
    Block::new(Content::Media(Media { kind, source, media_type: None, name: None, detail: None }))
}

fn paper(source: Source, media_type: &str) -> Block {
    Block::new(Content::Media(Media {
        kind: MediaKind::Document,
        source,
        media_type: Some(media_type.to_owned()),
        name: Some("facts".to_owned()),
        detail: None,
    }))
}

fn call() -> Block {
    let (id, name, input) = ("call_1".to_owned(), "get_w".to_owned(), r#"{"c": 2}"#.to_owned());
    Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None }))
}

fn result(blocks: Vec<Block>) -> Block {
    let id = "call_1".to_owned();
    Block::new(Content::ToolResult(ToolResult { id, blocks, ..ToolResult::default() }))
}

fn thought(text: &str) -> Block {
    Block::new(Content::Thought(Thought { text: text.to_owned(), ..Thought::default() }))
}

fn function(name: &str) -> Tool {
    let schema = Some(json!({"type": "object", "properties": {"c": {"type": "integer"}}}));
    Tool::Function(Function { name: name.to_owned(), schema, ..Function::default() })
}

fn asked(turns: Vec<Turn>) -> Request {
    Request { turns, ..Request::default() }
}

fn written(request: Request) -> (Value, Lost) {
    let mut lost = Lost::default();
    let written = write_request(request, &TARGET, &mut lost).unwrap();
    assert_eq!(written.rest, Map::new());
    (written.body.into(), lost)
}

fn user(text: &str) -> Turn {
    Turn::new(Role::User, vec![Block::text(text)])
}

#[test]
fn a_whole_request_has_what_it_says() {
    let look = vec![Block::text("look"), picture(Source::Base64("iVBORw0KGgo=".to_owned()))];
    let request = Request {
        turns: vec![
            Turn::new(Role::System, vec![Block::text("sys")]),
            Turn::new(Role::User, look),
            Turn::new(Role::Assistant, vec![call()]),
            Turn::new(
                Role::User,
                vec![Block::text("and now?"), result(vec![Block::text("sunny")])],
            ),
        ],
        tools: vec![function("get_w"), function("other")],
        tool_choice: Some(ToolChoice::Tool("get_w".to_owned())),
        parallel_tools: Some(false),
        sampling: Sampling {
            max_tokens: Some(64),
            temperature: Some(0.25),
            top_p: Some(0.5),
            top_k: Some(40.0),
            stop: vec!["END".to_owned()],
            seed: Some(7),
            choices: Some(2),
            ..Sampling::default()
        },
        thinking: Some(Thinking { effort: Some("low".to_owned()), ..Thinking::default() }),
        stream: true,
        user: Some("u1".to_owned()),
        rest: map(&json!({"safety_mode": "STRICT", "documents": ["d"]})),
        ..Request::default()
    };
    let (body, lost) = written(request);
    let image = json!({"url": "data:image/png;base64,iVBORw0KGgo="});
    let arguments = r#"{"c": 2}"#;
    let wanted = json!({
        "model": "command",
        "messages": [
            {"role": "system", "content": "sys"},
            {"role": "user", "content": [
                {"type": "text", "text": "look"}, {"type": "image_url", "image_url": image},
            ]},
            {"role": "assistant", "tool_calls": [{
                "id": "call_1", "type": "function",
                "function": {"name": "get_w", "arguments": arguments},
            }]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "user", "content": "and now?"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "get_w",
            "parameters": {"type": "object", "properties": {"c": {"type": "integer"}}},
        }}],
        "tool_choice": "REQUIRED", "documents": ["d"], "safety_mode": "STRICT",
        "max_tokens": 64, "temperature": 0.25, "p": 0.5, "k": 40, "stop_sequences": ["END"],
        "seed": 7, "thinking": {"type": "enabled", "token_budget": 1024}, "stream": true,
    });
    assert_eq!(body, wanted);
    assert_eq!(lost.names().collect::<Vec<_>>(), ["n", "parallel_tool_calls", "user"]);
}

#[test]
fn what_is_said_before_calls_is_their_plan() {
    let say = |blocks| {
        let turns = vec![user("hi"), Turn::new(Role::Assistant, blocks)];
        let (mut body, _) = written(asked(turns));
        let mut said = body["messages"][1].take();
        said.as_object_mut().unwrap().shift_remove("tool_calls");
        said
    };
    let text = || Block::text("one moment");
    let wanted = json!({"role": "assistant", "tool_plan": "one moment"});
    assert_eq!(say(vec![text(), call()]), wanted);
    let wanted = json!({"role": "assistant", "tool_plan": "hm", "content": "one moment"});
    assert_eq!(say(vec![thought("hm"), text(), call()]), wanted);
    let parts =
        json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "one moment"}]);
    let wanted = json!({"role": "assistant", "content": parts});
    assert_eq!(say(vec![thought("hm"), text()]), wanted);
}

#[test]
fn text_documents_have_a_place_and_others_have_none() {
    let text = || paper(Source::Text("Ruby is red.".to_owned()), "text/plain");
    let base64 = || paper(Source::Base64("UnVieSBpcyByZWQu".to_owned()), "text/markdown");
    let pdf = || paper(Source::Base64("JVBERi0=".to_owned()), "application/pdf");
    let blocks = vec![Block::text("which?"), text(), base64(), pdf()];
    let (body, lost) = written(asked(vec![Turn::new(Role::User, blocks)]));
    let data = json!({"data": {"title": "facts", "text": "Ruby is red."}});
    assert_eq!(body["documents"], json!([data, data]));
    assert_eq!(body["messages"], json!([{"role": "user", "content": "which?"}]));
    assert_eq!(lost.parts, ["file"]);

    // Beside tools they are part of the text.
    let turns = vec![Turn::new(Role::User, vec![text()])];
    let (body, _) = written(Request { tools: vec![function("f")], ..asked(turns) });
    assert_eq!(body["messages"][0]["content"], "facts\n\nRuby is red.");
    assert_eq!(body.get("documents"), None);

    // Results have documents of their own; their pictures are shown by the user.
    let url = "https://example.com/a.png";
    let turn =
        Turn::new(Role::User, vec![result(vec![text(), picture(Source::Url(url.to_owned()))])]);
    let (body, _) = written(asked(vec![turn]));
    let part = json!({"type": "document", "document": data});
    let wanted = json!([
        {"role": "tool", "tool_call_id": "call_1", "content": [part]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]},
    ]);
    assert_eq!(body["messages"], wanted);

    // A client may tell them in Cohere's words.
    let own = Block::new(Content::Other(json!({"type": "document", "document": data})));
    let foreign = Block::new(Content::Other(json!({"type": "document", "source": {}})));
    let blocks = vec![result(vec![own.clone()]), own, foreign];
    let (body, lost) = written(asked(vec![Turn::new(Role::User, blocks)]));
    assert_eq!(body["messages"][0]["content"], json!([part]));
    assert_eq!(body["documents"], json!([data]));
    assert_eq!(lost.parts, ["messages.content.document"]);
}

#[test]
fn a_schema_goes_with_json_objects() {
    let schema = json!({"type": "object"});
    let name = Some("n".to_owned());
    let format = Format::Schema { name, description: None, schema: schema.clone(), strict: None };
    let request = Request { format: Some(format), ..asked(vec![user("hi")]) };
    let (body, lost) = written(request);
    assert_eq!(body["response_format"], json!({"type": "json_object", "json_schema": schema}));
    assert_eq!(lost.hints, ["response_format.json_schema.name"]);
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let refused =
        |request| write_request(request, &TARGET, &mut Lost::default()).unwrap_err().param;
    assert_eq!(refused(Request::default()), "messages");
    let tool_choice = Some(ToolChoice::Tool("none".to_owned()));
    let request = asked(vec![user("hi")]);
    assert_eq!(
        refused(Request { tools: vec![function("f")], tool_choice, ..request }),
        "tool_choice"
    );
}
