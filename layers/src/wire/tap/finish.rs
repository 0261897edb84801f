//! Why a model stopped, in the words of each wire.
use super::Wire;
use super::learned::{Learned, is_empty};
use crate::facts::{Finish, UsageCell};
use crate::wire::scan::{Value, value};

impl Learned {
    /// Takes in a finish reason and says whether it is one.
    pub(super) fn stopped(&mut self, reason: Value<'_>) -> bool {
        if is_empty(reason) {
            return false;
        }
        self.tell_finish(finish(reason));
        true
    }

    /// The provider's policy refused the prompt.
    pub(super) fn blocked(&mut self) {
        self.tell_finish(Finish::ContentFilter);
    }

    /// Takes in a response object that is over, or goes on in the background.
    pub(super) fn response(&mut self, response: Value<'_>) {
        response.members().for_each(|(key, value)| self.named(&key, value));
        if let Some(usage) = response.get("usage") {
            self.used(usage);
        }
        let reason = response.get("incomplete_details").and_then(|it| it.get("reason"));
        match response.get("status").filter(|status| !is_empty(*status)) {
            Some(status) if status.raw() == br#""completed""# => self.tell_finish(Finish::Stop),
            status => {
                let told = reason.is_some_and(|reason| self.stopped(reason));
                if status.is_some() && !told {
                    self.tell_finish(Finish::Other);
                }
            }
        }
    }

    /// Takes in a finish reason, if it is one.
    pub(super) fn tell_reason(&mut self, reason: Option<Value<'_>>) {
        if let Some(reason) = reason {
            self.stopped(reason);
        }
    }

    fn tell_finish(&mut self, mut finish: Finish) {
        // Gemini and the responses API stop in the same way with and without.
        if finish == Finish::Stop && self.tools {
            finish = Finish::ToolCalls;
        }
        if let Some(cell) = &self.cell {
            cell.finish(finish);
        }
    }
}

/// What a finish reason means.
fn finish(reason: Value<'_>) -> Finish {
    match &*reason.as_str().unwrap_or_default() {
        "stop" | "end_turn" | "stop_sequence" | "pause_turn" | "eos" | "eos_token" | "COMPLETE"
        | "STOP_SEQUENCE" | "STOP" => Finish::Stop,
        "tool_calls" | "function_call" | "tool_use" | "TOOL_CALL" => Finish::ToolCalls,
        "length"
        | "max_tokens"
        | "max_output_tokens"
        | "model_length"
        | "model_context_window_exceeded"
        | "MAX_TOKENS" => Finish::Length,
        "content_filter"
        | "refusal"
        | "sensitive"
        | "ERROR_TOXIC"
        | "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "OTHER"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        _ => Finish::Other,
    }
}

/// Why the model stopped, as a whole JSON answer of `wire` says; the gravest reason of several
/// choices. `None` where it does not say, as answers without text do.
#[must_use]
pub fn finish_of(wire: Wire, body: &[u8]) -> Option<Finish> {
    let cell = UsageCell::default();
    let mut learned = Learned::new(wire);
    learned.cell = Some(cell.clone());
    for (key, value) in value(body).members() {
        learned.ending(&key, value);
    }
    if wire == Wire::Responses {
        learned.response(value(body));
    }
    cell.finished()
}

impl Learned {
    /// Takes in a member of a whole answer that may tell why it ended.
    pub(super) fn ending(&mut self, key: &[u8], value: Value<'_>) {
        match (self.wire, key) {
            (Wire::Chat, b"choices") => value.elements().for_each(|choice| {
                self.tell_reason(choice.get("finish_reason"));
            }),
            (Wire::Messages, b"stop_reason")
            | (Wire::Cohere, b"finish_reason")
            | (Wire::Ollama, b"done_reason") => self.tell_reason(Some(value)),
            (Wire::Ollama, b"message") => self.tools |= value.get("tool_calls").is_some(),
            (Wire::Responses, b"output") => {
                let kinds = value.elements().filter_map(|item| item.get("type"));
                self.tools |= kinds.into_iter().any(|kind| {
                    matches!(kind.raw(), br#""function_call""# | br#""custom_tool_call""#)
                });
            }
            (Wire::Gemini, b"candidates") => value.elements().for_each(|candidate| {
                self.candidate(candidate);
            }),
            (Wire::Gemini, b"promptFeedback") => self.feedback(value),
            (_, b"error") if !is_empty(value) => self.tell_finish(Finish::Other),
            _ => self.named(key, value),
        }
    }
}
