//! What the events of Cohere's chat tell, version 2: `message-end` is the last one.
use super::learned::{Learned, is_empty};
use crate::wire::scan::value;

impl Learned {
    pub(super) fn cohere(&mut self, kind: &[u8], data: &[u8]) {
        match kind {
            b"content-delta" | b"tool-plan-delta" | b"tool-call-delta" => {
                self.content += 1;
                self.written.cohere(data);
            }
            b"tool-call-start" => {
                self.content += 1;
                self.tools = true;
            }
            b"message-start" => {
                value(data).members().for_each(|(key, value)| self.named(&key, value));
            }
            b"message-end" => self.cohere_end(data),
            // An error in place of an event.
            b"" if value(data).get("message").is_some_and(|it| it.as_str().is_some()) => {
                self.failed(data);
            }
            _ => {}
        }
    }

    fn cohere_end(&mut self, data: &[u8]) {
        let Some(delta) = value(data).get("delta") else { return };
        if let Some(usage) = delta.get("usage") {
            self.used(usage);
        }
        if delta.get("error").is_some_and(|error| !is_empty(error)) {
            return self.failed(data);
        }
        self.ended = true;
        self.tell_reason(delta.get("finish_reason"));
    }
}
