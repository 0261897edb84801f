//! The texts by which errors are known, in lower case (contract 10.7, and recorded errors).
use crate::facts::Cause;

const CONTEXT: [&str; 16] = [
    "maximum prompt length",
    "maximum context length",
    "string too long. expected a string with maximum length",
    "model's maximum context limit",
    "is longer than the model's context length",
    "exceed context limit",
    "input tokens exceed the configured limit",
    "`inputs` tokens + `max_new_tokens` must be",
    "exceeds the maximum number of tokens allowed",
    "prompt is too long",
    "input is too long",
    "exceeded max context length",
    "exceeds the available context size",
    "exceeds the context window",
    "too many tokens: size limit exceeded",
    // How another LiteLLM proxy says it.
    "litellm.contextwindowexceedederror",
];

const FILTER: [&str; 11] = [
    "blocked by content filtering policy",
    "content exists risk",
    "input was flagged",
    "content management policy",
    "your task failed as a result of our safety system",
    "the model produced invalid content",
    "content_filter_policy",
    "content_policy_violation",
    "violating our usage policy",
    "content violates usage guidelines",
    "litellm.contentpolicyviolationerror",
];

const CREDENTIAL: [&str; 6] = [
    "api key expired",
    "invalid api key",
    "invalid x-api-key",
    "api key not valid",
    "unable to locate credentials",
    "incorrect api key",
];

const UNPAID: [&str; 8] = [
    "check your plan and billing details",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
    "account is not active",
    "doesn't have any credits",
    "used all available credits",
    "requires more credits",
];

const RATE: [&str; 3] = ["rate limit", "quota", "throttling"];

/// The cause that a message proves.
pub(super) fn cause_of(text: &str) -> Option<Cause> {
    let any = |known: &[&str]| known.iter().any(|known| text.contains(known));
    let clipped = text.contains("current length is") && text.contains("while limit is");
    if clipped || any(&CONTEXT) {
        Some(Cause::ContextTooLong)
    } else if any(&FILTER) {
        Some(Cause::ContentFilter)
    } else if any(&CREDENTIAL) {
        Some(Cause::BadCredential)
    } else if any(&UNPAID) {
        Some(Cause::Quota)
    } else if any(&RATE) {
        Some(Cause::RateLimit)
    } else {
        text.contains("overloaded").then_some(Cause::Overload)
    }
}

/// Whether a message speaks of an account that has nothing left.
pub(super) fn is_unpaid(text: &str) -> bool {
    UNPAID[1..].iter().any(|known| text.contains(known))
}
