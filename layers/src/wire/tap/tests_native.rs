//! Answers in the words of Cohere and Ollama.
use super::{Framing, Tap, Wire, finish_of, usage_of};
use crate::facts::{Finish, Unit, Usage, UsageCell};
use bytes::Bytes;
use proptest::prelude::*;

const TEXT: &str =
    r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Hi"},"done":false}"#;
const DONE: &str = r#"{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":1}"#;

fn lines(tap: &mut Tap, text: &str) -> String {
    let mut out: Vec<u8> = tap.push(Bytes::from(text.to_owned())).unwrap_or_default().into();
    while let Some(more) = tap.pop() {
        out.extend_from_slice(&more);
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_tell_content_usage_and_ending() {
    let cell = UsageCell::default();
    let mut tap = Tap::new(Wire::Ollama, Framing::Lines).cell(cell.clone());
    assert_eq!(lines(&mut tap, &format!("{TEXT}\n")), format!("{TEXT}\n"));
    assert_eq!((tap.content_events(), tap.is_complete(), tap.usage()), (1, false, None));
    lines(&mut tap, &format!("{DONE}\n"));
    assert!(tap.is_complete());
    assert_eq!((tap.usage(), tap.content_events()), (Some(Usage::tokens(3, 1)), 1));
    assert_eq!(cell.answered().unwrap().model.as_deref(), Some("m"));
    assert_eq!(cell.finished(), Some(Finish::Stop));
}

#[test]
fn a_line_goes_on_when_it_is_over() {
    let mut tap = Tap::new(Wire::Ollama, Framing::Lines);
    let (head, tail) = TEXT.split_at(9);
    assert_eq!(lines(&mut tap, head), "");
    assert_eq!(lines(&mut tap, &format!("{tail}\n{head}")), format!("{TEXT}\n"));
    // One that is cut off does not go on; one that only lacks its end does.
    assert!(!tap.in_event());
    tap.finish();
    assert_eq!((tap.pop(), tap.is_complete()), (None, false));
    let mut tap = Tap::new(Wire::Ollama, Framing::Lines);
    assert_eq!(lines(&mut tap, DONE), "");
    assert!(tap.in_event());
    tap.finish();
    assert_eq!((tap.pop(), tap.is_complete()), (Some(DONE.into()), true));
}

#[test]
fn a_line_that_is_too_long_goes_on_unread() {
    let mut tap = Tap::new(Wire::Ollama, Framing::Lines);
    let long = format!(r#"{{"message":{{"content":"{}"#, "x".repeat(crate::wire::sse::LONGEST));
    assert_eq!(lines(&mut tap, &long), long);
    assert!(tap.in_event());
    let rest = format!("\"}}}}\n{DONE}\n");
    assert_eq!(lines(&mut tap, &rest), rest);
    assert!(tap.is_complete() && tap.may_end());
}

#[test]
fn an_error_of_ollama_is_its_words() {
    let mut tap = Tap::new(Wire::Ollama, Framing::Lines);
    lines(&mut tap, "{\"error\":\"out of memory\"}\n");
    assert_eq!(tap.error().unwrap().message.as_deref(), Some("out of memory"));
    assert!(!tap.is_complete());
}

#[test]
fn a_whole_answer_of_ollama_tells_usage_and_why_it_ends() {
    let body = br#"{"model":"m","message":{"content":"","tool_calls":[{"function":{"name":"f"}}]},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":2}"#;
    assert_eq!(usage_of(Wire::Ollama, body), Some(Usage::tokens(7, 2)));
    assert_eq!(finish_of(Wire::Ollama, body), Some(Finish::ToolCalls));
    let embedding = br#"{"model":"m","embeddings":[[0.1,0.2]],"prompt_eval_count":4}"#;
    assert_eq!(usage_of(Wire::Ollama, embedding), Some(Usage::tokens(4, 0)));
    assert_eq!(usage_of(Wire::Ollama, br#"{"embedding":[0.1]}"#), None);
}

fn event(tap: &mut Tap, data: &str) {
    tap.push(format!("event: x\ndata: {data}\n\n").replace("event: x\n", "").into());
}

#[test]
fn events_of_cohere_tell_content_usage_and_ending() {
    let cell = UsageCell::default();
    let mut tap = Tap::new(Wire::Cohere, Framing::Events).cell(cell.clone());
    event(
        &mut tap,
        r#"{"type":"message-start","id":"a","delta":{"message":{"role":"assistant"}}}"#,
    );
    assert_eq!(tap.content_events(), 0);
    event(
        &mut tap,
        r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}"#,
    );
    assert_eq!((tap.content_events(), tap.is_complete()), (1, false));
    event(
        &mut tap,
        r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS","usage":{"billed_units":{"input_tokens":5,"output_tokens":1},"tokens":{"input_tokens":70,"output_tokens":2,"image_tokens":10},"cached_tokens":16}}}"#,
    );
    assert!(tap.is_complete());
    let used = tap.usage().unwrap();
    assert_eq!((used[Unit::Input], used[Unit::Output], used[Unit::CacheRead]), (80, 2, 16));
    assert_eq!(cell.answered().unwrap().id.as_deref(), Some("a"));
    assert_eq!(cell.finished(), Some(Finish::Length));
}

#[test]
fn an_ending_of_cohere_that_tells_an_error_is_none() {
    let mut tap = Tap::new(Wire::Cohere, Framing::Events);
    let end = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"too busy"}}"#;
    event(&mut tap, end);
    assert_eq!(tap.error().unwrap().message.as_deref(), Some("too busy"));
    assert!(!tap.is_complete());
}

#[test]
fn what_cohere_bills_counts_where_nothing_else_is_told() {
    let embedding = br#"{"id":"a","embeddings":{"float":[[0.1]]},"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":6}}}"#;
    assert_eq!(usage_of(Wire::Cohere, embedding), Some(Usage::tokens(6, 0)));
    let chat = br#"{"id":"a","message":{"usage":{}},"usage":{"billed_units":{"input_tokens":5,"output_tokens":1},"tokens":{"input_tokens":9,"output_tokens":2}}}"#;
    assert_eq!(usage_of(Wire::Cohere, chat), Some(Usage::tokens(9, 2)));
}

proptest! {
    #[test]
    fn lines_are_the_same_wherever_they_are_cut(cuts in proptest::collection::vec(1_usize..40, 1..60)) {
        let text = format!("{TEXT}\n{TEXT}\r\n\n{DONE}\n");
        let (mut tap, mut out, mut rest) =
            (Tap::new(Wire::Ollama, Framing::Lines), String::new(), text.as_str());
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            out += &lines(&mut tap, head);
            rest = tail;
        }
        out += &lines(&mut tap, rest);
        tap.finish();
        prop_assert_eq!(&out, &text);
        prop_assert_eq!((tap.content_events(), tap.is_complete()), (2, true));
    }
}
