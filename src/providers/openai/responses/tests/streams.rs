//! Streams as clients see them.
use super::client;
use crate::providers::chat::{Citation, Client, Event, Finish, InBand, Write};
use crate::providers::openai::responses::Writer;
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};

/// The events that are written for these.
fn written(client: Client, events: impl IntoIterator<Item = Event>) -> Vec<Value> {
    let (mut writer, mut out) = (Writer::new(client), Vec::new());
    for event in events {
        writer.write(event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let value: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: ").unwrap(), value["type"]);
        value
    });
    let events: Vec<Value> = events.collect();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds.map(|kind| kind.trim_start_matches("response.")).collect()
}

fn start() -> Event {
    Event::Start { id: Some("chatcmpl-1".to_owned()), model: Some("real".to_owned()) }
}

fn tool(tool: u32, name: &str) -> Event {
    let id = format!("call_{tool}");
    Event::ToolUse { choice: 0, tool, id, name: name.to_owned(), signature: None }
}

fn arguments(tool: u32, json: &str) -> Event {
    Event::Arguments { choice: 0, tool, json: json.to_owned() }
}

#[test]
fn an_answer_is_told_by_its_whole_grammar() {
    let events = written(
        client(&json!({})),
        [
            start(),
            Event::Thought(0, "hm".to_owned()),
            Event::Signature(0, "sig".to_owned()),
            Event::Text(0, "He".to_owned()),
            Event::Text(0, "llo".to_owned()),
            tool(0, "f"),
            arguments(0, "{\"a\":"),
            arguments(0, "1}"),
            Event::Finish(0, Finish::Tools),
            Event::Usage(Usage::tokens(3, 2)),
            Event::End,
        ],
    );
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["model"], "real");
    assert_eq!(response["usage"]["total_tokens"], 5);
    assert_eq!(response["output"][0]["encrypted_content"], "signature:sig");
    assert_eq!(response["output"][1]["content"][0]["text"], "Hello");
    assert_eq!(response["output"][2]["arguments"], "{\"a\":1}");
    assert_eq!(events[0]["response"]["output"], json!([]));
}

#[test]
fn calls_may_be_told_in_turns() {
    let events = written(
        client(&json!({})),
        [tool(0, "f"), tool(1, "g"), arguments(1, "{}"), arguments(0, "[]"), Event::End],
    );
    let output = &events.last().unwrap()["response"]["output"];
    assert_eq!((&output[0]["arguments"], &output[1]["arguments"]), (&json!("[]"), &json!("{}")));
}

#[test]
fn each_call_ends_before_the_next_one_begins() {
    let pieces = [
        tool(0, "f"),
        arguments(0, "{\"a\":"),
        // Another one begins before the first is whole.
        tool(1, "g"),
        arguments(1, "{}"),
        arguments(0, "1}"),
        tool(2, "h"),
        Event::End,
    ];
    let events = written(client(&json!({})), pieces);
    let items =
        events.iter().filter(|event| event["item_id"].is_null() && event["item"].is_object());
    let told: Vec<(&str, &Value)> =
        items.map(|event| (event["type"].as_str().unwrap(), &event["item"]["name"])).collect();
    let (added, done) = ("response.output_item.added", "response.output_item.done");
    let wanted = ["f", "g", "h"].map(|name| [(added, json!(name)), (done, json!(name))]);
    let wanted = wanted.as_flattened().iter().map(|(kind, name)| (*kind, name));
    assert_eq!(told, wanted.collect::<Vec<_>>());
    let output = &events.last().unwrap()["response"]["output"];
    let all = [0, 1, 2].map(|at| output[at]["arguments"].as_str().unwrap());
    assert_eq!(all, ["{\"a\":1}", "{}", "{}"]);
}

#[test]
fn free_text_leaves_its_arguments_piece_by_piece() {
    let text = "a \"quoted\"\n\u{1F600}é\\";
    for arguments_of in [
        json!({ "input": text }).to_string(),
        format!("{{ \"input\" :\t{} }}", json!(text)),
        "{\"input\":\"a \\\"quoted\\\"\\n\\ud83d\\ude00\\u00e9\\\\\"}".to_owned(),
    ] {
        let pieces = arguments_of.char_indices().map(|(_, one)| arguments(0, &one.to_string()));
        let events = [tool(0, "patch")].into_iter().chain(pieces).chain([Event::End]);
        let events = written(client(&json!({})), events);
        let deltas =
            events.iter().filter(|event| event["type"] == "response.custom_tool_call_input.delta");
        let told: String = deltas.map(|event| event["delta"].as_str().unwrap()).collect();
        assert_eq!(told, text);
        assert_eq!(events.last().unwrap()["response"]["output"][0]["input"], text);
    }
}

#[test]
fn what_is_no_free_text_is_told_as_it_is() {
    for (arguments_of, text) in [
        ("plain", "plain"),
        ("{\"other\":1}", "{\"other\":1}"),
        ("", ""),
        ("{\"why\":1,\"input\":\"x\"}", "x"),
    ] {
        let events = [tool(0, "patch"), arguments(0, arguments_of), Event::End];
        let events = written(client(&json!({})), events);
        assert_eq!(events.last().unwrap()["response"]["output"][0]["input"], text);
    }
}

#[test]
fn a_citation_is_of_the_text_before_it() {
    let cited = |url: &str| {
        Event::Citation(0, Citation { url: Some(url.to_owned()), ..Citation::default() })
    };
    let events = written(
        client(&json!({})),
        [
            Event::Text(0, "äbc".to_owned()),
            cited("https://a"),
            cited("https://b"),
            Event::Text(0, "de".to_owned()),
            cited("https://c"),
            Event::End,
        ],
    );
    let annotations = &events.last().unwrap()["response"]["output"][0]["content"][0]["annotations"];
    let places =
        [0, 1, 2].map(|at| (&annotations[at]["start_index"], &annotations[at]["end_index"]));
    assert_eq!(
        places.map(|(start, end)| (start.as_u64(), end.as_u64())),
        [(Some(0), Some(3)), (Some(0), Some(3)), (Some(3), Some(5))]
    );
}

#[test]
fn an_answer_that_was_cut_ends_incomplete() {
    let events =
        [start(), Event::Text(0, "a".to_owned()), Event::Finish(0, Finish::Length), Event::End];
    let events = written(client(&json!({})), events);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
}

#[test]
fn nothing_follows_a_failure_and_no_ending_is_made_up() {
    let failure =
        InBand { kind: Some("overloaded".to_owned()), status: None, message: "no".to_owned() };
    let events = [start(), Event::Text(0, "a".to_owned()), Event::Error(failure), Event::End];
    let events = written(client(&json!({})), events);
    let last = events.last().unwrap();
    assert_eq!(
        (&last["type"], &last["code"], &last["message"]),
        (&json!("error"), &json!("overloaded"), &json!("no"))
    );
    let cut = written(client(&json!({})), [start(), Event::Text(0, "a".to_owned())]);
    assert_eq!(kinds(&cut).last(), Some(&"output_text.delta"));
}

#[test]
fn an_answer_too_long_to_be_repeated_fails() {
    let events = [start(), Event::Hidden(0, "x".repeat(65 << 20), None), Event::End];
    let events = written(client(&json!({})), events);
    assert_eq!(events.last().unwrap()["type"], "error");
}
