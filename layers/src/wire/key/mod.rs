//! The key of an answer in a cache: a digest of everything that may change it.
//!
//! Requests that mean the same have the same key: the order of an object's members, blanks, the
//! way in which a string is escaped or a number is written do not count. A member of the request
//! itself that is null counts as absent. What is left out of the key is the caller's to say:
//! [`LEFT_OUT`] are members that no provider sees, and those that change the form of an answer
//! and not the answer. Everything else counts, also what nobody knows.
//!
//! What is hashed is a copy of the body in a canonical form. A body in which a member
//! stands twice, is deeper than 128 or is not JSON has no key.
//!
//! ```
//! use bartizan_layers::wire::key::{LEFT_OUT, key_of};
//!
//! let key = |body: &str| key_of(&["openai", "chat"], body.as_bytes(), |name| LEFT_OUT.contains(&name));
//! let a = key(r#"{"model":"m","temperature":1.0,"stream":true,"messages":["a"]}"#);
//! let b = key(r#"{ "messages": ["\u0061"], "temperature": 1, "model": "m" }"#);
//! assert!(a.is_some() && a == b);
//! assert_ne!(a, key(r#"{"model":"m","temperature":1,"messages":["b"]}"#));
//! ```
mod control;
mod number;
mod room;
mod walk;

pub use control::cache_control;

use super::scan::{Object, scan};
use crate::facts::CacheKey;
use walk::Canonical;

/// Members of a request that do not change the answer: how it is delivered (`stream`,
/// `stream_options`), and what LiteLLM's proxy takes for itself (contract 3.3). Those of its members
/// that change what is sent to the provider count, such as `drop_params`.
pub const LEFT_OUT: [&str; 23] = [
    "stream",
    "stream_options",
    "metadata",
    "cache",
    "caching",
    "litellm_metadata",
    "tags",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "num_retries",
    "timeout",
    "request_timeout",
    "stream_timeout",
    "cooldown_time",
    "disable_fallbacks",
    "litellm_session_id",
    "litellm_trace_id",
    "litellm_call_id",
    "priority",
    "no-log",
    "enable_tag_filtering",
    "secret_fields",
];

/// Written first, so that keys of another form never meet these.
const FORM: &[u8] = b"bartizan 2";

/// The key of the request `body`, which is one JSON object. `context` is what the path says:
/// dialect, operation, and the model, if it stands there. Members of the body itself whose
/// unescaped name `is_left_out` do not count.
#[must_use]
pub fn key_of(
    context: &[&str],
    body: &[u8],
    is_left_out: impl Fn(&str) -> bool,
) -> Option<CacheKey> {
    key_of_object(context, &scan(body).ok()?, is_left_out)
}

/// The key of a request that is scanned already; see [`key_of`]. It must be the whole text, and no
/// outline of it.
#[must_use]
pub fn key_of_object<C: AsRef<[u8]>>(
    context: impl IntoIterator<Item = C>,
    object: &Object<'_>,
    is_left_out: impl Fn(&str) -> bool,
) -> Option<CacheKey> {
    let mut canonical = Canonical::new();
    canonical.raw(FORM);
    for part in context {
        canonical.text(part.as_ref())?;
    }
    // Behind the context, so that none can be told from another by what follows.
    canonical.raw(b"{");
    canonical.request(object, is_left_out)?;
    Some(CacheKey(canonical.hash()))
}

#[cfg(test)]
mod tests;
