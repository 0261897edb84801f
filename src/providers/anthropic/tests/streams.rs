//! Streams.
use super::client;
use crate::providers::anthropic::{Reader, Writer};
use crate::providers::chat::{Event, Finish, InBand, Memo, Read, Write};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Value, json};

fn told(events: Vec<Event>) -> Vec<Value> {
    let (mut writer, mut out) = (Writer::new(client()), Vec::new());
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    let text = String::from_utf8(out).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// Each event as its block's index and what it says.
fn outline(events: Vec<Event>) -> Vec<String> {
    let line = |event: Value| match event["type"].as_str().unwrap() {
        "content_block_start" => {
            let block = &event["content_block"];
            let name = block["name"].as_str().or_else(|| block["type"].as_str()).unwrap();
            format!("{}+{name}", event["index"])
        }
        "content_block_delta" => {
            let (_, said) = event["delta"].as_object().unwrap().iter().nth(1).unwrap();
            format!("{}={}", event["index"], said.as_str().unwrap())
        }
        "content_block_stop" => format!("{}.", event["index"]),
        "message_delta" => event["delta"]["stop_reason"].as_str().unwrap().to_owned(),
        kind => kind.to_owned(),
    };
    told(events).into_iter().map(line).collect()
}

fn start() -> Event {
    Event::Start { id: None, model: None }
}

fn call(tool: u32, name: &str) -> Event {
    let (id, name) = (format!("c{tool}"), name.to_owned());
    Event::ToolUse { choice: 0, tool, id, name, signature: None }
}

fn more(tool: u32, json: &str) -> Event {
    Event::Arguments { choice: 0, tool, json: json.into() }
}

#[test]
fn an_answer_is_told_block_by_block() {
    let lines = outline(vec![
        start(),
        Event::Thought(0, "hm".into()),
        Event::Signature(0, "s".into()),
        Event::Text(0, "Hi".into()),
        Event::Text(0, " you".into()),
        call(0, "f"),
        more(0, "{}"),
        Event::Finish(0, Finish::Stop),
        Event::End,
    ]);
    let want = "message_start 0+thinking 0=hm 0=s 0. 1+text 1=Hi 1= you 1. 2+f 2={} 2. tool_use \
        message_stop";
    assert_eq!(lines.join(" "), want);
}

#[test]
fn calls_that_are_told_together_come_one_after_the_other() {
    let lines = outline(vec![
        start(),
        call(0, "f"),
        call(1, "g"),
        more(0, "{\"a\":"),
        more(1, "{\"b\":\"}"),
        more(0, "1}"),
        more(1, "\"}"),
        call(2, "h"),
        Event::Finish(0, Finish::Tools),
        Event::End,
    ]);
    let want = "message_start 0+f 0={\"a\": 0=1} 0. 1+g 1={\"b\":\"} 1=\"} 1. 2+h 2. tool_use \
        message_stop";
    assert_eq!(lines.join(" "), want);
}

#[test]
fn usage_that_comes_late_stands_at_the_end() {
    let usage = Usage::tokens(10, 5).with(Unit::CacheRead, 4);
    let events = vec![start(), Event::Text(0, "x".into()), Event::Usage(usage), Event::End];
    let told = told(events);
    assert_eq!(told[0]["message"]["usage"]["input_tokens"], 0);
    let end = &told[told.len() - 2]["usage"];
    assert_eq!((&end["input_tokens"], &end["cache_read_input_tokens"]), (&json!(6), &json!(4)));
}

#[test]
fn a_failure_is_the_last_that_is_told() {
    let failure = InBand { status: Some(429), message: "slow".into(), ..InBand::default() };
    let events = vec![start(), Event::Text(0, "x".into()), Event::Error(failure), Event::End];
    let told = told(events);
    let want = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}});
    assert_eq!(told.last(), Some(&want));
}

fn read(memo: &Memo, data: &[Value]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(memo), Vec::new());
    data.iter().for_each(|data| reader.event(b"", data.to_string().as_bytes(), &mut out));
    reader.end(&mut out);
    out
}

#[test]
fn a_stream_is_read_until_its_own_ending() {
    let cached = json!({"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1});
    let data = [
        json!({"type": "message_start", "message": {"id": "i", "model": "m", "usage": cached}}),
        json!({"type": "content_block_start", "index": 0, "content_block":
            {"type": "tool_use", "id": "t", "name": "f", "input": {}}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "ping"}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 8}}),
        json!({"type": "message_stop"}),
    ];
    let cut = read(&Memo::default(), &data[..5]);
    assert_eq!(cut.last(), Some(&Event::Usage(Usage::tokens(7, 8).with(Unit::CacheRead, 2))));
    assert_eq!(cut[3], more(0, "{}"));
    assert_eq!(read(&Memo::default(), &data).last(), Some(&Event::End));
}

#[test]
fn the_hidden_tool_is_told_as_text() {
    let data = [
        json!({"type": "content_block_start", "index": 0, "content_block":
            {"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0, "delta":
            {"type": "input_json_delta", "partial_json": "{\"a\":1}"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
    ];
    let memo = Memo { json_tool: Some("json_tool_call"), ..Memo::default() };
    let want = [Event::Text(0, "{\"a\":1}".into()), Event::Finish(0, Finish::Stop)];
    assert_eq!(read(&memo, &data), want);
}

#[test]
fn an_error_in_the_stream_ends_it() {
    let data = [
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}),
        json!({"type": "message_stop"}),
    ];
    let events = read(&Memo::default(), &data);
    let kind = Some("overloaded_error".into());
    let want = InBand { kind, status: Some(529), message: "m".into() };
    assert_eq!(events, [Event::Error(want)]);
}
