//! Why an answer ends.
use crate::providers::chat::Finish;

/// Cohere's word for it, in the model's.
pub(crate) fn read_finish(told: String) -> Finish {
    match told.as_str() {
        "COMPLETE" => Finish::Stop,
        "STOP_SEQUENCE" => Finish::Sequence(None),
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::Tools,
        "ERROR_TOXIC" => Finish::Filter,
        _ => Finish::Failed(told),
    }
}

/// The same in Cohere's word. What nobody tells is whole.
pub(crate) fn write_finish(finish: Option<&Finish>, calls: bool) -> &str {
    match finish {
        Some(Finish::Sequence(_)) => "STOP_SEQUENCE",
        Some(Finish::Length) => "MAX_TOKENS",
        Some(Finish::Tools) => "TOOL_CALL",
        Some(Finish::Filter | Finish::Refusal) => "ERROR_TOXIC",
        Some(Finish::Failed(word)) if word == "TIMEOUT" => word,
        Some(Finish::Failed(_)) => "ERROR",
        _ if calls => "TOOL_CALL",
        _ => "COMPLETE",
    }
}
