//! Recorded streams through the tap, cut at random.
use bartizan_layers::{
    facts::{Unit, Usage},
    wire::tap::{Framing, Tap, Wire},
};
use bytes::Bytes;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Recordings whose answer is empty, by the end of their names: the model spent its tokens on hidden
/// reasoning, or said nothing.
const EMPTY: [&str; 7] = ["b3fdef", "558f33", "af3d0b", "6509d2", "f9c20b", "bcb8a7", "501342"];

struct Recorded {
    name: String,
    wire: Wire,
    framing: Framing,
    text: Bytes,
}

#[test]
fn recorded_streams_pass_byte_for_byte_and_end_well() {
    let mut wrong = Vec::new();
    for (seed, recorded) in recordings().into_iter().enumerate() {
        let mut tap = Tap::new(recorded.wire, recorded.framing);
        let (mut out, mut random) = (Vec::new(), seed as u64);
        let mut rest = recorded.text.clone();
        while !rest.is_empty() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let longest = [3, 40, 700, 20_000][seed % 4];
            let len = usize::try_from(random >> 33).unwrap() % longest + 1;
            out.extend(tap.push(rest.split_to(len.min(rest.len()))).into_iter().flatten());
            out.extend(std::iter::from_fn(|| tap.pop()).flatten());
        }
        let open = tap.in_event();
        tap.finish();
        out.extend(std::iter::from_fn(|| tap.pop()).flatten());
        assert_eq!(out, recorded.text, "{}", recorded.name);
        if !tap.is_complete() && tap.error().is_none() {
            wrong.push(format!("{}: no ending, inside an event: {open}", recorded.name));
        }
        let empty = EMPTY.iter().any(|hash| recorded.name.contains(hash));
        if (tap.content_events() == 0 && tap.error().is_none()) != empty {
            wrong.push(format!("{}: {} content events", recorded.name, tap.content_events()));
        }
        let want = oracle(&recorded);
        let seen = tap.usage().map(|usage| (usage[Unit::Input], usage[Unit::Output]));
        if seen != want.map(|usage| (usage[Unit::Input], usage[Unit::Output])) {
            wrong.push(format!("{}: usage {seen:?}, want {want:?}", recorded.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn with_the_usage_event_taken_out_all_other_bytes_are_equal() {
    for recorded in recordings().iter().filter(|it| it.wire == Wire::Chat) {
        let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
        let mut out = Vec::new();
        for piece in recorded.text.chunks(100) {
            out.extend(tap.push(Bytes::copy_from_slice(piece)).into_iter().flatten());
            out.extend(std::iter::from_fn(|| tap.pop()).flatten());
        }
        tap.finish();
        out.extend(std::iter::from_fn(|| tap.pop()).flatten());
        assert_eq!(out, without_usage_event(&recorded.text), "{}", recorded.name);
    }
}

/// The text without its first event that has no choices and a usage object.
fn without_usage_event(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).expect("recordings are text");
    let surplus = text.split_inclusive('\n').find(|line| {
        let data = line.strip_prefix("data:").unwrap_or_default();
        let chunk: Value = serde_json::from_str(data).unwrap_or_default();
        let usage = &chunk["usage"];
        let usage = if usage.is_null() { &chunk["x_groq"]["usage"] } else { usage };
        chunk["choices"].as_array().is_some_and(Vec::is_empty) && usage.is_object()
    });
    let Some(line) = surplus else { return text.into() };
    let blank = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let both = format!("{line}{blank}");
    text.replacen(if text.contains(&both) { &both } else { line }, "", 1).into()
}

/// The last report of each field, by parsing every event.
fn oracle(recorded: &Recorded) -> Option<Usage> {
    let text = std::str::from_utf8(&recorded.text).expect("recordings are text");
    let events: Vec<Value> = match recorded.framing {
        Framing::Array => serde_json::from_str(text).expect("a recorded array is whole"),
        Framing::Lines => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        _ => text
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
            .collect(),
    };
    let mut last = serde_json::Map::new();
    for event in &events {
        let places = match recorded.wire {
            Wire::Chat => [&event["usage"], &event["x_groq"]["usage"]],
            Wire::Responses => [&event["response"]["usage"], &Value::Null],
            Wire::Messages => [&event["message"]["usage"], &event["usage"]],
            Wire::Gemini => [&event["usageMetadata"], &Value::Null],
            Wire::Media => [&event["usage"], &Value::Null],
            Wire::Cohere => [&event["delta"]["usage"]["tokens"], &Value::Null],
            Wire::Ollama => [event, &Value::Null],
        };
        let Some(usage) = places.iter().find_map(|usage| usage.as_object()) else { continue };
        let told = |(name, value): &(&String, &Value)| {
            value.is_number() || *name == "completion_tokens_details"
        };
        last.extend(usage.iter().filter(told).map(|(k, v)| (k.clone(), v.clone())));
    }
    let sum = |keys: &[&str]| -> Option<i64> {
        let counts = keys.iter().filter_map(|key| last.get(*key)?.as_f64());
        #[expect(clippy::cast_possible_truncation, reason = "token counts are small")]
        counts.reduce(|a, b| a + b).map(|count| count as i64)
    };
    let (input, output) = match recorded.wire {
        Wire::Chat => {
            let input = sum(&["prompt_tokens"]);
            // xAI's thoughts stand beside the answer, and in the total.
            let both = sum(&["total_tokens"]).zip(input).map(|(total, input)| total - input);
            // Others' do not stand in the total either, but there are more of them than of the rest.
            let details = last.get("completion_tokens_details");
            let thoughts = details.and_then(|it| it.get("reasoning_tokens")?.as_i64());
            let output = sum(&["completion_tokens"]);
            let beside = thoughts.zip(output).filter(|(thoughts, output)| thoughts > output);
            let beside = beside.map(|(thoughts, output)| thoughts + output);
            (input, output.max(both).max(beside))
        }
        Wire::Responses | Wire::Media => (sum(&["input_tokens"]), sum(&["output_tokens"])),
        Wire::Messages => (
            sum(&["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]),
            sum(&["output_tokens"]),
        ),
        Wire::Cohere => (sum(&["input_tokens", "image_tokens"]), sum(&["output_tokens"])),
        Wire::Ollama => (sum(&["prompt_eval_count"]), sum(&["eval_count"])),
        Wire::Gemini => {
            (sum(&["promptTokenCount"]), sum(&["candidatesTokenCount", "thoughtsTokenCount"]))
        }
    };
    input.or(output)?;
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    Some(Usage::tokens(input, output))
}

fn recordings() -> Vec<Recorded> {
    let mut found = Vec::new();
    let Ok(providers) = std::fs::read_dir(fixtures()) else {
        eprintln!("skipped: no recordings at {}", fixtures().display());
        return found;
    };
    for provider in providers.flatten().filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(provider.path()).expect("it is a folder").flatten() {
            found.extend(recording(&file.path()));
        }
    }
    assert!(found.len() > 150, "only {} recordings", found.len());
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn recording(path: &Path) -> Option<Recorded> {
    let file: Value =
        serde_json::from_slice(&std::fs::read(path).ok()?).expect("a recording is JSON");
    let text = file["response"]["body_text"].as_str()?;
    let endpoint = file["endpoint"].as_str()?;
    let wire = if endpoint.contains("/responses") {
        Wire::Responses
    } else if endpoint.contains("/messages") || endpoint.ends_with("/complete") {
        Wire::Messages
    } else if endpoint.contains(":streamGenerateContent") {
        Wire::Gemini
    } else if endpoint.ends_with("/v2/chat") {
        Wire::Cohere
    } else if endpoint.ends_with("/api/chat") || endpoint.ends_with("/api/generate") {
        Wire::Ollama
    } else if endpoint.ends_with("completions") || endpoint.ends_with("/v1/chat") {
        Wire::Chat
    } else {
        return None;
    };
    let framing = match wire {
        Wire::Gemini if text.trim_start().starts_with('[') => Framing::Array,
        Wire::Ollama => Framing::Lines,
        _ if text.contains("data:") => Framing::Events,
        _ => return None,
    };
    let name = path.file_name()?.to_string_lossy().into_owned();
    let folder = path.parent()?.file_name()?.to_string_lossy().into_owned();
    Some(Recorded {
        name: format!("{folder}/{name}"),
        wire,
        framing,
        text: Bytes::copy_from_slice(text.as_bytes()),
    })
}

/// Only tests may look at the variables of the process; the crate itself reads none.
fn fixtures() -> PathBuf {
    let local = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    std::env::var_os("BARTIZAN_FIXTURES").map_or_else(local, PathBuf::from)
}
