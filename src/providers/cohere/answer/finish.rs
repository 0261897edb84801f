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
