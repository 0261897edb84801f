//! Why an answer ends: `stop_reason`.
use crate::providers::chat::Finish;

/// What a provider's `stop_reason` means; `sequence` is its `stop_sequence`.
pub(super) fn read_finish(reason: &str, sequence: Option<String>) -> Finish {
    match reason {
        "stop_sequence" => Finish::Sequence(sequence),
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::Tools,
        "refusal" => Finish::Refusal,
        "pause_turn" | "compaction" => Finish::Pause,
        _ => Finish::Stop,
    }
}

/// `stop_reason` and `stop_sequence`. Some providers say `stop` of answers that call tools; what
/// was seen counts then, since clients run tools only after `tool_use`.
pub(super) fn write_finish(
    finish: Option<&Finish>,
    has_tools: bool,
) -> (&'static str, Option<&str>) {
    match finish {
        Some(Finish::Sequence(Some(sequence))) if !has_tools => ("stop_sequence", Some(sequence)),
        None | Some(Finish::Stop | Finish::Tools | Finish::Sequence(_)) if has_tools => {
            ("tool_use", None)
        }
        Some(Finish::Length) => ("max_tokens", None),
        Some(Finish::Filter | Finish::Refusal) => ("refusal", None),
        Some(Finish::Pause) => ("pause_turn", None),
        None | Some(Finish::Stop | Finish::Tools | Finish::Sequence(_) | Finish::Failed(_)) => {
            ("end_turn", None)
        }
    }
}
