//! What is sent.
use super::map;
use crate::providers::bedrock::embed::write_embed;
use crate::providers::bedrock::write_request;
use crate::providers::chat::{
    Block, Content, Format, Function, Lost, Media, MediaKind, Memo, Request, Role, Sampling,
    Source, Target, Thinking, Thought, Tool, ToolChoice, ToolResult, ToolUse, Turn,
};
use serde_json::{Value, json};

const CLAUDE: &str = "us.anthropic.claude-3-5-sonnet-20240620-v1:0";
const NEW_CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const NOVA: &str = "amazon.nova-2-lite-v1:0";

fn written_for(model: &str, request: Request) -> (Value, Lost, Memo) {
    let (provider, modify) = ("bedrock", false);
    let target = Target {
        provider,
        row: None,
        model,
        like: model,
        max_output: Some(8192),
        thinks: None,
        modify,
    };
    let mut lost = Lost::default();
    let written = write_request(request, &target, &mut lost).unwrap();
    (written.body.into(), lost, written.memo)
}

fn user(text: &str) -> Turn {
    Turn::new(Role::User, vec![Block::text(text)])
}

fn asked(turns: Vec<Turn>) -> Request {
    Request { turns, ..Request::default() }
}

fn media(kind: MediaKind, source: Source, media_type: &str, name: Option<&str>) -> Block {
    let (media_type, name) = (Some(media_type.to_owned()), name.map(str::to_owned));
    Block::new(Content::Media(Media { kind, source, media_type, name, detail: None }))
}

fn call(id: &str, name: &str) -> Block {
    let (id, name, input) = (id.to_owned(), name.to_owned(), r#"{"c":2}"#.to_owned());
    Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None }))
}

fn result(id: &str, text: &str, failed: bool) -> Block {
    let (id, blocks) = (id.to_owned(), vec![Block::text(text)]);
    Block::new(Content::ToolResult(ToolResult { id, name: None, blocks, failed }))
}

fn function(name: &str) -> Tool {
    let schema = Some(json!({"type": "object", "properties": {"c": {"type": "integer"}}}));
    Tool::Function(Function { name: name.to_owned(), schema, ..Function::default() })
}

#[test]
fn a_whole_request_is_the_one_that_litellm_sends() {
    let look =
        media(MediaKind::Image, Source::Base64("iVBORw0KGgo=".to_owned()), "image/png", None);
    let request = Request {
        turns: vec![
            Turn::new(Role::System, vec![Block::text("sys")]),
            Turn::new(Role::User, vec![Block::text("look"), look]),
            Turn::new(Role::Assistant, vec![call("call_1", "get_w")]),
            Turn::new(Role::User, vec![result("call_1", "sunny", false)]),
            user("and now?"),
        ],
        tools: vec![function("get_w")],
        tool_choice: Some(ToolChoice::Required),
        sampling: Sampling {
            max_tokens: Some(64),
            temperature: Some(0.25),
            top_p: Some(0.5),
            stop: vec!["END".to_owned()],
            seed: Some(7),
            ..Sampling::default()
        },
        parallel_tools: Some(false),
        user: Some("u1".to_owned()),
        ..Request::default()
    };
    let (body, lost, _) = written_for(CLAUDE, request);
    let image = json!({"format": "png", "source": {"bytes": "iVBORw0KGgo="}});
    let schema = json!({"type": "object", "properties": {"c": {"type": "integer"}}});
    let wanted = json!({
        "messages": [
            {"role": "user", "content": [{"text": "look"}, {"image": image}]},
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "call_1", "name": "get_w", "input": {"c": 2}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "call_1", "content": [{"text": "sunny"}]}},
                {"text": "and now?"},
            ]},
        ],
        "system": [{"text": "sys"}],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "get_w", "inputSchema": {"json": schema}}}],
            "toolChoice": {"any": {}},
        },
        "inferenceConfig": {
            "maxTokens": 64, "temperature": 0.25, "topP": 0.5, "stopSequences": ["END"],
        },
    });
    assert_eq!(body, wanted);
    assert_eq!(lost.names().collect::<Vec<_>>(), ["parallel_tool_calls", "seed", "user"]);
}

