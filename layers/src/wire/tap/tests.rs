use super::{Framing, Tap, Wire, usage_of};
use crate::facts::{Price, Unit, Usage, UsageCell};
use bytes::Bytes;
use proptest::prelude::*;

const ROLE: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#;
const TEXT: &str =
    r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#;
const USAGE: &str =
    r#"{"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const ERROR: &str = r#"{"error":{"message":"overloaded","type":"server_error","code":529}}"#;

#[test]
fn a_chat_stream_tells_its_content_usage_and_ending() {
    let mut tap = Tap::new(Wire::Chat, Framing::Events);
    feed(&mut tap, &[ROLE]);
    assert_eq!(tap.content_events(), 0);
    feed(&mut tap, &[TEXT, TEXT]);
    assert_eq!((tap.content_events(), tap.is_complete(), tap.usage()), (2, false, None));
    feed(&mut tap, &[STOP]);
    assert!(tap.is_complete());
    feed(&mut tap, &[USAGE, "[DONE]"]);
    assert_eq!(tap.usage(), Some(Usage::tokens(3, 1)));
    assert_eq!(tap.content_events(), 2);
}

#[test]
fn a_media_stream_tells_its_content_usage_and_ending() {
    let part = r#"{"type":"image_generation.partial_image","b64_json":"AA=="}"#;
    let done = r#"{"type":"image_generation.completed","b64_json":"AA==","usage":{"input_tokens":5,"output_tokens":7,"total_tokens":12}}"#;
    let mut tap = Tap::new(Wire::Media, Framing::Events);
    feed(&mut tap, &[part]);
    assert_eq!((tap.content_events(), tap.is_complete()), (1, false));
    feed(&mut tap, &[done]);
    assert!(tap.is_complete());
    assert_eq!(tap.usage(), Some(Usage::tokens(5, 7)));
    let mut tap = Tap::new(Wire::Media, Framing::Events);
    feed(&mut tap, &[ERROR]);
    assert_eq!(tap.error().and_then(|error| error.status), Some(529));
}

#[test]
fn an_opaque_answer_passes_unread() {
    let mut tap = Tap::opaque(Wire::Media);
    let audio = Bytes::from_static(b"\xff\xfb\"usage\":{\"input_tokens\":5}");
    assert_eq!(tap.push(audio.clone()), Some(audio));
    tap.finish();
    assert_eq!((tap.usage(), tap.framing()), (None, Framing::Whole));
}

#[test]
fn a_total_counts_as_input_where_nothing_else_is_counted() {
    let rerank = br#"{"results":[],"usage":{"total_tokens":9}}"#;
    assert_eq!(usage_of(Wire::Chat, rerank).unwrap()[Unit::Input], 9);
    let embedding = br#"{"usage":{"prompt_tokens":4,"total_tokens":9}}"#;
    assert_eq!(usage_of(Wire::Chat, embedding).unwrap()[Unit::Input], 4);
}

#[test]
fn thoughts_that_the_total_alone_counts_are_output() {
    let beside = br#"{"usage":{"prompt_tokens":165,"completion_tokens":2,"total_tokens":292,"completion_tokens_details":{"reasoning_tokens":125}}}"#;
    let usage = usage_of(Wire::Chat, beside).unwrap();
    assert_eq!((usage[Unit::Output], usage[Unit::Reasoning]), (127, 125));
    let within = br#"{"usage":{"prompt_tokens":27,"completion_tokens":46,"total_tokens":73,"completion_tokens_details":{"reasoning_tokens":40}}}"#;
    assert_eq!(usage_of(Wire::Chat, within).unwrap()[Unit::Output], 46);
}

#[test]
fn each_providers_word_for_what_a_cache_gave_is_known() {
    for told in [
        r#""prompt_cache_hit_tokens":9"#,
        r#""num_cached_tokens":9"#,
        r#""prompt_tokens_details":{"cached_tokens":9}"#,
    ] {
        let body = format!(r#"{{"usage":{{"prompt_tokens":10,"completion_tokens":1,{told}}}}}"#);
        let usage = usage_of(Wire::Chat, body.as_bytes()).unwrap();
        assert_eq!((usage[Unit::Input], usage[Unit::CacheRead]), (10, 9), "{told}");
    }
}

#[test]
fn every_choice_has_to_finish() {
    let stop = |index| format!(r#"{{"choices":[{{"index":{index},"finish_reason":"length"}}]}}"#);
    let mut tap = Tap::new(Wire::Chat, Framing::Events).choices(2);
    feed(&mut tap, &[&stop(0)]);
    assert!(!tap.is_complete());
    feed(&mut tap, &[&stop(0)]);
    assert!(!tap.is_complete());
    feed(&mut tap, &[&stop(1)]);
    assert!(tap.is_complete());
}

#[test]
fn usage_is_found_however_it_is_spaced() {
    for usage in [
        "{\"choices\":[],\"usage\": {\"prompt_tokens\":3}}",
        "{\"usage\" :\t{ \"prompt_tokens\" : 3 } ,\"choices\":[{\"index\":0}]}",
        "{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":3}}}",
    ] {
        let mut tap = Tap::new(Wire::Chat, Framing::Events);
        feed(&mut tap, &[TEXT, usage]);
        assert_eq!(tap.usage().unwrap()[Unit::Input], 3, "{usage}");
    }
}

