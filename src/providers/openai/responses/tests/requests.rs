//! Requests.
use super::{members, read};
use crate::providers::chat::{
    Block, Content, Format, Lost, Request, Role, Target, Thought, Tool, ToolChoice, ToolUse, Turn,
};
use crate::providers::openai::responses::{read_request, write_request};
use serde_json::{Map, Value, json};

const TARGET: Target<'_> = Target {
    provider: "openai",
    row: None,
    model: "o",
    like: "o",
    max_output: None,
    thinks: None,
    modify: false,
};

fn written(request: Request, lost: &mut Lost) -> Map<String, Value> {
    write_request(request, &TARGET, lost).unwrap().body
}

fn roles(request: &Request) -> Vec<Role> {
    request.turns.iter().map(|turn| turn.role).collect()
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"})
}

fn output(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": id})
}

#[test]
fn instructions_are_the_first_turn_and_go_back_to_where_they_were() {
    let request = read(json!({"model": "m", "instructions": "be brief", "input": "hi"}));
    assert_eq!(roles(&request), [Role::System, Role::User]);
    let body = written(request, &mut Lost::default());
    assert_eq!(body["instructions"], "be brief");
    assert_eq!(body["input"], json!([{"role": "user", "content": "hi"}]));
}

#[test]
fn items_of_the_model_that_follow_each_other_are_one_turn() {
    let request = read(json!({"input": [
        {"role": "user", "content": [{"type": "input_text", "text": "go"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "on it"}]},
        call("a"),
        call("b"),
        output("a"),
        output("b"),
    ]}));
    assert_eq!(roles(&request), [Role::User, Role::Assistant, Role::User]);
    assert_eq!(request.turns[1].blocks.len(), 4);
    assert_eq!(request.turns[2].blocks.len(), 2);
}

#[test]
fn a_result_follows_the_turn_of_its_call_wherever_it_stood() {
    let request = read(json!({"input": [
        call("a"),
        call("b"),
        {"role": "developer", "content": "hurry"},
        output("b"),
        call("c"),
        output("a"),
        output("c"),
        output("elsewhere"),
    ]}));
    let user = Role::User;
    let model = Role::Assistant;
    assert_eq!(roles(&request), [model, user, Role::Developer, model, user, user]);
    assert_eq!(request.turns[1].blocks.len(), 2);
}

#[test]
fn an_id_that_is_used_again_names_the_last_call() {
    let input = json!({"input": [call("a"), output("a"), call("a"), output("a")]});
    assert_eq!(roles(&read(input)).len(), 4);
}

#[test]
fn a_custom_tool_is_a_function_of_its_input_and_its_grammar_is_told() {
    let request = read(json!({
        "input": [
            {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "say \"x\""},
            {"type": "custom_tool_call_output", "call_id": "a", "output": "done"},
        ],
        "tools": [{"type": "custom", "name": "patch", "description": "Edits.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}}],
        "tool_choice": {"type": "custom", "name": "patch"},
    }));
    let Tool::Function(function) = &request.tools[0] else { panic!("it is a function") };
    assert!(function.custom && function.description.as_ref().unwrap().ends_with("start: WORD"));
    let Content::ToolUse(call) = &request.turns[0].blocks[0].content else { panic!("a call") };
    assert_eq!(call.input, r#"{"input":"say \"x\""}"#);
    let body = written(request, &mut Lost::default());
    assert_eq!(body["input"][0]["input"], "say \"x\"");
    assert_eq!(body["input"][1]["type"], "custom_tool_call_output");
    assert_eq!(body["tool_choice"], json!({"type": "custom", "name": "patch"}));
}

#[test]
fn media_become_what_they_were() {
    let parts = json!([
        {"type": "input_image", "detail": "low", "image_url": "data:image/gif;base64,AA=="},
        {"type": "input_image", "detail": "auto", "file_id": "file_1"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB=="},
        {"type": "input_file", "file_url": "https://example.com/b.pdf"},
    ]);
    let request = read(json!({"input": [{"role": "user", "content": parts.clone()}]}));
    let mut lost = Lost::default();
    assert_eq!(written(request, &mut lost)["input"][0]["content"], parts);
    assert_eq!(lost, Lost::default());
}

#[test]
fn a_sound_cannot_be_asked() {
    let part = json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}});
    let mut lost = Lost::default();
    written(read(json!({"input": [{"role": "user", "content": [part]}]})), &mut lost);
    assert_eq!(lost.parts, ["input_audio"]);
}

#[test]
fn parameters_become_what_they_were() {
    let body = json!({
        "model": "o",
        "store": true,
        "previous_response_id": "resp_1",
        "input": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "web_search", "search_context_size": "low"}],
        "tool_choice": {"type": "web_search_preview"},
        "parallel_tool_calls": false,
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n",
            "schema": {"type": "object"}, "strict": true}},
        "reasoning": {"effort": "high", "summary": "auto", "context": "all_turns"},
        "max_output_tokens": 99,
        "temperature": 0.5,
        "top_p": 0.25,
        "top_logprobs": 3,
        "include": ["message.output_text.logprobs"],
        "user": "u",
        "metadata": {"k": "v"},
        "stream": true,
    });
    let mut lost = Lost::default();
    let written = Value::Object(written(read(body.clone()), &mut lost));
    assert_eq!(written, body);
    assert_eq!(lost, Lost::default());
}

