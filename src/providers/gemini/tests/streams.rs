use super::client;
use crate::providers::chat::{Citation, Event, Finish, InBand, Memo, Read, Write};
use crate::providers::gemini::{Reader, Writer};
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};

fn read(chunks: &[Value]) -> Vec<Event> {
    let (mut reader, mut events) = (Reader::new(&Memo::default()), Vec::new());
    for chunk in chunks {
        reader.event(b"", chunk.to_string().as_bytes(), &mut events);
    }
    reader.end(&mut events);
    events
}

fn written(events: Vec<Event>, array: bool) -> String {
    let (mut writer, mut out) = (Writer::new(client(array)), Vec::new());
    events.into_iter().for_each(|event| writer.write(event, &mut out));
    String::from_utf8(out).unwrap()
}

fn chunk(part: &Value, reason: Option<&str>) -> Value {
    let content = json!({"parts": [part], "role": "model"});
    json!({"candidates": [{"content": content, "finishReason": reason}], "responseId": "r"})
}

#[test]
fn an_answer_is_told_piece_by_piece_and_ends_once() {
    let call = json!({"functionCall": {"name": "f", "args": {"a": 1}, "id": "x"}, "thoughtSignature": "AbCd"});
    let mut last = chunk(&call, Some("STOP"));
    last["usageMetadata"] = json!({"promptTokenCount": 3, "candidatesTokenCount": 2});
    let events = read(&[
        chunk(&json!({"text": "hm", "thought": true}), None),
        // Early models told a reason in each piece.
        chunk(&json!({"text": "Hi"}), Some("STOP")),
        last,
    ]);
    let id = "x__thought__AbCd".to_owned();
    let (name, signature) = ("f".to_owned(), Some("AbCd".to_owned()));
    assert_eq!(
        events,
        [
            Event::Start { id: Some("r".to_owned()), model: None },
            Event::Thought(0, "hm".to_owned()),
            Event::Text(0, "Hi".to_owned()),
            Event::ToolUse { choice: 0, tool: 0, id, name, signature },
            Event::Arguments { choice: 0, tool: 0, json: r#"{"a":1}"#.to_owned() },
            Event::Usage(Usage::tokens(3, 2)),
            Event::Finish(0, Finish::Tools),
            Event::End,
        ]
    );
}

#[test]
fn a_stream_without_a_reason_is_cut() {
    let events = read(&[chunk(&json!({"text": "Hi"}), None)]);
    assert!(!events.contains(&Event::End));
    assert_eq!(read(&[]), []);
}

#[test]
fn a_blocked_prompt_ends_the_stream() {
    let events = read(&[json!({"promptFeedback": {"blockReason": "SAFETY"}})]);
    assert_eq!(events[1..], [Event::Finish(0, Finish::Filter), Event::End]);
}

#[test]
fn an_error_in_the_stream_is_the_last_word() {
    let error = json!({"error": {"code": 503, "message": "Busy.", "status": "UNAVAILABLE"}});
    let events = read(&[
        chunk(&json!({"text": "Hi"}), None),
        error,
        chunk(&json!({"text": "x"}), Some("STOP")),
    ]);
    let expected = InBand {
        kind: Some("UNAVAILABLE".to_owned()),
        status: Some(503),
        message: "Busy.".to_owned(),
    };
    assert_eq!(events[2..], [Event::Error(expected)]);
}

#[test]
fn pages_are_told_once_and_counted_in_characters() {
    let grounded = |text: &str, reason: Option<&str>| {
        let mut chunk = chunk(&json!({"text": text}), reason);
        chunk["candidates"][0]["groundingMetadata"] = json!({
            "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
            "groundingSupports": [{
                "segment": {"startIndex": 3, "endIndex": 5}, "groundingChunkIndices": [0],
            }],
        });
        chunk
    };
    let events = read(&[grounded("ä", None), grounded(" ok", Some("STOP"))]);
    let citation = Citation {
        url: Some("https://a".to_owned()),
        title: Some("A".to_owned()),
        cited: None,
        range: Some((2, 4)),
    };
    let end = [Event::Citation(0, citation), Event::Finish(0, Finish::Stop), Event::End];
    assert_eq!(events[3..], end);
    let text = written(events.clone(), false);
    let chunks: Vec<Value> = text
        .split("\n\n")
        .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(read(&chunks)[1..], events[1..]);
}

#[test]
fn a_client_gets_calls_whole() {
    let called = |tool, id: &str| Event::ToolUse {
        choice: 0,
        tool,
        id: id.to_owned(),
        name: "f".to_owned(),
        signature: None,
    };
    let argued = |tool, json: &str| Event::Arguments { choice: 0, tool, json: json.to_owned() };
    let events = vec![
        Event::Start { id: Some("r\"".to_owned()), model: Some("m".to_owned()) },
        Event::Text(0, "a\n\"b\"".to_owned()),
        called(0, "one"),
        argued(0, "{\"a\":"),
        argued(0, "1}"),
        called(1, "two"),
        Event::Finish(0, Finish::Tools),
        Event::Usage(Usage::tokens(3, 2)),
        Event::End,
    ];
    let tail = "\"modelVersion\":\"m\",\"responseId\":\"r\\\"\"}";
    let of = |part: &str| {
        format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}},\"index\":0}}],{tail}"
        )
    };
    let last = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\
                \"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":3,\
                \"candidatesTokenCount\":2,\"totalTokenCount\":5},";
    let all = [
        of(r#"{"text":"a\n\"b\""}"#),
        of(r#"{"functionCall":{"name":"f","args":{"a":1},"id":"one"}}"#),
        of(r#"{"functionCall":{"name":"f","args":{},"id":"two"}}"#),
        format!("{last}{tail}"),
    ];
    let as_events: String = all.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    assert_eq!(written(events.clone(), false), as_events);
    assert_eq!(written(events, true), format!("[{}]", all.join("\n,\r\n")));
}

#[test]
fn a_list_is_closed_after_an_error_too() {
    let error = InBand {
        kind: Some("overloaded_error".to_owned()),
        status: Some(529),
        message: "x".to_owned(),
    };
    let events = vec![Event::Text(0, "a".to_owned()), Event::Error(error), Event::End];
    let chunks: Vec<Value> = serde_json::from_str(&written(events, true)).unwrap();
    let expected = json!({"error": {"code": 529, "message": "x", "status": "UNAVAILABLE"}});
    assert_eq!(chunks[1..], [expected]);
}
