//! Why answers end.
use crate::providers::chat::Finish;

/// What a `finish_reason` says.
pub(in super::super) fn read_finish(told: &str) -> Finish {
    match told {
        "length" | "model_length" | "max_tokens" => Finish::Length,
        "tool_calls" | "function_call" | "tool_use" => Finish::Tools,
        "content_filter" => Finish::Filter,
        "error" => Finish::Failed(told.to_owned()),
        // `stop`, and what servers of their own have for it: `eos`, `eos_token`, `end_turn`.
        _ => Finish::Stop,
    }
}

/// The `finish_reason` for it.
pub(in crate::providers::openai) const fn write_finish(finish: &Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::Tools => "tool_calls",
        Finish::Filter | Finish::Refusal => "content_filter",
        Finish::Stop | Finish::Sequence(_) | Finish::Pause | Finish::Failed(_) => "stop",
    }
}
