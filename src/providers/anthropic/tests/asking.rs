//! Requests for Anthropic.
use super::{asks, calls, gives, modified, refused, says, target, written};
use crate::providers::anthropic::write_request;
use crate::providers::chat::{
    Block, Content, Format, Function, Lost, Media, MediaKind, Request, Role, Sampling, Source,
    Target, Thinking, Thought, Tool, ToolChoice, Turn,
};
use serde_json::{Value, json};

fn weather() -> Tool {
    Tool::Function(Function {
        name: "get_w".into(),
        description: Some("Weather".into()),
        schema: Some(json!({"type": "object", "properties": {"c": {"type": "integer"}}})),
        strict: Some(true),
        ..Function::default()
    })
}

fn picture(data: &str) -> Block {
    Block::new(Content::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64(data.into()),
        media_type: Some("image/png".into()),
        name: None,
        detail: None,
    }))
}

fn effort(effort: &str) -> Option<Thinking> {
    Some(Thinking { effort: Some(effort.into()), ..Thinking::default() })
}

#[test]
fn a_request_of_a_chat_client_is_asked_in_anthropics_words() {
    let turns = vec![
        says(Role::System, "sys"),
        Turn::new(Role::User, vec![Block::text("look"), picture("iVBORw0KGgo=")]),
        Turn::new(Role::Assistant, vec![calls("call_1", "get_w", "{\"c\": 2}")]),
        Turn::new(Role::User, vec![gives("call_1", "sunny")]),
        says(Role::User, "and now?"),
    ];
    let request = Request {
        turns,
        tools: vec![weather()],
        tool_choice: Some(ToolChoice::Required),
        parallel_tools: Some(false),
        sampling: Sampling {
            max_tokens: Some(64),
            temperature: Some(0.2),
            top_p: Some(0.9),
            stop: vec!["END".into(), " ".into()],
            seed: Some(7),
            ..Sampling::default()
        },
        user: Some("u1".into()),
        ..Request::default()
    };
    let (written, lost) = written(request, "claude-3-5-sonnet-20241022");
    let schema = json!({"type": "object", "properties": {"c": {"type": "integer"}}});
    let want = json!({
        "model": "claude-3-5-sonnet-20241022",
        "system": [{"type": "text", "text": "sys"}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "source": {
                    "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            ]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "get_w", "input": {"c": 2}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
                {"type": "text", "text": "and now?"},
            ]},
        ],
        "tools": [{"name": "get_w", "input_schema": schema, "description": "Weather"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "max_tokens": 64,
        "temperature": 0.2,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u1"},
    });
    assert_eq!(Value::Object(written.body), want);
    assert_eq!(
        (lost.parts, lost.hints),
        (vec!["seed".into(), "stop".into()], vec!["strict".into()])
    );
}

#[test]
fn a_result_stands_before_the_words_of_its_turn() {
    let turn = Turn::new(Role::User, vec![Block::text("so?"), gives("a", "1")]);
    let call = Turn::new(Role::Assistant, vec![calls("a", "f", "")]);
    let (written, _) = written(asks(vec![says(Role::User, "x"), call, turn]), "claude-3-haiku");
    let content = &written.body["messages"][2]["content"];
    assert_eq!((&content[0]["type"], &content[1]["text"]), (&json!("tool_result"), &json!("so?")));
}

#[test]
fn a_conversation_begins_with_the_user() {
    let begun = || asks(vec![says(Role::Assistant, "Hi \n"), says(Role::User, "x")]);
    assert_eq!(refused(begun(), "claude-3-haiku").param, "messages");
    let body = modified(begun(), "claude-3-haiku");
    assert_eq!(body["messages"][0]["content"][0]["text"], ".");
    assert_eq!(refused(asks(vec![says(Role::User, " ")]), "claude-3-haiku").param, "messages");
}

#[test]
fn instructions_alone_are_said_by_the_user() {
    let (written, _) = written(asks(vec![says(Role::System, "Go")]), "claude-3-haiku");
    assert_eq!(written.body["messages"][0]["role"], "user");
    assert!(!written.body.contains_key("system"));
    let body = modified(asks(vec![says(Role::System, "Go")]), "claude-3-haiku");
    assert_eq!(body["system"][0]["text"], "Go");
}

#[test]
fn an_answer_that_is_to_go_on_ends_without_space() {
    let turns = || vec![says(Role::User, "x"), says(Role::Assistant, "The \n")];
    let (written, _) = written(asks(turns()), "claude-3-haiku");
    assert_eq!(written.body["messages"][1]["content"][0]["text"], "The");
    assert_eq!(modified(asks(turns()), "claude-opus-4-8")["messages"][2]["role"], "user");
}

#[test]
fn ids_are_valid_and_each_one_is_there_once() {
    let call =
        || Turn::new(Role::Assistant, vec![calls("a:1", "f", "{}"), calls("a:1", "f", "{}")]);
    let result = || Turn::new(Role::User, vec![gives("a:1", "1"), gives("a:1", "2")]);
    let turns = vec![says(Role::User, "x"), call(), result(), call(), result()];
    let (written, _) = written(asks(turns), "claude-3-haiku");
    let ids = |turn: usize, name: &str| {
        let block = |at: usize| &written.body["messages"][turn]["content"][at][name];
        [block(0).as_str().unwrap().to_owned(), block(1).as_str().unwrap().to_owned()]
    };
    assert_eq!(ids(1, "id")[0], "a_1");
    let all = [ids(1, "id"), ids(3, "id")].concat();
    assert!((0..4).all(|one| (0..one).all(|other| all[one] != all[other])), "{all:?}");
    assert_eq!((ids(1, "id"), ids(3, "id")), (ids(2, "tool_use_id"), ids(4, "tool_use_id")));
}

#[test]
fn thoughts_need_room_and_no_other_settings() {
    let request = |max_tokens| Request {
        thinking: effort("low"),
        tools: vec![weather()],
        tool_choice: Some(ToolChoice::Required),
        sampling: Sampling { max_tokens, temperature: Some(0.2), ..Sampling::default() },
        ..asks(vec![says(Role::User, "x")])
    };
    let (first, lost) = written(request(None), "claude-sonnet-4-5");
    assert_eq!(first.body["thinking"], json!({"type": "enabled", "budget_tokens": 1024}));
    assert_eq!(first.body["max_tokens"], 5120);
    assert_eq!(first.body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(lost.parts, ["tool_choice", "temperature"]);
    let (short, _) = written(request(Some(100)), "claude-sonnet-4-5");
    assert_eq!(short.body["max_tokens"], 1124);
    let target = Target { max_output: Some(4096), ..target("claude-sonnet-4-5") };
    let request = Request { thinking: effort("max"), ..request(None) };
    let body = write_request(request, &target, &mut Lost::default()).unwrap().body;
    assert_eq!(body["thinking"]["budget_tokens"], 3072);
    assert_eq!(body["max_tokens"], 4096);
}

#[test]
fn newer_models_decide_themselves_how_much_they_think() {
    let think = |thinking, model: &str| {
        let request = Request { thinking, ..asks(vec![says(Role::User, "x")]) };
        let (written, _) = written(request, model);
        let member = |name: &str| written.body.get(name).cloned().unwrap_or_default();
        (member("thinking"), member("output_config"))
    };
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    let want = (adaptive, json!({"effort": "xhigh"}));
    assert_eq!(think(effort("xhigh"), "claude-opus-4-8"), want);
    let want = (json!({"type": "adaptive"}), json!({"effort": "high"}));
    assert_eq!(think(effort("xhigh"), "claude-opus-4-6"), want);
    let budget = Some(Thinking { budget: Some(2000), on: Some(true), ..Thinking::default() });
    let enabled = json!({"type": "enabled", "budget_tokens": 2000});
    assert_eq!(think(budget.clone(), "claude-opus-4-6").0, enabled);
    assert_eq!(think(budget, "claude-sonnet-5").1, json!({"effort": "medium"}));
    let nothing = || (Value::Null, Value::Null);
    assert_eq!(think(effort("none"), "claude-sonnet-4-5"), nothing());
    assert_eq!(think(effort("none"), "claude-sonnet-5").0, json!({"type": "disabled"}));
    assert_eq!(think(effort("none"), "claude-sonnet-5-5").0, json!({"type": "between_tools"}));
    assert_eq!(think(effort("none"), "claude-fable-5"), nothing());
    assert_eq!(think(effort("low"), "claude-3-5-haiku-20241022"), nothing());
}

#[test]
fn steps_without_their_thoughts_go_on_without_thoughts() {
    let turns = |thoughts: Vec<Block>| {
        let blocks = [thoughts, vec![calls("a", "f", "{}")]].concat();
        let call = Turn::new(Role::Assistant, blocks);
        vec![says(Role::User, "x"), call, Turn::new(Role::User, vec![gives("a", "1")])]
    };
    let request = |thoughts| Request { thinking: effort("low"), ..asks(turns(thoughts)) };
    let thought = |signature: Option<&str>| {
        let signature = signature.map(str::to_owned);
        let text = "hm".into();
        vec![Block::new(Content::Thought(Thought { text, signature, ..Thought::default() }))]
    };
    let (proven, _) = written(request(thought(Some("s"))), "claude-sonnet-4-5");
    assert_eq!(proven.body["messages"][1]["content"][0]["signature"], "s");
    assert!(proven.body.contains_key("thinking"));
    let (unproven, lost) = written(request(thought(None)), "claude-sonnet-4-5");
    assert!(!unproven.body.contains_key("thinking"));
    assert_eq!(unproven.body["messages"][1]["content"][0]["type"], "tool_use");
    assert_eq!(
        (lost.hints, lost.parts),
        (vec!["reasoning_content".into()], vec!["reasoning_effort".into()])
    );
}

#[test]
fn schemas_are_asked_for_where_the_model_takes_them() {
    let request = || Request {
        format: Some(Format::Schema {
            name: Some("n".into()),
            description: None,
            schema: json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}),
            strict: Some(true),
        }),
        ..asks(vec![says(Role::User, "x")])
    };
    let schema = json!({
        "type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "schema": schema});
    let (beta, _) = written(request(), "claude-sonnet-4-5");
    assert_eq!(beta.body["output_format"], format);
    assert_eq!(beta.headers, [("anthropic-beta", "structured-outputs-2025-11-13".to_owned())]);
    let (stable, _) = written(request(), "claude-opus-5");
    assert_eq!((&stable.body["output_config"]["format"], stable.headers.len()), (&format, 0));
    let (tool, _) = written(request(), "claude-3-haiku-20240307");
    assert_eq!(tool.memo.json_tool, Some("json_tool_call"));
    assert_eq!(tool.body["tool_choice"], json!({"type": "tool", "name": "json_tool_call"}));
    assert_eq!(tool.body["tools"][0]["input_schema"]["properties"]["a"]["minimum"], 1);
}

#[test]
fn a_hidden_tool_stands_beside_those_of_the_client() {
    let request = Request {
        format: Some(Format::Json),
        tools: vec![weather()],
        thinking: effort("low"),
        ..asks(vec![says(Role::User, "x")])
    };
    let (both, lost) = written(request.clone(), "claude-3-7-sonnet-latest");
    assert_eq!(both.body["tool_choice"], json!({"type": "auto"}));
    assert_eq!((both.body["tools"].as_array().unwrap().len(), lost.parts.len()), (2, 0));
    let (any, _) = written(Request { thinking: None, ..request }, "claude-3-7-sonnet-latest");
    assert_eq!(any.body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn calls_without_tools_get_one_if_that_may_be() {
    let call = Turn::new(Role::Assistant, vec![calls("a", "f", "{}")]);
    let turns = vec![says(Role::User, "x"), call, Turn::new(Role::User, vec![gives("a", "1")])];
    assert_eq!(modified(asks(turns), "claude-3-haiku")["tools"][0]["name"], "dummy_tool");
}
