//! What the tap writes on the bill.
use super::{Framing, Tap, Wire, finish_of};
use crate::facts::{Cause, Finish, Usage, UsageCell};
use proptest::prelude::*;

const TEXT: &str = r#"{"choices":[{"index":0,"delta":{"content":"12345"},"finish_reason":null}]}"#;

fn cell(wire: Wire, framing: Framing, frames: &[String]) -> UsageCell {
    let cell = UsageCell::default();
    let mut tap = Tap::new(wire, framing).cell(cell.clone()).input_estimate(100);
    for frame in frames {
        tap.push(frame.clone().into());
    }
    tap.finish();
    cell
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

const CALL: &str = r#"{"type":"response.function_call_arguments.delta","delta":"{}"}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"status":"completed"}}"#;

type Stop = (Wire, &'static [&'static str], Option<Finish>);

const STOPS: [Stop; 20] = [
    (Wire::Chat, &[TEXT], None),
    (Wire::Chat, &[r#"{"choices":[{"finish_reason":"stop"}]}"#], Some(Finish::Stop)),
    (Wire::Chat, &[r#"{"choices":[{"finish_reason":"function_call"}]}"#], Some(Finish::ToolCalls)),
    (Wire::Chat, &[TEXT, r#"{"choices":[{"finish_reason":"length"}]}"#], Some(Finish::Length)),
    (
        Wire::Chat,
        &[r#"{"choices":[{"finish_reason":"content_filter"},{"finish_reason":"stop"}]}"#],
        Some(Finish::ContentFilter),
    ),
    (Wire::Chat, &[r#"{"choices":[{"finish_reason":"who knows"}]}"#], Some(Finish::Other)),
    (Wire::Responses, &[COMPLETED], Some(Finish::Stop)),
    (Wire::Responses, &[CALL, COMPLETED], Some(Finish::ToolCalls)),
    (
        Wire::Responses,
        &[
            r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#,
        ],
        Some(Finish::Length),
    ),
    (
        Wire::Responses,
        &[r#"{"type":"response.failed","response":{"status":"failed","incomplete_details":null}}"#],
        Some(Finish::Other),
    ),
    (
        Wire::Messages,
        &[r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#],
        Some(Finish::Stop),
    ),
    (
        Wire::Messages,
        &[r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"}}"#],
        Some(Finish::ToolCalls),
    ),
    (
        Wire::Messages,
        &[r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#],
        Some(Finish::Length),
    ),
    (
        Wire::Messages,
        &[r#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#],
        Some(Finish::ContentFilter),
    ),
    (
        Wire::Messages,
        &[r#"{"type":"completion","completion":"x","stop_reason":"stop_sequence"}"#],
        Some(Finish::Stop),
    ),
    (Wire::Gemini, &[r#"{"candidates":[{"finishReason":"STOP"}]}"#], Some(Finish::Stop)),
    (
        Wire::Gemini,
        &[
            r#"{"candidates":[{"finishReason":"STOP","content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#,
        ],
        Some(Finish::ToolCalls),
    ),
    (Wire::Gemini, &[r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#], Some(Finish::Length)),
    (
        Wire::Gemini,
        &[r#"{"candidates":[{"finishReason":"RECITATION"}]}"#],
        Some(Finish::ContentFilter),
    ),
    (
        Wire::Gemini,
        &[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#],
        Some(Finish::ContentFilter),
    ),
];

#[test]
fn a_stream_tells_why_the_model_stopped() {
    for (wire, events, want) in STOPS {
        let frames: Vec<_> = events.iter().map(|data| event(data)).collect();
        assert_eq!(cell(wire, Framing::Events, &frames).finished(), want, "{events:?}");
    }
}

#[test]
fn a_whole_answer_tells_why_the_model_stopped() {
    for (wire, body, want) in [
        (Wire::Chat, r#"{"choices":[{"finish_reason":"stop","message":{}}]}"#, Some(Finish::Stop)),
        (
            Wire::Chat,
            r#"{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}"#,
            Some(Finish::Length),
        ),
        (Wire::Chat, r#"{"data":[1]}"#, None),
        (Wire::Chat, "<html>", None),
        (Wire::Chat, r#"{"error":{"message":"x"}}"#, Some(Finish::Other)),
        (Wire::Chat, r#"{"error":null,"data":[1]}"#, None),
        (Wire::Messages, r#"{"type":"error","error":{"type":"api_error"}}"#, Some(Finish::Other)),
        (Wire::Responses, r#"{"status":"in_progress","output":[]}"#, Some(Finish::Other)),
        (
            Wire::Responses,
            r#"{"status":"incomplete","incomplete_details":null,"output":[]}"#,
            Some(Finish::Other),
        ),
        (
            Wire::Responses,
            r#"{"status":"completed","output":[{"type":"message"}]}"#,
            Some(Finish::Stop),
        ),
        (
            Wire::Responses,
            r#"{"status":"completed","output":[{"type":"function_call"}]}"#,
            Some(Finish::ToolCalls),
        ),
        (
            Wire::Responses,
            r#"{"incomplete_details":{"reason":"content_filter"},"status":"incomplete"}"#,
            Some(Finish::ContentFilter),
        ),
        (Wire::Messages, r#"{"content":[],"stop_reason":"max_tokens"}"#, Some(Finish::Length)),
        (
            Wire::Gemini,
            r#"{"candidates":[{"finishReason":"SAFETY"}]}"#,
            Some(Finish::ContentFilter),
        ),
        (
            Wire::Gemini,
            r#"{"promptFeedback":{"blockReason":"OTHER"}}"#,
            Some(Finish::ContentFilter),
        ),
    ] {
        assert_eq!(finish_of(wire, body.as_bytes()), want, "{body}");
        assert_eq!(cell(wire, Framing::Whole, &[body.into()]).finished(), want, "{body}");
    }
}

#[test]
fn an_error_event_is_a_fault_and_the_first_one_counts() {
    let first = event(r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#);
    let second = event(r#"{"error":{"message":"x","type":"server_error"}}"#);
    let cell = cell(Wire::Chat, Framing::Events, &[event(TEXT), first, second]);
    assert_eq!(cell.fault().unwrap().cause, Cause::RateLimit);
    // It was paid for up to there.
    assert_eq!((cell.usage(), cell.is_estimated()), (Some(Usage::tokens(100, 2)), true));
}

#[test]
fn without_a_report_the_content_is_counted() {
    let stop = event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
    let estimate = |frames: &[String]| cell(Wire::Chat, Framing::Events, frames);
    let counted = estimate(&[event(TEXT), event(TEXT), event(TEXT), stop.clone()]);
    assert_eq!((counted.usage(), counted.is_estimated()), (Some(Usage::tokens(100, 4)), true));
    let usage = event(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#);
    let reported = estimate(&[event(TEXT), stop, usage]);
    assert_eq!((reported.usage(), reported.is_estimated()), (Some(Usage::tokens(3, 1)), false));
}

#[test]
fn what_never_began_is_not_charged() {
    let role = event(r#"{"choices":[{"delta":{"role":"assistant"},"finish_reason":null}]}"#);
    let error = event(r#"{"error":{"message":"x"}}"#);
    assert_eq!(cell(Wire::Chat, Framing::Events, &[role, error]).usage(), None);
    assert_eq!(cell(Wire::Chat, Framing::Events, &[]).usage(), None);
    let error = r#"{"error":{"message":"x"}}"#.into();
    assert_eq!(cell(Wire::Chat, Framing::Whole, &[error]).usage(), None);
    assert_eq!(cell(Wire::Media, Framing::Whole, &["{}".into()]).usage(), None);
}

#[test]
fn a_whole_answer_without_a_report_is_counted() {
    let chat = r#"{"choices":[{"message":{"content":"12345678","tool_calls":[{"function":{"name":"abcd","arguments":"{\"a\":1}"}}]}}]}"#;
    let counted = cell(Wire::Chat, Framing::Whole, &[chat.into()]);
    assert_eq!(counted.usage(), Some(Usage::tokens(100, 6)));
    for nothing in [r#"{"usage":null,"#, r#"{"usage":{},"#] {
        let chat = chat.replacen('{', nothing, 1);
        let counted = cell(Wire::Chat, Framing::Whole, &[chat]);
        assert_eq!((counted.usage(), counted.is_estimated()), (Some(Usage::tokens(100, 6)), true));
    }
    let embedding = cell(Wire::Chat, Framing::Whole, &[r#"{"data":[{"embedding":[1]}]}"#.into()]);
    assert_eq!(embedding.usage(), Some(Usage::tokens(100, 0)));
}

#[test]
fn a_client_that_leaves_pays_for_what_was_written_since_the_first_report() {
    let start =
        r#"{"type":"message_start","message":{"usage":{"input_tokens":30,"output_tokens":1}}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"12345678"}}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
    let all = [start, delta, delta, end, r#"{"type":"message_stop"}"#];
    for (events, want, estimated) in [
        (&all[..1], Usage::tokens(30, 1), false),
        (&all[..3], Usage::tokens(30, 4), true),
        (&all[..4], Usage::tokens(30, 2), false),
        (&all[..], Usage::tokens(30, 2), false),
    ] {
        let cell = UsageCell::default();
        let mut tap =
            Tap::new(Wire::Messages, Framing::Events).cell(cell.clone()).input_estimate(7);
        events.iter().for_each(|data| drop(tap.push(event(data).into())));
        tap.leave();
        tap.leave();
        assert_eq!((cell.usage(), cell.is_estimated()), (Some(want), estimated));
    }
}

/// Deltas as providers write them, and the wire that has them.
const DELTAS: [(Wire, &str); 12] = [
    (
        Wire::Chat,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":TEXT},"logprobs":null,"finish_reason":null}],"obfuscation":"abc"}"#,
    ),
    (
        Wire::Chat,
        r#"{"id":"x","choices":[{"index":0,"delta":{"content":null,"reasoning_content":TEXT},"finish_reason":null}]}"#,
    ),
    (
        Wire::Chat,
        r#"{"id":"x","choices":[{"index":0,"delta":{"reasoning":TEXT,"content":""},"finish_reason":null}]}"#,
    ),
    (
        Wire::Chat,
        r#"{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":TEXT}}]},"finish_reason":null}]}"#,
    ),
    (Wire::Chat, r#"{"id":"x","choices":[{"index": 0, "delta": {"content": TEXT}}]}"#),
    (Wire::Chat, r#"{"choices":[{"index":0,"text":TEXT,"finish_reason":null}]}"#),
    (
        Wire::Messages,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":TEXT}}"#,
    ),
    (
        Wire::Messages,
        r#"{"type":"content_block_delta","index":12,"delta":{"type":"thinking_delta","thinking":TEXT}}"#,
    ),
    (
        Wire::Messages,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":TEXT}}"#,
    ),
    (
        Wire::Responses,
        r#"{"type":"response.output_text.delta","sequence_number":7,"delta":TEXT,"obfuscation":"x"}"#,
    ),
    (
        Wire::Responses,
        r#"{"type":"response.function_call_arguments.delta","sequence_number":17,"delta":TEXT}"#,
    ),
    (Wire::Gemini, r#"{"candidates":[{"content":{"parts":[{"text":TEXT,"thought":true}]}}]}"#),
];

proptest! {
    #[test]
    fn content_is_counted_to_the_byte_in_whatever_order_its_kinds_come(
        wire in prop::sample::select(vec![Wire::Chat, Wire::Messages, Wire::Responses, Wire::Gemini]),
        parts in prop::collection::vec((any::<prop::sample::Index>(), "[a-z\"\\\\\n\u{e9}]{1,30}"), 1..30),
    ) {
        let deltas: Vec<_> = DELTAS.iter().filter(|(its, _)| *its == wire).collect();
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for (kind, text) in &parts {
            let json = serde_json::to_string(text).unwrap();
            bytes += json.len() as i64 - 2;
            frames.push(event(&kind.get(&deltas).1.replace("TEXT", &json)));
        }
        let used = cell(wire, Framing::Events, &frames).usage();
        prop_assert_eq!(used, Some(Usage::tokens(100, (bytes + 3) / 4)));
    }
}
