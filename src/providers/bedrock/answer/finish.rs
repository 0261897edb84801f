//! Why an answer ends.
use crate::providers::chat::Finish;

/// Converse's `stopReason`.
pub(in super::super) fn read_finish(told: String) -> Finish {
    match told.as_str() {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::Sequence(None),
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Tools,
        "content_filtered" | "guardrail_intervened" => Finish::Filter,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        _ => Finish::Failed(told),
    }
}
