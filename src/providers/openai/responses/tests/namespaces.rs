//! Namespaces of tools, and tools that stand among the items.
use super::{client, members, read, told};
use crate::providers::chat::{
    Answer, Block, Choice, Client, Content, Event, Function, Qualified, Tool, ToolUse, Write,
};
use crate::providers::openai::responses::Writer;
use serde_json::{Value, json};

fn namespace(name: &str) -> Value {
    json!({
        "type": "namespace",
        "name": name,
        "description": "About days.",
        "tools": [
            {"type": "function", "name": "today", "description": "Tells the day.", "parameters": {"type": "object"}},
            {"type": "custom", "name": "note"},
        ],
    })
}

fn functions(tools: &[Tool]) -> Vec<&Function> {
    let functions = tools.iter().map(|tool| match tool {
        Tool::Function(function) => function,
        Tool::Hosted(other) => panic!("{other} is no function"),
    });
    functions.collect()
}

fn in_calendar(name: &str) -> Option<Qualified> {
    Some(Qualified { namespace: "calendar".to_owned(), name: name.to_owned() })
}

/// A client whose tool `calendar__today` is `today` of a namespace, and `calendar__note` likewise.
fn of_calendar() -> Client {
    let names = ["today", "note"].map(|name| (format!("calendar__{name}"), in_calendar(name)));
    Client {
        custom: vec!["calendar__note".to_owned()],
        qualified: names.into_iter().filter_map(|(one, own)| Some((one, own?))).collect(),
        ..client(&json!({}))
    }
}

#[test]
fn the_tools_of_a_namespace_are_functions_with_longer_names() {
    let tools = read(json!({"input": "a", "tools": [namespace("calendar")]})).tools;
    let [today, note] = functions(&tools)[..] else { panic!("{tools:?}") };
    assert_eq!((today.name.as_str(), &today.qualified), ("calendar__today", &in_calendar("today")));
    assert_eq!(today.description.as_deref(), Some("About days.\n\nTells the day."));
    assert_eq!((note.name.as_str(), &note.qualified), ("calendar__note", &in_calendar("note")));
    assert!(note.custom && note.description.is_none());
}

#[test]
fn a_name_that_is_too_long_is_cut_and_stays_its_own() {
    let long = "n".repeat(70);
    let tools = read(json!({"input": "a", "tools": [namespace(&long), namespace("mcp__a__")]}));
    let names: Vec<&str> = functions(&tools.tools).iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names[..2].iter().map(|name| name.len()).collect::<Vec<_>>(), [64, 64]);
    assert_ne!(names[0], names[1]);
    assert_eq!(names[2..], ["mcp__a__today", "mcp__a__note"]);
}

#[test]
fn tools_among_the_items_are_offered_like_others() {
    let request = read(json!({
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [namespace("calendar")]},
            {"type": "message", "role": "user", "content": "a"},
        ],
        "tools": [{"type": "function", "name": "own"}],
    }));
    let names: Vec<&str> = functions(&request.tools).iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["own", "calendar__today", "calendar__note"]);
    assert_eq!(request.turns.len(), 1);
}

#[test]
fn calls_in_the_history_have_the_names_that_the_tools_have() {
    let request = read(json!({"input": [
        {"type": "function_call", "call_id": "1", "namespace": "calendar", "name": "today", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "2", "namespace": "calendar", "name": "note", "input": "x"},
        {"type": "function_call_output", "call_id": "1", "namespace": "calendar", "name": "today", "output": "Monday"},
    ]}));
    let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    let names = blocks.filter_map(|block| match &block.content {
        Content::ToolUse(call) => Some(call.name.clone()),
        Content::ToolResult(result) => result.name.clone(),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    assert_eq!(names, ["calendar__today", "calendar__note", "calendar__today"]);
}

#[test]
fn calls_are_answered_with_their_namespaces() {
    let call = |name: &str, input: &str| {
        let (id, name, input) = ("1".to_owned(), name.to_owned(), input.to_owned());
        Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None }))
    };
    let blocks = vec![
        call("calendar__today", "{}"),
        call("calendar__note", "{\"input\":\"x\"}"),
        call("other", ""),
    ];
    let answer =
        Answer { choices: vec![Choice { blocks, ..Choice::default() }], ..Answer::default() };
    let whole = told(answer.clone(), &of_calendar());
    let (mut writer, mut out) = (Writer::new(of_calendar()), Vec::new());
    answer.events().into_iter().for_each(|event: Event| writer.write(event, &mut out));
    let text = String::from_utf8(out).unwrap();
    let last = text.trim_end().rsplit("data: ").next().unwrap();
    let streamed: Value = serde_json::from_str(last).unwrap();
    for output in [&whole["output"], &streamed["response"]["output"]] {
        let told = output.as_array().unwrap().iter().map(|item| {
            let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            [text("type"), text("namespace"), text("name"), text("arguments") + &text("input")]
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ["function_call", "calendar", "today", "{}"],
                ["custom_tool_call", "calendar", "note", "x"],
                ["function_call", "", "other", "{}"],
            ]
        );
    }
    assert_eq!(members(whole["output"][2].clone()).get("namespace"), None);
}
