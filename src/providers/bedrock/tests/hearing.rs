//! What is read.
use super::map;
use crate::providers::bedrock::embed::read_embed;
use crate::providers::bedrock::{Reader, read_answer, read_error};
use crate::providers::chat::{
    Block, Citation, Content, Event, Finish, InBand, Memo, Read, Thought, ToolUse,
};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Value, json};

fn used() -> Usage {
    let usage = Usage::tokens(10 + 5 + 4, 9).with(Unit::CacheRead, 5);
    usage.with(Unit::CacheWrite, 1).with(Unit::CacheWriteHour, 3)
}

fn usage() -> Value {
    json!({
        "inputTokens": 10, "outputTokens": 9, "totalTokens": 28,
        "cacheReadInputTokens": 5, "cacheWriteInputTokens": 4,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m", "inputTokens": 1}],
    })
}

#[test]
fn an_answer_has_thoughts_text_calls_and_sources() {
    let source = json!({"title": "Ruby", "sourceContent": [{"text": "red"}],
                        "location": {"web": {"url": "https://a"}}});
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"reasoningContent": {"redactedContent": "RXFSSw=="}},
            {"toolUse": {"toolUseId": "t0", "name": "nova_grounding", "input": {},
                         "type": "server_tool_use"}},
            {"citationsContent": {"content": [{"text": "It is red."}], "citations": [source]}},
            {"citationsContent": {"citations": [{"location": {"web": {"url": "https://b"}}}]}},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        ]}},
        "stopReason": "tool_use", "usage": usage(),
    });
    let answer = read_answer(map(&body), &Memo::default()).unwrap();
    let text = |text: &str| Some(text.to_owned());
    let citations = vec![
        Citation { url: text("https://a"), title: text("Ruby"), cited: text("red"), range: None },
        Citation { url: text("https://b"), ..Citation::default() },
    ];
    let thought = |thought| Block::new(Content::Thought(thought));
    let (id, name, input) = ("t1".to_owned(), "f".to_owned(), r#"{"a":1}"#.to_owned());
    let wanted = [
        thought(Thought { text: "hm".to_owned(), signature: text("s"), ..Thought::default() }),
        thought(Thought { hidden: text("EqRK"), ..Thought::default() }),
        Block::new(Content::Text("It is red.".to_owned(), citations)),
        Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None })),
    ];
    let choice = &answer.choices[0];
    let told = choice.blocks.iter().filter(|it| !matches!(it.content, Content::Other(_)));
    assert_eq!(told.cloned().collect::<Vec<_>>(), wanted);
    assert_eq!((&choice.finish, answer.usage), (&Some(Finish::Tools), Some(used())));
}

