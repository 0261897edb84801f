//! The log line of a call.
use super::book::Outcome;
use super::decimal::Decimal;
use super::events::{Cached, Failure};
use super::trail::{Served, Trail};
use bartizan_layers::end::End;
use bartizan_layers::facts::Unit;
use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{self as fmt_time, FormatTime};

/// Appends the line of one call: JSON, or words for people.
pub(super) fn write(out: &mut Vec<u8>, json: bool, trail: &Trail, outcome: &Outcome<'_>) {
    if json {
        as_json(out, trail, outcome);
    } else {
        as_words(out, trail, outcome);
    }
}

fn as_json(out: &mut Vec<u8>, trail: &Trail, outcome: &Outcome<'_>) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    timestamp(out);
    word(out, b"\",\"level\":\"", level(outcome));
    word(out, b"\",\"message\":\"", message(outcome));
    out.extend_from_slice(b"\",\"request_id\":");
    text(out, trail.id().as_str());
    word(out, b",\"method\":\"", trail.method().as_str());
    word(out, b"\",\"route\":\"", trail.route());
    number(out, b"\",\"status\":", outcome.status);
    if let Some(principal) = outcome.learned.principal.as_ref() {
        out.extend_from_slice(b",\"key\":");
        text(out, &principal.key);
    }
    if let Some(model) = outcome.learned.requested.as_ref() {
        out.extend_from_slice(b",\"model\":");
        text(out, model);
    }
    if let Some(served) = outcome.learned.served.as_ref() {
        bill(out, b",\"deployment\":", served);
    }
    if let Some(Cached::Hit) = outcome.cached {
        out.extend_from_slice(b",\"cache\":\"hit\"");
    }
    others(out, ",\"attempts\":[", &outcome.learned.attempts, outcome.end);
    others(out, ",\"runs\":[", &outcome.learned.branches, outcome.end);
    if let Some(failure) = outcome.failure {
        word(out, b",\"error\":\"", failure.class);
        number(out, b"\",\"error_status\":", failure.status);
    }
    word(out, b",\"stream\":", if trail.streamed() { "true" } else { "false" });
    if let Some(first) = outcome.learned.first_content.as_ref() {
        out.extend_from_slice(b",\"first_content_ms\":");
        out.extend_from_slice(millis(*first - trail.started()).as_bytes());
    }
    out.extend_from_slice(b",\"duration_ms\":");
    out.extend_from_slice(millis(outcome.took).as_bytes());
    number(out, b",\"received\":", trail.received());
    number(out, b",\"sent\":", trail.written());
    out.extend_from_slice(b"}\n");
}

/// Who answers, and what it uses.
fn bill(out: &mut Vec<u8>, before: &[u8], served: &Served) {
    out.extend_from_slice(before);
    text(out, &served.deployment.model_id);
    if let Some((usage, cost)) = served.usage.bill() {
        number(out, b",\"input_tokens\":", usage[Unit::Input]);
        number(out, b",\"output_tokens\":", usage[Unit::Output]);
        number(out, b",\"cost_nano_usd\":", cost.0);
        // Counted in the content: the provider did not tell.
        if served.usage.is_estimated() {
            out.extend_from_slice(b",\"estimated\":true");
        }
    }
}

/// The attempts that failed before, or the deployments of a call that asked several.
fn others(out: &mut Vec<u8>, list: &str, others: &[Trail], end: End) {
    for (at, other) in others.iter().enumerate() {
        let outcome = other.outcome(end);
        out.extend_from_slice(if at == 0 { list.as_bytes() } else { b"," });
        number(out, b"{\"status\":", outcome.status);
        if let Some(model) = outcome.learned.requested.as_ref() {
            out.extend_from_slice(b",\"model\":");
            text(out, model);
        }
        if let Some(served) = outcome.learned.served.as_ref() {
            bill(out, b",\"deployment\":", served);
        }
        self::others(out, ",\"attempts\":[", &outcome.learned.attempts, end);
        if let Some(failure) = outcome.failure {
            word(out, b",\"error\":\"", failure.class);
            out.push(b'"');
        }
        out.push(b'}');
    }
    if !others.is_empty() {
        out.push(b']');
    }
}