#[test]
fn text_about_usage_errors_and_endings_fools_nobody() {
    let text = serde_json::json!({"choices": [{"index": 0, "finish_reason": null, "delta": {"content":
        r#""usage":{"prompt_tokens":9},"finish_reason":"stop","error":{"message":"x"}"#}}]});
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    let out = feed(&mut tap, &[TEXT, &text.to_string(), TEXT]);
    assert_eq!((tap.usage(), tap.is_complete(), tap.error()), (None, false, None));
    assert_eq!(out, stream(&[TEXT, &text.to_string(), TEXT]));
}

#[test]
fn reports_add_up_field_by_field() {
    let cell = UsageCell::new(Price::default());
    let mut tap = Tap::new(Wire::Messages, Framing::Events).cell(cell.clone());
    feed(
        &mut tap,
        &[
            r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":100,"cache_creation_input_tokens":20,"output_tokens":1}}}"#,
            r#"{"type":"content_block_delta","delta":{"text":"x"}}"#,
            r#"{"type":"message_delta","usage":{"output_tokens":9}}"#,
        ],
    );
    let want = Usage::tokens(125, 9).with(Unit::CacheRead, 100).with(Unit::CacheWrite, 20);
    assert_eq!((tap.usage(), cell.usage()), (Some(want), Some(want)));
    assert!(!tap.is_complete());
    feed(&mut tap, &[r#"{"type":"message_stop"}"#]);
    assert!(tap.is_complete());
}

#[test]
fn whole_answers_tell_their_usage() {
    let chat = br#"{"choices":[{"usage":{}}],"usage":{"prompt_tokens":10,"completion_tokens":7,
        "prompt_tokens_details":{"cached_tokens":4,"audio_tokens":2},
        "completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":1}}}"#;
    let want = Usage::tokens(10, 7)
        .with(Unit::CacheRead, 4)
        .with(Unit::Reasoning, 5)
        .with(Unit::AudioInput, 2)
        .with(Unit::AudioOutput, 1);
    assert_eq!(usage_of(Wire::Chat, chat), Some(want));
    let gemini = br#"{"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":3,
        "thoughtsTokenCount":2,"cachedContentTokenCount":1}}"#;
    let want = Usage::tokens(8, 5).with(Unit::CacheRead, 1).with(Unit::Reasoning, 2);
    assert_eq!(usage_of(Wire::Gemini, gemini), Some(want));
    assert_eq!(usage_of(Wire::Chat, b"{}"), None);
    assert_eq!(usage_of(Wire::Chat, b"<html>"), None);
}

#[test]
fn a_whole_answer_longer_than_what_is_kept_tells_its_usage_all_the_same() {
    let mut tap = Tap::new(Wire::Chat, Framing::Whole);
    tap.push("{\"data\":[".into());
    for _ in 0..300 {
        tap.push(Bytes::from(vec![b'1'; 8192]));
    }
    tap.push("],\"usage\" : {\"prompt_tokens\":6}}".into());
    tap.finish();
    assert_eq!(tap.usage().unwrap()[Unit::Input], 6);
}

#[test]
fn gemini_ends_with_a_finish_reason_or_a_block() {
    let text = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":1}}"#;
    let stop = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":2}}"#;
    let mut tap = Tap::new(Wire::Gemini, Framing::Events);
    feed(&mut tap, &[text]);
    assert!(!tap.is_complete() && tap.content_events() == 1);
    feed(&mut tap, &[stop]);
    assert!(tap.is_complete() && tap.usage().unwrap()[Unit::Input] == 2);
    let mut tap = Tap::new(Wire::Gemini, Framing::Events);
    feed(&mut tap, &[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]);
    assert!(tap.is_complete());
    let mut tap = Tap::new(Wire::Gemini, Framing::Array);
    for byte in format!("[{text}\n,\r\n{stop}").bytes() {
        tap.push(Bytes::copy_from_slice(&[byte]));
    }
    assert!(!tap.is_complete() && tap.usage().unwrap()[Unit::Input] == 2);
    tap.push("\n]".into());
    assert!(tap.is_complete());
}

#[test]
fn only_the_usage_event_is_taken_out() {
    let filter = r#"{"choices":[],"prompt_filter_results":[{"x":1}]}"#;
    let null = r#"{"choices":[],"usage":null}"#;
    let full = r#"{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":1}}"#;
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    let out = feed(&mut tap, &[filter, null, full, TEXT, USAGE, USAGE, "[DONE]"]);
    assert_eq!(out, stream(&[filter, null, full, TEXT, USAGE, "[DONE]"]));
}

#[test]
fn a_content_event_is_not_held_behind_its_first_bytes() {
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    assert_eq!(tap.push("data: {\"id\":1".into()), None);
    assert_eq!(tap.push(",\"choices\":[{".into()).unwrap(), "data: {\"id\":1");
    assert_eq!(tap.pop().unwrap(), ",\"choices\":[{");
    assert_eq!(tap.push("\"x\":1".into()).unwrap(), "\"x\":1");
}

#[test]
fn a_held_line_without_its_end_is_let_go_unless_it_is_the_event() {
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    assert_eq!(tap.push("data: {\"id\"".into()), None);
    tap.finish();
    assert_eq!(tap.pop().unwrap(), "data: {\"id\"");
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    assert_eq!(tap.push(format!("data: {USAGE}").into()), None);
    tap.finish();
    assert_eq!(tap.pop(), None);
    assert_eq!(tap.usage().unwrap()[Unit::Input], 3);
}

#[test]
fn a_named_usage_event_leaves_its_blank_line() {
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    let out = push(&mut tap, &format!("event: x\ndata: {USAGE}\n\ndata: [DONE]\n\n"));
    assert_eq!(out, "event: x\n\ndata: [DONE]\n\n");
}

proptest! {
    #[test]
    fn the_usage_event_goes_however_it_is_cut(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
    ) {
        let all = [ROLE, TEXT, STOP, USAGE, "[DONE]"];
        let kept = [ROLE, TEXT, STOP, "[DONE]"];
        let text = format!(": hi\n\n{}", stream(&all)).replace('\n', end);
        let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
        let mut out = String::new();
        for piece in cut(&text, &cuts) {
            out += &push(&mut tap, piece);
        }
        tap.finish();
        prop_assert_eq!(tap.pop(), None);
        prop_assert_eq!(out, format!(": hi\n\n{}", stream(&kept)).replace('\n', end));
        prop_assert!(tap.is_complete());
        prop_assert_eq!(tap.usage().unwrap()[Unit::Input], 3);
    }
}

proptest! {
    #[test]
    fn behind_an_error_cuts_change_nothing(
        parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        usage in any::<bool>(),
    ) {
        let text = stream(&[ERROR]) + &parts.concat();
        let whole = |pieces: Vec<&str>| {
            let mut tap = if usage { chat().take_out_usage_event() } else { chat() };
            let mut out: String = pieces.iter().map(|piece| push(&mut tap, piece)).collect();
            tap.finish();
            std::iter::from_fn(|| tap.pop()).for_each(|it| out += std::str::from_utf8(&it).unwrap());
            out
        };
        prop_assert_eq!(whole(cut(&text, &cuts)), whole(vec![&text]));
    }
}

const PARTS: [&str; 11] = [
    "data: [DONE]",
    "data:[DONE]",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "event: x",
    "data: ",
    USAGE,
    "{}",
    ":",
];

#[test]
fn the_usage_event_goes_with_every_single_cut() {
    for end in ["\n", "\r\n", "\r"] {
        let text = stream(&[TEXT, USAGE, "[DONE]"]).replace('\n', end);
        let want = stream(&[TEXT, "[DONE]"]).replace('\n', end);
        for at in 0..=text.len() {
            let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
            let (head, tail) = text.split_at(at);
            assert_eq!(push(&mut tap, head) + &push(&mut tap, tail), want, "cut at {at}");
        }
    }
}

#[test]
fn a_broken_stream_has_no_done_with_every_single_cut() {
    for (end, done) in both(&["\n", "\r\n", "\r"], &["data: [DONE]", "data:[DONE]"]) {
        let broken = stream(&[TEXT, ERROR]).replace('\n', end);
        let done = format!("{done}{end}{end}");
        let text = format!("{broken}{done}");
        for at in 0..=text.len() {
            let (head, tail) = text.split_at(at);
            for mut tap in [chat(), chat().take_out_usage_event()] {
                let out = push(&mut tap, head) + &push(&mut tap, tail);
                assert_eq!(out, broken, "cut at {at}");
                tap.finish();
                assert_eq!((tap.pop(), tap.error().is_some()), (None, true));
            }
        }
    }
}

#[test]
fn a_broken_stream_has_no_done_though_each_byte_comes_alone() {
    for end in ["\n", "\r\n", "\r"] {
        let text = stream(&[TEXT, ERROR, USAGE, "[DONE]", TEXT, "[DONE]"]).replace('\n', end);
        for (mut tap, kept) in [
            (chat(), stream(&[TEXT, ERROR, USAGE, TEXT])),
            (chat().take_out_usage_event(), stream(&[TEXT, ERROR, TEXT])),
        ] {
            let bytes = text.as_bytes().chunks(1).map(|byte| std::str::from_utf8(byte).unwrap());
            let out: String = bytes.map(|byte| push(&mut tap, byte)).collect();
            assert_eq!(out, kept.replace('\n', end));
        }
    }
}

#[test]
fn usage_and_done_go_from_one_frame_behind_an_error() {
    let all = [TEXT, USAGE, ERROR, "[DONE]", TEXT];
    assert_eq!(feed(&mut chat().take_out_usage_event(), &all), stream(&[TEXT, ERROR, TEXT]));
    assert_eq!(feed(&mut chat(), &all), stream(&[TEXT, USAGE, ERROR, TEXT]));
    let all = [ERROR, "[DONE]", USAGE, "[DONE]"];
    assert_eq!(feed(&mut chat().take_out_usage_event(), &all), stream(&[ERROR]));
}

#[test]
fn a_done_before_the_error_stays_and_other_wires_keep_theirs() {
    let all = [TEXT, "[DONE]", ERROR];
    assert_eq!(feed(&mut chat(), &all), stream(&all));
    for wire in [Wire::Responses, Wire::Messages, Wire::Gemini] {
        let text = "event: error\ndata: {\"error\":{\"message\":\"x\"}}\n\ndata: [DONE]\n\n";
        let mut tap = Tap::new(wire, Framing::Events);
        assert_eq!(push(&mut tap, text), text);
        assert!(tap.error().is_some());
    }
}

#[test]
fn a_done_without_its_line_end_goes_at_the_end_of_a_broken_stream() {
    for (rest, kept) in [
        ("data: [DONE]", ""),
        ("data:[DONE]", ""),
        ("data: [DONE]\r", ""),
        ("data: [DONE]\n", ""),
        ("data: [DON", "data: [DON"),
    ] {
        let mut tap = chat();
        feed(&mut tap, &[ERROR]);
        assert_eq!(push(&mut tap, rest), "");
        tap.finish();
        assert_eq!(tap.pop().unwrap_or_default(), kept, "{rest:?}");
    }
}

#[test]
fn a_named_done_behind_an_error_leaves_its_blank_line() {
    let mut tap = chat();
    feed(&mut tap, &[ERROR]);
    assert_eq!(push(&mut tap, "event: x\ndata: [DONE]\n\n: bye\n\n"), "event: x\n\n: bye\n\n");
}

#[test]
fn behind_an_error_only_a_line_that_may_be_done_is_held() {
    let mut tap = chat();
    feed(&mut tap, &[ERROR]);
    assert_eq!(push(&mut tap, "data: [DO"), "");
    assert_eq!(push(&mut tap, "GE]"), "data: [DOGE]");
    assert_eq!(push(&mut tap, "\n\ndata: {"), "\n\ndata: {");
    assert_eq!(push(&mut tap, "}\n\ndata: [DONE]\n"), "}\n\n");
    assert_eq!(push(&mut tap, "data: x"), "data: [DONE]\ndata: x");
}

#[test]
fn without_an_error_no_begun_line_is_held_and_each_frame_passes_as_it_is() {
    let mut tap = chat();
    for piece in [&stream(&[TEXT]), "d", "ata: [DON", "E]", "\n", "\n"] {
        let frame = Bytes::copy_from_slice(piece.as_bytes());
        let out = tap.push(frame.clone()).unwrap();
        assert_eq!((out.as_ptr(), out.len()), (frame.as_ptr(), frame.len()));
        assert!(tap.is_drained());
    }
}

fn chat() -> Tap {
    Tap::new(Wire::Chat, Framing::Events)
}

fn both<'t>(left: &[&'t str], right: &[&'t str]) -> Vec<(&'t str, &'t str)> {
    left.iter().flat_map(|l| right.iter().map(|r| (*l, *r))).collect()
}

fn cut<'t>(text: &'t str, cuts: &[prop::sample::Index]) -> Vec<&'t str> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|w| text.get(w[0]..w[1]).unwrap()).collect()
}

fn stream(events: &[&str]) -> String {
    events.iter().map(|data| format!("data: {data}\n\n")).collect()
}

fn feed(tap: &mut Tap, events: &[&str]) -> String {
    push(tap, &stream(events))
}

fn push(tap: &mut Tap, text: &str) -> String {
    let first = tap.push(Bytes::copy_from_slice(text.as_bytes()));
    let rest = std::iter::from_fn(|| tap.pop());
    let bytes: Vec<u8> = first.into_iter().chain(rest).flatten().collect();
    String::from_utf8(bytes).unwrap()
}