#[test]
fn what_converse_has_no_word_for_stands_beside_it() {
    let thinking = Some(Thinking { effort: Some("low".to_owned()), ..Thinking::default() });
    let sampling = Sampling { top_k: Some(40.0), ..Sampling::default() };
    let rest = map(&json!({"anthropic_beta": ["b"], "guardrailConfig": {"trace": "enabled"}}));
    let request = || Request { thinking: thinking.clone(), ..asked(vec![user("hi")]) };
    let (body, ..) = written_for(NEW_CLAUDE, Request { rest, ..request() });
    let fields = &body["additionalModelRequestFields"];
    assert_eq!(fields["thinking"], json!({"type": "enabled", "budget_tokens": 1024}));
    assert_eq!(fields["anthropic_beta"], json!(["b"]));
    assert_eq!(body["inferenceConfig"]["maxTokens"], 5120);
    assert_eq!(body["guardrailConfig"]["trace"], "enabled");
    let (body, ..) = written_for(NOVA, Request { sampling, ..request() });
    let wanted = json!({
        "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
        "inferenceConfig": {"topK": 40},
    });
    assert_eq!(body["additionalModelRequestFields"], wanted);
    let (body, ..) = written_for("openai.gpt-oss-20b-1:0", request());
    assert_eq!(body["additionalModelRequestFields"], json!({"reasoning_effort": "low"}));
    let (_, lost, _) = written_for("meta.llama3-1-8b-instruct-v1:0", request());
    assert_eq!(lost.parts, ["reasoning_effort"]);
}

#[test]
fn a_schema_is_told_where_the_model_takes_one_and_else_made_a_tool() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}},
                        "additionalProperties": false});
    let format = |schema: &Value| {
        let (name, schema) = (Some("s".to_owned()), schema.clone());
        Some(Format::Schema { name, description: None, schema, strict: Some(true) })
    };
    let request = || Request { format: format(&schema), ..asked(vec![user("hi")]) };
    let (body, _, memo) = written_for(NEW_CLAUDE, request());
    let told = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!((told["name"].as_str(), memo.json_tool), (Some("s"), None));
    let told: Value = serde_json::from_str(told["schema"].as_str().unwrap()).unwrap();
    assert_eq!(told["properties"]["a"], json!({"type": "integer"}));
    let (body, _, memo) = written_for(CLAUDE, request());
    assert_eq!(memo.json_tool, Some("json_tool_call"));
    let choice = &body["toolConfig"]["toolChoice"];
    assert_eq!(*choice, json!({"tool": {"name": "json_tool_call"}}));
}

#[test]
fn names_and_ids_that_bedrock_refuses_are_others_and_known_again() {
    let turns = vec![
        user("hi"),
        Turn::new(Role::Assistant, vec![call("fc.1/ä", "1.w"), call("fc.1/ä", "1.w")]),
        Turn::new(Role::User, vec![result("fc.1/ä", "a", true), result("fc.1/ä", "b", false)]),
    ];
    let request = Request { tools: vec![function("1.w"), function("a1_w")], ..asked(turns) };
    let (body, _, memo) = written_for(CLAUDE, request);
    let calls = &body["messages"][1]["content"];
    assert_eq!(calls[0]["toolUse"]["toolUseId"], "fc_1__");
    assert_eq!(calls[1]["toolUse"]["toolUseId"], "fc_1___2");
    assert_eq!(calls[0]["toolUse"]["name"], "a1_w");
    let results = &body["messages"][2]["content"];
    assert_eq!(results[0]["toolResult"]["status"], "error");
    assert_eq!(results[1]["toolResult"]["toolUseId"], "fc_1___2");
    assert_eq!(body["toolConfig"]["tools"][1]["toolSpec"]["name"], "a1_w_2");
    assert_eq!(memo.named("a1_w".to_owned()), "1.w");
    assert_eq!(memo.named("a1_w_2".to_owned()), "a1_w");
}

