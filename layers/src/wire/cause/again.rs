//! When a provider wants to be asked again.
use super::time;
use crate::facts::retry_after;
use http::{HeaderMap, header};
use std::time::{Duration, SystemTime};

/// What `retry-after` says, in milliseconds, seconds or as a date.
pub(super) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    retry_after(headers).or_else(|| {
        let date = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        Some(time::http_date(date)?.duration_since(now).unwrap_or_default())
    })
}

/// What an error says itself: the `retryDelay` of Google's `RetryInfo`, or a text such as OpenAI's
/// "Please try again in 1m2.5s.". `text` is in lower case.
pub(super) fn said(body: &[u8], text: &str) -> Option<Duration> {
    let body = String::from_utf8_lossy(body);
    let delay = body.split_once("\"retryDelay\"").and_then(|(_, rest)| {
        time::span(rest.trim_start_matches([' ', '\n', '\r', '\t', ':', '"']))
    });
    delay.or_else(|| {
        let (_, rest) = text.split_once("try again in ")?;
        time::span(rest).or_else(|| {
            let (count, unit) = rest.split_once(' ')?;
            time::span(&format!("{count}{}", unit.chars().next().filter(|unit| *unit == 's')?))
        })
    })
}

/// Limits and the headers in which OpenAI (`x-ratelimit-*`, spans) and Anthropic
/// (`anthropic-ratelimit-*`, RFC 3339) tell how much of them remains and when it is all there again.
const LIMITS: [(&str, &str); 7] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// When the limits that are used up are reset; if none is known to be, when the first is.
pub(super) fn reset(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let resets = LIMITS.iter().filter_map(|(remaining, reset)| {
        let wait = time::moment(text(*reset)?, now)?;
        Some((text(*remaining) == Some("0"), wait))
    });
    let resets: Vec<_> = resets.collect();
    let used_up = resets.iter().filter(|(used_up, _)| *used_up).map(|(_, wait)| *wait).max();
    used_up.or_else(|| resets.iter().map(|(_, wait)| *wait).min())
}

/// When OpenRouter's limit is reset, by the copy of that header in its error.
pub(super) fn copied(body: &[u8], now: SystemTime) -> Option<Duration> {
    let body = String::from_utf8_lossy(body);
    let (_, rest) = body.split_once("\"X-RateLimit-Reset\"")?;
    let rest = rest.trim_start_matches([' ', ':', '"']);
    let end = rest.find(|digit: char| !digit.is_ascii_digit())?;
    time::moment(rest.get(..end)?, now)
}
