//! Why an answer ends.
use crate::providers::chat::Finish;
use serde_json::Value;

/// What a `finishReason` means; `None` for none. `calls` is whether the answer calls tools, which
/// Gemini does not tell here.
pub(crate) fn read(reason: &Value, calls: bool) -> Option<Finish> {
    let reason = match reason {
        Value::String(reason) => reason.as_str(),
        // With `$alt=json;enum-encoding=int`. Only these mean the same on all of Google's servers.
        Value::Number(number) => match number.as_u64()? {
            0 => return None,
            1 => "STOP",
            2 => "MAX_TOKENS",
            3..=9 | 11 => "SAFETY",
            _ => "OTHER",
        },
        _ => return None,
    };
    Some(match reason {
        "STOP" | "FINISH_REASON_UNSPECIFIED" | "" if calls => Finish::Tools,
        "STOP" | "FINISH_REASON_UNSPECIFIED" | "" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "OTHER"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::Filter,
        other => Finish::Failed(other.to_owned()),
    })
}

/// The `finishReason` of an ending. `broken` is whether a call was left out, whose arguments are no
/// object: Google has these whole or not at all.
pub(crate) fn write(finish: &Finish, broken: bool) -> &str {
    match finish {
        Finish::Stop | Finish::Tools if broken => "MALFORMED_FUNCTION_CALL",
        Finish::Stop | Finish::Sequence(_) | Finish::Tools | Finish::Pause => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::Filter | Finish::Refusal => "SAFETY",
        Finish::Failed(word) => match word.as_str() {
            "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE"
            | "IMAGE_OTHER"
            | "NO_IMAGE" => word,
            _ => "OTHER",
        },
    }
}
