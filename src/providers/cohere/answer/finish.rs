//! Why an answer ends.
use crate::providers::chat::Finish;

/// Cohere's word for it, in the model's.
pub(crate) fn read_finish(told: String) -> Finish {
    match told.as_str() {
        "COMPLETE" => Finish::Stop,
        "STOP_SEQUENCE" => Finish::Sequence(None),
        // The second one is of version 1: the prompt and the answer fill the model's context.
        "MAX_TOKENS" | "ERROR_LIMIT" => Finish::Length,
        "TOOL_CALL" => Finish::Tools,
        "ERROR_TOXIC" => Finish::Filter,
        _ => Finish::Failed(told),
    }
}

/// Version 1 has no word for calls: it is complete with them.
pub(crate) fn after_calls(finish: Option<Finish>, calls: bool) -> Option<Finish> {
    match finish {
        Some(Finish::Stop) if calls => Some(Finish::Tools),
        finish => finish,
    }
}