fn as_words(out: &mut Vec<u8>, trail: &Trail, outcome: &Outcome<'_>) {
    let mut say = |words: &[&str]| {
        words.iter().for_each(|word| out.extend_from_slice(word.as_bytes()));
    };
    let model = outcome.learned.requested.as_ref().map_or("-", AsRef::as_ref);
    let status = outcome.status.to_string();
    let mut now = Vec::new();
    timestamp(&mut now);
    let took = millis(outcome.took);
    let [now, took] = [&now, took.as_bytes()].map(String::from_utf8_lossy);
    say(&[&now, " ", level(outcome), " ", &status, " ", trail.method().as_str(), " "]);
    say(&[trail.route(), " ", model, " ", &took, " ms"]);
    if let Some(usage) = outcome.learned.served.as_ref().and_then(|served| served.usage.usage()) {
        say(&[
            ", ",
            &usage[Unit::Input].to_string(),
            " + ",
            &usage[Unit::Output].to_string(),
            " tokens",
        ]);
    }
    if let Some(Cached::Hit) = outcome.cached {
        say(&[", from the cache"]);
    }
    if let Some(failure) = outcome.failure {
        say(&[", ", failure.class, " (", &failure.status.to_string(), ")"]);
    }
    say(&[" [", trail.id().as_str(), "]\n"]);
}

const fn level(outcome: &Outcome<'_>) -> &'static str {
    match outcome.failure {
        Some(failure) if failure.status >= 500 => "WARN",
        _ => "INFO",
    }
}

fn message(outcome: &Outcome<'_>) -> &'static str {
    match (outcome.end, outcome.failure) {
        (End::Cancelled, _) | (_, Some(Failure { class: "Cancelled", .. })) => "Client left",
        (_, Some(_)) => "Call failed",
        _ => "Call answered",
    }
}

/// Milliseconds with three decimals.
#[must_use]
pub fn millis(duration: Duration) -> Decimal {
    Decimal::new(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), 3)
}

/// A number with zeros in front of it.
fn digits(out: &mut Vec<u8>, number: u64, width: u32) {
    out.extend((0..width).rev().map(|place| b'0' + (number / 10_u64.pow(place) % 10) as u8));
}

fn word(out: &mut Vec<u8>, before: &[u8], word: &str) {
    out.extend_from_slice(before);
    out.extend_from_slice(word.as_bytes());
}

fn number(out: &mut Vec<u8>, before: &[u8], number: impl itoa::Integer) {
    out.extend_from_slice(before);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A JSON string.
fn text(out: &mut Vec<u8>, text: &str) {
    // Without a way out of the loop it becomes a few vector instructions.
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// `2026-11-21T04:05:06`, and the second that it stands for.
type Second = (u64, Vec<u8>);

thread_local! {
    /// Many calls end in one second, and a date is dear to work out.
    static SECOND: RefCell<Second> = const { RefCell::new((0, Vec::new())) };
}

/// The time as log lines have it.
#[must_use]
pub fn now() -> String {
    let mut text = Vec::new();
    timestamp(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// RFC 3339 in UTC with microseconds, as the lines of `tracing` have it.
fn timestamp(out: &mut Vec<u8>) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != since.as_secs() || text.is_empty() {
            *second = since.as_secs();
            let mut whole = String::new();
            // It is the clock's second unless the clock moved on in between; then it is the next.
            fmt_time::SystemTime.format_time(&mut Writer::new(&mut whole)).ok();
            *text = whole.split('.').next().unwrap_or_default().as_bytes().to_vec();
        }
        out.extend_from_slice(text);
    });
    out.push(b'.');
    digits(out, since.subsec_micros().into(), 6);
    out.push(b'Z');
}
