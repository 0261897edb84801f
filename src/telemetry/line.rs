//! The log line of a call.
use super::trail::{Outcome, Trail};
use bartizan_layers::end::End;
use std::io::Write;
use std::time::Duration;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Appends the line of one call: JSON, or words for people.
pub(super) fn write(buffer: &mut Vec<u8>, json: bool, trail: &Trail, outcome: &Outcome) {
    let written =
        if json { as_json(buffer, trail, outcome) } else { as_words(buffer, trail, outcome) };
    written.expect("a vector takes any number of bytes");
}

fn as_json(out: &mut Vec<u8>, trail: &Trail, outcome: &Outcome) -> std::io::Result<()> {
    out.extend_from_slice(b"{\"timestamp\":\"");
    timestamp(out)?;
    write!(out, "\",\"level\":\"{}\",\"message\":\"{}\"", level(outcome), message(outcome))?;
    write!(out, ",\"request_id\":")?;
    text(out, trail.id().as_str())?;
    write!(out, ",\"method\":\"{}\",\"route\":\"{}\"", trail.method(), trail.route())?;
    write!(out, ",\"status\":{}", outcome.status)?;
    if let Some(principal) = trail.principal() {
        out.extend_from_slice(b",\"key\":");
        text(out, &principal.key)?;
    }
    if let Some(model) = trail.requested() {
        out.extend_from_slice(b",\"model\":");
        text(out, model)?;
    }
    if let Some(served) = trail.served() {
        out.extend_from_slice(b",\"deployment\":");
        text(out, &served.deployment.model_id)?;
        if let Some(usage) = served.usage.usage() {
            write!(out, ",\"input_tokens\":{},\"output_tokens\":{}", usage.input, usage.output)?;
            write!(out, ",\"cost_nano_usd\":{}", served.usage.cost().0)?;
        }
    }
    if let Some(failure) = outcome.failure {
        write!(out, ",\"error\":\"{}\",\"error_status\":{}", failure.class, failure.status)?;
    }
    write!(out, ",\"stream\":{}", trail.streamed())?;
    if let Some(first) = trail.first_content() {
        out.extend_from_slice(b",\"first_content_ms\":");
        millis(out, *first - trail.started())?;
    }
    out.extend_from_slice(b",\"duration_ms\":");
    millis(out, outcome.ended - trail.started())?;
    writeln!(out, ",\"received\":{},\"sent\":{}}}", trail.received(), trail.written())
}

fn as_words(out: &mut Vec<u8>, trail: &Trail, outcome: &Outcome) -> std::io::Result<()> {
    timestamp(out)?;
    let model = trail.requested().map_or("-", AsRef::as_ref);
    write!(out, " {:>5} {} ", level(outcome), outcome.status)?;
    write!(out, "{} {} {model} ", trail.method(), trail.route())?;
    millis(out, outcome.ended - trail.started())?;
    out.extend_from_slice(b" ms");
    if let Some(usage) = trail.served().and_then(|served| served.usage.usage()) {
        write!(out, ", {} + {} tokens", usage.input, usage.output)?;
    }
    if let Some(failure) = outcome.failure {
        write!(out, ", {} ({})", failure.class, failure.status)?;
    }
    writeln!(out, " [{}]", trail.id().as_str())
}

const fn level(outcome: &Outcome) -> &'static str {
    match outcome.failure {
        Some(failure) if failure.status >= 500 => "WARN",
        _ => "INFO",
    }
}

const fn message(outcome: &Outcome) -> &'static str {
    match (outcome.end, outcome.failure) {
        (End::Cancelled, _) => "Client left",
        (_, Some(_)) => "Call failed",
        _ => "Call answered",
    }
}

/// Milliseconds with three decimals.
fn millis(out: &mut Vec<u8>, duration: Duration) -> std::io::Result<()> {
    let micros = duration.as_micros();
    write!(out, "{}.{:03}", micros / 1000, micros % 1000)
}

/// A JSON string.
fn text(out: &mut Vec<u8>, text: &str) -> std::io::Result<()> {
    serde_json::to_writer(out, text).map_err(Into::into)
}

/// RFC 3339 in UTC with microseconds, as the lines of `tracing` have it.
fn timestamp(out: &mut Vec<u8>) -> std::io::Result<()> {
    let mut text = Ascii(out);
    SystemTime.format_time(&mut Writer::new(&mut text)).map_err(std::io::Error::other)
}

/// Lets formatted text go straight into a vector of bytes.
struct Ascii<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Ascii<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