#[test]
fn media_have_formats_and_documents_names() {
    let base64 = |data: &str| Source::Base64(data.to_owned());
    let blocks = vec![
        media(MediaKind::Document, base64("JVBERi0="), "application/pdf", Some("a_b  c.pdf")),
        media(MediaKind::Document, Source::Text("x".to_owned()), "text/plain", None),
        media(MediaKind::Document, Source::Text("y".to_owned()), "text/markdown", None),
        media(MediaKind::Video, Source::Url("s3://b/k.mov".to_owned()), "", None),
        media(MediaKind::Image, base64("/9j/AA"), "image/png", None),
        media(MediaKind::Audio, base64("AAAA"), "audio/mpeg", None),
    ];
    let (body, lost, _) = written_for(NOVA, asked(vec![Turn::new(Role::User, blocks)]));
    let wanted = json!([
        {"text": "."},
        {"document": {"format": "pdf", "name": "a b c pdf", "source": {"bytes": "JVBERi0="}}},
        {"document": {"format": "txt", "name": "document", "source": {"bytes": "eA=="}}},
        {"document": {"format": "md", "name": "document 2", "source": {"bytes": "eQ=="}}},
        {"video": {"format": "mov", "source": {"s3Location": {"uri": "s3://b/k.mov"}}}},
        {"image": {"format": "jpeg", "source": {"bytes": "/9j/AA"}}},
        {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}},
    ]);
    assert_eq!(body["messages"][0]["content"], wanted);
    assert_eq!(lost, Lost::default());
}

#[test]
fn only_claude_gets_its_thoughts_back_and_hints_become_points() {
    let proven =
        Thought { text: "hm".to_owned(), signature: Some("ErUB".to_owned()), ..Thought::default() };
    let hidden = Thought { hidden: Some("EqRK".to_owned()), ..Thought::default() };
    let mut kept = Block::text("long");
    kept.cache = Some(json!({"type": "ephemeral", "ttl": "1h"}));
    let thoughts = [proven, hidden].map(|thought| Block::new(Content::Thought(thought)));
    let turns = || {
        let own = Turn::new(Role::Assistant, [&thoughts[..], &[Block::text("yes")]].concat());
        vec![Turn::new(Role::System, vec![kept.clone()]), user("hi"), own, user("and?")]
    };
    let (body, ..) = written_for(NEW_CLAUDE, asked(turns()));
    let wanted = json!([
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "ErUB"}}},
        {"reasoningContent": {"redactedContent": "RXFSSw=="}},
        {"text": "yes"},
    ]);
    assert_eq!(body["messages"][1]["content"], wanted);
    assert_eq!(body["system"][1], json!({"cachePoint": {"type": "default", "ttl": "1h"}}));
    let (body, lost, _) = written_for("qwen.qwen3-32b-v1:0", asked(turns()));
    assert_eq!(body["messages"][1]["content"], json!([{"text": "yes"}]));
    assert_eq!(lost.hints, ["cache_control", "reasoning_content"]);
}

#[test]
fn embeddings_are_asked_in_the_words_of_the_models_maker() {
    let ask = |model: &str, input: Value| {
        let body = map(&json!({"model": "m", "input": input, "dimensions": 256}));
        write_embed(body, model, &mut Lost::default()).map(Value::Object)
    };
    let titan = ask("amazon.titan-embed-text-v2:0", json!("a")).unwrap();
    assert_eq!(titan, json!({"inputText": "a", "dimensions": 256}));
    let wanted =
        json!({"texts": ["a", "b"], "input_type": "search_document", "output_dimension": 256});
    assert_eq!(ask("cohere.embed-v4:0", json!(["a", "b"])).unwrap(), wanted);
    let refused = ask("amazon.titan-embed-text-v2:0", json!(["a", "b"])).unwrap_err();
    assert_eq!(refused.param, "input");
}
