//! What the lines of Ollama tell: the last one is `done`.
use super::learned::{Learned, is_empty};
use crate::wire::scan::{Value, value};

impl Learned {
    pub(super) fn ollama(&mut self, line: &[u8]) {
        let (mut content, mut done, mut reason) = (false, false, None);
        for (key, value) in value(line).members() {
            match &*key {
                b"message" => content |= self.spoken(value),
                b"response" | b"thinking" => content |= self.words(value),
                b"done" => done = value.as_bool() == Some(true),
                b"done_reason" => reason = Some(value),
                b"error" if !value.is_null() => self.failed(line),
                key => self.named(key, value),
            }
        }
        self.content += u64::from(content);
        if done {
            self.ended = true;
            self.used(value(line));
            self.tell_reason(reason);
        }
    }

    /// Reads a message and says whether it has content.
    pub(super) fn spoken(&mut self, message: Value<'_>) -> bool {
        let mut content = false;
        for (key, value) in message.members() {
            match &*key {
                b"content" | b"thinking" | b"images" => content |= self.words(value),
                b"tool_calls" => {
                    let called = self.words(value);
                    self.tools |= called;
                    content |= called;
                }
                _ => {}
            }
        }
        content
    }

    fn words(&mut self, words: Value<'_>) -> bool {
        let some = !is_empty(words);
        if some {
            self.written.text(words);
        }
        some
    }
}