#[test]
fn what_is_not_said_is_not_kept_by_openai_and_its_thoughts_come_along() {
    let body = written(read(json!({"input": "hi"})), &mut Lost::default());
    assert_eq!(body["store"], false);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    let plain = Target { thinks: Some(false), ..TARGET };
    let request = read(json!({"input": "hi", "store": false}));
    let body = write_request(request, &plain, &mut Lost::default()).unwrap().body;
    assert!(!body.contains_key("include"));
}

#[test]
fn only_thoughts_in_a_cipher_of_openai_are_sent_back() {
    let thought = |hidden: Option<&str>, id: Option<&str>| {
        let (hidden, id) = (hidden.map(str::to_owned), id.map(str::to_owned));
        let text = "hm".to_owned();
        Block::new(Content::Thought(Thought { text, signature: None, hidden, id }))
    };
    let blocks = vec![
        thought(None, None),
        thought(Some("Eq8BCk"), None),
        thought(Some("gAAAAABn"), None),
        thought(Some("other"), Some("rs_1")),
    ];
    let turns = vec![Turn::new(Role::Assistant, blocks)];
    let mut lost = Lost::default();
    let body = written(Request { turns, ..Request::default() }, &mut lost);
    let sent = body["input"].as_array().unwrap();
    let ciphers: Vec<_> = sent.iter().map(|item| &item["encrypted_content"]).collect();
    assert_eq!(ciphers, ["gAAAAABn", "other"]);
    assert_eq!(lost.hints, ["messages.reasoning_content"]);
}

#[test]
fn what_responses_cannot_do_is_reported() {
    let mut request = read(json!({"input": "hi"}));
    request.sampling.seed = Some(1);
    request.sampling.stop = vec!["x".to_owned()];
    request.sampling.choices = Some(2);
    request.metadata = Some(json!({"n": 1}));
    request.rest.insert("prediction".to_owned(), json!({}));
    let mut lost = Lost::default();
    written(request, &mut lost);
    assert_eq!(lost.parts, ["stop", "seed", "n"]);
    assert_eq!(lost.hints, ["metadata", "prediction"]);
}

#[test]
fn tools_of_others_become_those_of_openai() {
    let mut request = read(json!({"input": "hi"}));
    request.tools = vec![
        Tool::Hosted(json!({"type": "web_search_20250305", "name": "web_search",
            "allowed_domains": ["example.com"]})),
        Tool::Hosted(json!({"codeExecution": {}})),
        Tool::Hosted(json!({"type": "bash_20250124", "name": "bash"})),
    ];
    let mut lost = Lost::default();
    let body = written(request, &mut lost);
    assert_eq!(
        body["tools"],
        json!([
            {"type": "web_search", "filters": {"allowed_domains": ["example.com"]}},
            {"type": "code_interpreter", "container": {"type": "auto"}},
        ])
    );
    assert_eq!(lost.parts, ["tools"]);
}

#[test]
fn a_signature_travels_with_the_id_of_its_call() {
    let request = read(json!({"input": [call("a__thought__s+/="), output("a__thought__s+/=")]}));
    let signed = ToolUse {
        id: "a".to_owned(),
        name: "f".to_owned(),
        input: "{}".to_owned(),
        signature: Some("s+/=".to_owned()),
    };
    assert_eq!(request.turns[0].blocks[0].content, Content::ToolUse(signed));
    assert_eq!(roles(&request), [Role::Assistant, Role::User]);
}

#[test]
fn choices_of_tools_are_understood() {
    let choice = |choice: Value| read(json!({"input": "", "tool_choice": choice})).tool_choice;
    assert_eq!(choice(json!("required")), Some(ToolChoice::Required));
    let allowed = json!({"type": "allowed_tools", "mode": "auto",
        "tools": [{"type": "function", "name": "f"}]});
    let among = ToolChoice::Among { names: vec!["f".to_owned()], required: false };
    assert_eq!(choice(allowed), Some(among));
    assert_eq!(
        read(json!({"input": "", "text": {"format": {"type": "json_object"}}})).format,
        Some(Format::Json)
    );
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (body, param) in [
        (json!({}), "input"),
        (json!({"input": 1}), "input"),
        (json!({"input": [1]}), "input[0]"),
        (json!({"input": [{"role": "user"}]}), "input[0].content"),
        (json!({"input": [{"role": "robot", "content": ""}]}), "input[0].role"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "input[0].content[0]",
        ),
        (
            json!({"input": [{"type": "function_call", "call_id": "a", "name": "f"}]}),
            "input[0].arguments",
        ),
        (json!({"input": "", "tools": {}}), "tools"),
        (json!({"input": "", "tools": [{"type": "function"}]}), "tools[0].name"),
        (json!({"input": "", "tool_choice": "any"}), "tool_choice"),
        (json!({"input": "", "temperature": "hot"}), "temperature"),
        (json!({"input": "", "max_output_tokens": -1}), "max_output_tokens"),
        (json!({"input": "", "stream": "yes"}), "stream"),
        (json!({"input": "", "text": {"format": {"type": "xml"}}}), "text.format"),
    ] {
        let mistake = read_request(members(body.clone())).unwrap_err();
        assert_eq!(mistake.param, param, "{body}: {mistake}");
    }
}
