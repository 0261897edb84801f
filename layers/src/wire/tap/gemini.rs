//! What the events of Gemini tell.
use super::learned::{Learned, is_empty};
use crate::wire::scan::{Value, value};

impl Learned {
    pub(super) fn gemini(&mut self, data: &[u8]) {
        let mut content = false;
        for (key, value) in value(data).members() {
            match &*key {
                b"candidates" => value.elements().for_each(|it| content |= self.candidate(it)),
                b"usageMetadata" => self.used(value),
                b"promptFeedback" => self.feedback(value),
                b"error" if !value.is_null() => self.failed(data),
                key => self.named(key, value),
            }
        }
        self.content += u64::from(content);
    }

    /// Reads what was found in the prompt: one that is refused gets no other answer.
    pub(super) fn feedback(&mut self, feedback: Value<'_>) {
        if feedback.get("blockReason").is_some() {
            self.ended = true;
            self.blocked();
        }
    }

    /// Reads a candidate and says whether it has content.
    pub(super) fn candidate(&mut self, candidate: Value<'_>) -> bool {
        let (mut bit, mut stop, mut content) = (1, None, false);
        for (key, value) in candidate.members() {
            match &*key {
                b"index" => bit = 1 << value.as_u64().unwrap_or(0).min(127),
                b"finishReason" => stop = Some(value),
                b"content" => content = value.get("parts").is_some_and(|parts| self.parts(parts)),
                _ => {}
            }
        }
        self.seen |= bit;
        // Its parts may stand behind it.
        if stop.is_some_and(|stop| self.stopped(stop)) {
            self.finished |= bit;
        }
        content
    }

    /// Reads the parts of a candidate and says whether one has content.
    fn parts(&mut self, parts: Value<'_>) -> bool {
        let mut content = false;
        for (key, value) in parts.elements().flat_map(Value::members) {
            content |= !is_empty(value);
            match &*key {
                b"text" => self.written.text(value),
                b"functionCall" => {
                    self.tools = true;
                    self.written.text(value);
                }
                _ => {}
            }
        }
        content
    }
}
