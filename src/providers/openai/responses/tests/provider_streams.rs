//! Streams of providers.
use crate::providers::chat::{Event, Finish, InBand, Memo, Read};
use crate::providers::openai::responses::Reader;
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};

/// What these events tell.
fn told(events: &[Value]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(&Memo::default()), Vec::new());
    for event in events {
        reader.event(b"", event.to_string().as_bytes(), &mut out);
    }
    reader.end(&mut out);
    out
}

fn created(tools: &Value) -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "m", "tools": tools}})
}

fn completed(output: &Value) -> Value {
    json!({"type": "response.completed", "response": {"status": "completed", "output": output,
        "usage": {"input_tokens": 1, "output_tokens": 2}}})
}

fn start() -> Event {
    Event::Start { id: Some("resp_1".to_owned()), model: Some("m".to_owned()) }
}

fn ending(finish: Finish) -> [Event; 3] {
    [Event::Usage(Usage::tokens(1, 2)), Event::Finish(0, finish), Event::End]
}

fn tool(name: &str) -> Event {
    Event::ToolUse {
        choice: 0,
        tool: 0,
        id: "a".to_owned(),
        name: name.to_owned(),
        signature: None,
    }
}

fn arguments(json: &str) -> Event {
    Event::Arguments { choice: 0, tool: 0, json: json.to_owned() }
}

#[test]
fn what_events_leave_out_is_taken_from_the_whole_item() {
    let call = json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"});
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": "hi"}]});
    let whole = [start(), Event::Text(0, "hi".to_owned()), tool("f"), arguments("{}")];
    let wanted: Vec<Event> = whole.into_iter().chain(ending(Finish::Tools)).collect();
    let done = |at: u64, item: &Value| json!({"type": "response.output_item.done", "output_index": at, "item": item});
    let by_items = [created(&json!([])), done(0, &message), done(1, &call), completed(&json!([]))];
    assert_eq!(told(&by_items), wanted);
    let at_the_end = [created(&json!([])), completed(&json!([message, call]))];
    assert_eq!(told(&at_the_end), wanted);
}

#[test]
fn parts_of_a_summary_are_paragraphs_and_its_cipher_follows() {
    let delta = |part: u64, text: &str| {
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0,
            "summary_index": part, "delta": text})
    };
    let item = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "c",
        "summary": [{"text": "ab"}, {"text": "c"}]});
    let events = [
        created(&json!([])),
        delta(0, "a"),
        delta(0, "b"),
        delta(1, "c"),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
    ];
    let thought = |text: &str| Event::Thought(0, text.to_owned());
    let hidden = Event::Hidden(0, "c".to_owned(), Some("rs_1".to_owned()));
    assert_eq!(told(&events), [start(), thought("a"), thought("b"), thought("\n\nc"), hidden]);
}

#[test]
fn a_custom_tool_gets_its_text_as_arguments_and_others_are_the_providers() {
    let events = |tools: Value| {
        [
            created(&tools),
            json!({"type": "response.output_item.added", "output_index": 0,
                "item": {"type": "custom_tool_call", "call_id": "a", "name": "patch"}}),
            json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "\"x"}),
            json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "y"}),
            json!({"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "\"xy"}),
            json!({"type": "response.output_item.done", "output_index": 0,
                "item": {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "\"xy"}}),
            completed(&json!([])),
        ]
    };
    let own =
        [start(), tool("patch"), arguments("{\"input\":\"\\\"x"), arguments("y"), arguments("\"}")];
    let own: Vec<Event> = own.into_iter().chain(ending(Finish::Tools)).collect();
    assert_eq!(told(&events(json!([{"type": "custom", "name": "patch"}]))), own);
    let others: Vec<Event> = [start()].into_iter().chain(ending(Finish::Stop)).collect();
    assert_eq!(told(&events(json!([{"type": "x_search"}]))), others);
}

#[test]
fn failures_end_the_stream() {
    let failed = json!({"type": "response.failed", "response": {"status": "failed",
        "error": {"code": "server_error", "message": "oh"}}});
    let error = json!({"type": "error", "code": "server_error", "message": "oh", "param": null});
    let bare = json!({"error": {"code": "server_error", "message": "oh"}});
    for failure in [failed, error, bare] {
        let events = told(&[created(&json!([])), failure, completed(&json!([]))]);
        let kind = Some("server_error".to_owned());
        let error = Event::Error(InBand { kind, status: None, message: "oh".to_owned() });
        assert_eq!(events, [start(), error]);
    }
}

#[test]
fn a_stream_without_its_ending_has_none() {
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "a"});
    assert!(!told(&[created(&json!([])), text]).contains(&Event::End));
}

#[test]
fn an_incomplete_response_says_why() {
    for (reason, finish) in
        [("max_output_tokens", Finish::Length), ("content_filter", Finish::Filter)]
    {
        let event = json!({"type": "response.incomplete", "response": {"status": "incomplete",
            "incomplete_details": {"reason": reason}, "output": []}});
        let events = told(&[created(&json!([])), event]);
        assert_eq!(events, [start(), Event::Finish(0, finish), Event::End]);
    }
}
