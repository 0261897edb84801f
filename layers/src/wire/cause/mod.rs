//! Why a provider failed, read from its answer: words first, its text next, its status last.
//!
//! Providers send one cause with many statuses: a prompt that is too long comes with 400 or 413,
//! an empty account with 429, a wrong key with 400. So the words that an error names itself by
//! (`code`, `type`, `status`) are looked up first, then its message is searched for known texts,
//! and the status decides only where both say nothing. Errors of the OpenAI, Anthropic and Gemini
//! wires are read, and those of servers that speak them in their own way. This costs some
//! microseconds and is for failures only.
//!
//! ```
//! use bartizan_layers::facts::Cause;
//! use bartizan_layers::wire::cause::fault_of;
//! use http::{HeaderMap, HeaderValue, StatusCode};
//! use std::time::{Duration, SystemTime};
//!
//! let error = r#"{"error":{"message":"Rate limit reached. Please try again in 1.2s.",
//!     "type":"tokens","code":"rate_limit_exceeded"}}"#;
//! let status = StatusCode::TOO_MANY_REQUESTS;
//! let fault = fault_of(status, &HeaderMap::new(), error.as_bytes(), SystemTime::now());
//! assert_eq!(fault.cause, Cause::RateLimit);
//! assert_eq!(fault.retry_after, Some(Duration::from_millis(1200)));
//! ```
mod again;
mod texts;
mod time;
mod words;

use super::scan::{Value, value};
use super::tap::InBand;
use crate::cause::cause_ref;
use crate::facts::{Cause, Fault};
use http::{HeaderMap, HeaderValue, StatusCode};
use std::error::Error;
use std::io;
use std::time::SystemTime;

/// What AWS calls an error, where its body has only its text.
const AWS_ERROR: &str = "x-amzn-errortype";

/// How an attempt failed that was answered with an error `status`. `body` is what was read of the
/// answer, which may be cut; `now` is for headers that tell a time of day.
#[must_use]
pub fn fault_of(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Fault {
    let mut said = Said::of(body);
    headers.get(AWS_ERROR).into_iter().for_each(|name| said.named(name));
    let cause = said.cause().unwrap_or_else(|| Cause::of(status));
    let retry_after =
        again::asked(headers, now).or_else(|| again::said(body, &said.text)).or_else(|| {
            let reset = again::reset(headers, now).or_else(|| again::copied(body, now));
            reset.filter(|_| cause == Cause::RateLimit)
        });
    Fault { retry_after, ..Fault::new(cause, status) }
}

/// How an answer failed that has an error event. Its status is the one that the event names, or
/// the one that its cause has elsewhere.
#[must_use]
pub fn fault_of_event(event: &InBand) -> Fault {
    let said = Said::of_event(event);
    let status = event.status.and_then(|status| StatusCode::from_u16(status).ok());
    let cause = said.cause().or_else(|| said.vaguely()).or_else(|| status.map(Cause::of));
    let cause = cause.unwrap_or(Cause::Outage);
    let retry_after = again::said(&event.data, &said.text);
    let status = status.unwrap_or_else(|| said.usual_status(cause));
    Fault { retry_after, ..Fault::new(cause, status) }
}

/// How an answer failed that broke off with `error`, or without any. A fault in the error's chain
/// counts; else it is one of the network, or a timeout.
#[must_use]
pub fn fault_of_break(error: Option<&(dyn Error + 'static)>) -> Fault {
    if let Some(fault) = error.and_then(cause_ref::<Fault>) {
        return fault.clone();
    }
    let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    let is_timeout = error.and_then(cause_ref::<io::Error>).is_some_and(timed_out);
    let cause = if is_timeout { Cause::Timeout } else { Cause::Network };
    Fault::new(cause, usual_status(cause))
}

/// The status that an answer with this cause usually has.
#[must_use]
pub const fn usual_status(cause: Cause) -> StatusCode {
    match cause {
        Cause::BadCredential => StatusCode::UNAUTHORIZED,
        Cause::Permission => StatusCode::FORBIDDEN,
        Cause::Quota | Cause::RateLimit => StatusCode::TOO_MANY_REQUESTS,
        Cause::Overload => StatusCode::SERVICE_UNAVAILABLE,
        Cause::ContextTooLong | Cause::ContentFilter | Cause::Invalid => StatusCode::BAD_REQUEST,
        Cause::NotFound => StatusCode::NOT_FOUND,
        Cause::Timeout => StatusCode::REQUEST_TIMEOUT,
        Cause::Outage | Cause::Network => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What an error says of itself, in lower case.
#[derive(Debug, Default)]
struct Said {
    words: Vec<String>,
    text: String,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        let mut whole = value(body.trim_ascii());
        // Gemini wraps the error of a stream that is an array.
        if let Some(first) = whole.elements().next() {
            whole = first;
        }
        if !whole.is_object() {
            return Self { words: Vec::new(), text: String::from_utf8_lossy(body).to_lowercase() };
        }
        let inner = whole.get("error").filter(Value::is_object);
        let mut said = Self::default();
        for error in inner.into_iter().chain([whole]) {
            said.object(error);
        }
        // OpenRouter's copy of what its provider said.
        let metadata = inner.and_then(|error| error.get("metadata"));
        if let Some(raw) = metadata.and_then(|it| it.get("raw")).and_then(|raw| raw.as_str()) {
            said.object(value(raw.as_bytes()));
            said.text(&raw);
        }
        said
    }

    fn of_event(event: &InBand) -> Self {
        let mut said = Self::default();
        [&event.code, &event.kind].into_iter().flatten().for_each(|word| said.word(word));
        event.message.iter().for_each(|text| said.text(text));
        said
    }

    /// Takes in the members of an error by which providers name it and describe it.
    fn object(&mut self, error: Value<'_>) {
        for (key, value) in error.members() {
            let Some(text) = value.as_str() else { continue };
            match &*key {
                b"code" | b"type" | b"status" | b"error_type" => self.word(&text),
                b"message" | b"error" | b"detail" => self.text(&text),
                _ => {}
            }
        }
    }

    /// AWS's name for an error: `ThrottlingException:http://…`.
    fn named(&mut self, name: &HeaderValue) {
        let name = name.to_str().unwrap_or_default();
        self.word(name.split(':').next().unwrap_or_default());
    }

    fn word(&mut self, word: &str) {
        self.words.push(word.to_ascii_lowercase());
    }

    fn text(&mut self, text: &str) {
        self.text += &text.to_lowercase();
        self.text.push('\n');
    }

    /// The cause that its words or its text prove.
    fn cause(&self) -> Option<Cause> {
        let word = self.words.iter().find_map(|word| words::cause_of(word));
        // A word for "no more" is too short to tell an empty account from a full minute.
        let word = match word {
            Some(Cause::RateLimit) if texts::is_unpaid(&self.text) => Some(Cause::Quota),
            word => word,
        };
        word.or_else(|| texts::cause_of(&self.text))
    }

    /// The status that it usually comes with.
    fn usual_status(&self, cause: Cause) -> StatusCode {
        let is_anthropics = || self.words.iter().any(|word| word == "overloaded_error");
        match StatusCode::from_u16(529) {
            Ok(overloaded) if cause == Cause::Overload && is_anthropics() => overloaded,
            _ => usual_status(cause),
        }
    }

    /// The cause that its words hint at, where there is no status.
    fn vaguely(&self) -> Option<Cause> {
        self.words.iter().find_map(|word| words::hint_of(word))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_providers;