#[test]
fn the_hidden_tools_call_is_text_and_others_have_the_clients_names() {
    let memo = Memo {
        json_tool: Some("json_tool_call"),
        renamed: [("a1_w".to_owned(), "1.w".to_owned())].into(),
    };
    let call = |name: &str| json!({"toolUse": {"toolUseId": "t", "name": name, "input": {"a": 1}}});
    let answer = |content: Value| {
        let body = json!({"output": {"message": {"content": content}}, "stopReason": "tool_use"});
        read_answer(map(&body), &memo).unwrap().choices.remove(0)
    };
    let hidden = answer(json!([call("json_tool_call")]));
    assert_eq!(hidden.blocks, [Block::text(r#"{"a":1}"#)]);
    assert_eq!(hidden.finish, Some(Finish::Stop));
    let Content::ToolUse(known) = &answer(json!([call("a1_w")])).blocks[0].content.clone() else {
        panic!("it is a call");
    };
    assert_eq!(known.name, "1.w");
}

fn told(memo: &Memo, events: &[(&str, Value)]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(memo), Vec::new());
    for (name, event) in events {
        reader.event(name.as_bytes(), event.to_string().as_bytes(), &mut out);
    }
    reader.end(&mut out);
    out
}

fn delta(block: u32, delta: &Value) -> (&'static str, Value) {
    ("contentBlockDelta", json!({"contentBlockIndex": block, "delta": delta, "p": "ab"}))
}

#[test]
fn a_stream_tells_thoughts_texts_and_calls() {
    let start = |block: u32, start: Value| {
        ("contentBlockStart", json!({"contentBlockIndex": block, "start": start}))
    };
    let stop = |block: u32| ("contentBlockStop", json!({"contentBlockIndex": block}));
    let source = json!({"title": "T", "source": "https://a"});
    let events = told(
        &Memo::default(),
        &[
            ("messageStart", json!({"role": "assistant"})),
            delta(0, &json!({"reasoningContent": {"text": "hm"}})),
            delta(0, &json!({"reasoningContent": {"signature": "s"}})),
            delta(1, &json!({"reasoningContent": {"redactedContent": "RXFSSw=="}})),
            delta(2, &json!({"text": "red"})),
            delta(2, &json!({"citation": source})),
            start(
                3,
                json!({"toolUse": {"toolUseId": "t0", "name": "x", "type": "server_tool_use"}}),
            ),
            delta(3, &json!({"toolUse": {"input": "{}"}})),
            start(4, json!({"toolUse": {"toolUseId": "t1", "name": "f"}})),
            delta(4, &json!({"toolUse": {"input": ""}})),
            stop(4),
            start(5, json!({"toolUse": {"toolUseId": "t2", "name": "f"}})),
            delta(5, &json!({"toolUse": {"input": "{\"a\":1}"}})),
            stop(5),
            ("messageStop", json!({"stopReason": "tool_use"})),
            ("metadata", json!({"usage": usage()})),
            delta(6, &json!({"text": "late"})),
        ],
    );
    let (title, url) = (Some("T".to_owned()), Some("https://a".to_owned()));
    let call = |tool: u32, id: &str| {
        let (id, name) = (id.to_owned(), "f".to_owned());
        Event::ToolUse { choice: 0, tool, id, name, signature: None }
    };
    let arguments =
        |tool: u32, json: &str| Event::Arguments { choice: 0, tool, json: json.to_owned() };
    let wanted = [
        Event::Start { id: None, model: None },
        Event::Thought(0, "hm".to_owned()),
        Event::Signature(0, "s".to_owned()),
        Event::Hidden(0, "EqRK".to_owned(), None),
        Event::Text(0, "red".to_owned()),
        Event::Citation(0, Citation { url, title, ..Citation::default() }),
        call(0, "t1"),
        arguments(0, "{}"),
        call(1, "t2"),
        arguments(1, r#"{"a":1}"#),
        Event::Finish(0, Finish::Tools),
        Event::Usage(used()),
        Event::End,
    ];
    assert_eq!(events, wanted);
}

#[test]
fn a_stream_that_fails_or_breaks_off_has_no_ending() {
    let failure = json!({"message": "Too many requests"});
    let events = told(
        &Memo::default(),
        &[
            ("messageStart", json!({"role": "assistant"})),
            ("throttlingException", failure.clone()),
            ("messageStop", json!({"stopReason": "end_turn"})),
        ],
    );
    let kind = Some("throttlingException".to_owned());
    let failed = InBand { kind, status: Some(429), message: "Too many requests".to_owned() };
    assert_eq!(events[1..], [Event::Error(failed)]);
    let cut = told(&Memo::default(), &[delta(0, &json!({"text": "a"}))]);
    assert_eq!(cut, [Event::Text(0, "a".to_owned())]);
    let words = read_error(&map(&failure)).map(|error| error.message);
    assert_eq!(words.as_deref(), Some("Too many requests"));
}

#[test]
fn embeddings_are_read_whoever_made_the_model() {
    let read = |body: Value| read_embed(map(&body), "m").unwrap();
    let (vectors, usage) = read(json!({"embedding": [0.5], "inputTextTokenCount": 4}));
    assert_eq!((vectors, usage), (vec![json!([0.5])], Some(Usage::tokens(4, 0))));
    let nova = json!({"embeddings": [{"embeddingType": "TEXT", "embedding": [0.5]}]});
    assert_eq!(read(nova).0, [json!([0.5])]);
    assert_eq!(read(json!({"embeddings": {"float": [[0.5], [1]]}})).0.len(), 2);
    assert!(read_embed(map(&json!({"message": "no"})), "m").is_err());
}
