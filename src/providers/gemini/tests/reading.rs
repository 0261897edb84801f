use super::{client, members};
use crate::providers::chat::{
    Answer, Block, Choice, Content, Event, Format, Role, Thought, ToolChoice, Turn, Write,
};
use crate::providers::gemini::{Writer, read_request, write_answer};
use serde_json::{Value, json};

#[test]
fn a_client_may_write_camel_case_or_snake_case() {
    let camel = json!({
        "systemInstruction": {"parts": [{"text": "sys"}]},
        "contents": [{"role": "user", "parts": [
            {"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "_-8="}},
        ]}],
        "tools": [{"functionDeclarations": [{
            "name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {
                "type": "STRING", "nullable": true,
            }}},
        }]}, {"googleSearch": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": "64", "topP": 0.9, "stopSequences": ["END"],
            "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": true},
            "responseMimeType": "application/json", "speechConfig": {},
        },
    });
    let snake = json!({
        "system_instruction": "sys",
        "contents": [{"parts": [
            {"text": "look"}, {"inline_data": {"mime_type": "image/png", "data": "/+8="}},
        ]}],
        "tools": [{"function_declarations": [{
            "name": "f", "parameters_json_schema": {"type": "object", "properties": {"a": {
                "type": ["string", "null"],
            }}},
        }]}, {"google_search": {}}],
        "tool_config": {"function_calling_config": {
            "mode": "ANY", "allowed_function_names": ["f"],
        }},
        "generation_config": {
            "max_output_tokens": 64, "top_p": 0.9, "stop_sequences": ["END"],
            "thinking_config": {"thinking_budget": 100, "include_thoughts": true},
            "response_mime_type": "application/json", "speechConfig": {},
        },
    });
    let read = read_request(members(camel)).unwrap();
    assert_eq!(read, read_request(members(snake)).unwrap());
    assert_eq!(read.tool_choice, Some(ToolChoice::Tool("f".to_owned())));
    assert_eq!(read.format, Some(Format::Json));
    assert_eq!(read.sampling.max_tokens, Some(64));
    assert_eq!(Value::Object(read.rest), json!({"generationConfig": {"speechConfig": {}}}));
}

#[test]
fn a_result_without_an_id_is_of_the_latest_call_of_its_tool() {
    let call = |city: &str| json!({"functionCall": {"name": "f", "args": {"city": city}}});
    let given =
        |text: &str| json!({"functionResponse": {"name": "f", "response": {"output": text}}});
    let body = json!({"contents": [
        {"role": "model", "parts": [call("A")]},
        {"role": "model", "parts": [call("B"), call("C")]},
        {"role": "function", "parts": [given("b"), given("c")]},
    ]});
    let read = read_request(members(body)).unwrap();
    let ids: Vec<_> = read
        .turns
        .iter()
        .flat_map(|turn| &turn.blocks)
        .map(|block| match &block.content {
            Content::ToolUse(call) => call.id.clone(),
            Content::ToolResult(result) => result.id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids[3..], ids[1..3]);
    assert_ne!(ids[1], ids[2]);
    assert!(ids[0].starts_with("call_") && ids[0].len() == 33, "{}", ids[0]);
    let Content::ToolResult(first) = &read.turns[2].blocks[0].content else { panic!() };
    assert_eq!((first.text().as_str(), first.failed), ("b", false));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let wrong = |body: Value| read_request(members(body)).unwrap_err().param;
    assert_eq!(wrong(json!({})), "contents");
    assert_eq!(wrong(json!({"contents": "hi"})), "contents");
    assert_eq!(wrong(json!({"contents": [{"role": "system", "parts": []}]})), "contents[0].role");
    let text = json!({"contents": [{"parts": [{"text": 1}]}]});
    assert_eq!(wrong(text), "contents[0].parts[0].text");
    let config = json!({"contents": [{"parts": []}], "generationConfig": {"topP": "many"}});
    assert_eq!(wrong(config), "generationConfig.topP");
}

#[test]
fn a_client_carries_thoughts_in_another_providers_cipher_back() {
    let told = |hidden: &str, id: Option<&str>, text: &str| Thought {
        text: text.to_owned(),
        hidden: Some(hidden.to_owned()),
        id: id.map(str::to_owned),
        ..Thought::default()
    };
    let thoughts = [told("gAA-_A==", Some("rs_1"), "Hm."), told("Em8=", None, "")];
    let blocks: Vec<Block> =
        thoughts.into_iter().map(|it| Block::new(Content::Thought(it))).collect();
    let choice = Choice { blocks: blocks.clone(), ..Choice::default() };
    let answer = Answer { choices: vec![choice], ..Answer::default() };
    let whole = write_answer(answer.clone(), &client(false));
    let (mut writer, mut stream) = (Writer::new(client(true)), Vec::new());
    answer.events().into_iter().for_each(|event: Event| writer.write(event, &mut stream));
    let stream: Vec<Value> = serde_json::from_slice(&stream).unwrap();
    let parts = |told: &Value| told["candidates"][0]["content"]["parts"].as_array().cloned();
    let streamed: Vec<Value> = stream.iter().filter_map(parts).flatten().collect();
    for parts in [parts(&whole).unwrap(), streamed] {
        let body = json!({"contents": [{"role": "model", "parts": parts}]});
        let read = read_request(members(body)).unwrap();
        assert_eq!(read.turns, [Turn::new(Role::Assistant, blocks.clone())]);
    }
}
