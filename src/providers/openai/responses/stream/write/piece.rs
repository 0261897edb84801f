//! What an answer is made of.
use super::super::super::sealed;
use super::Writer;
use crate::providers::chat::{Event, Source};
use serde_json::Value;

impl Writer {
    /// Writes a piece of the answer; of the first one where there are several.
    pub(super) fn piece(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Thought(0, text) => {
                if let Some((thinking, lines)) = self.thinking(None, out) {
                    thinking.more(&text, lines, out);
                }
            }
            Event::Signature(0, told) => self.seal(sealed::write_signature(&told), None, out),
            Event::Hidden(0, hidden, id) => self.seal(hidden, id, out),
            Event::ToolUse { choice: 0, tool, id, name, signature } => {
                let id = sealed::write_call(&id, signature.as_deref());
                self.call(tool, id, name, out);
            }
            Event::Arguments { choice: 0, tool, json } => self.arguments(tool, &json, out),
            Event::Media(0, media) => {
                // There is no place for sounds and films.
                if let Source::Base64(data) | Source::Url(data) = media.source {
                    self.image(data, out);
                }
            }
            event => self.words(event, out),
        }
    }

    /// Writes what belongs to a message.
    fn words(&mut self, event: Event, out: &mut Vec<u8>) {
        if !matches!(
            event,
            Event::Text(0, _)
                | Event::Refusal(0, _)
                | Event::Citation(0, _)
                | Event::Logprobs(0, _)
        ) {
            return;
        }
        self.refuses |= matches!(event, Event::Refusal(..));
        let Some((message, lines)) = self.message(out) else { return };
        match event {
            Event::Text(_, text) => message.more(false, &text, lines, out),
            Event::Refusal(_, text) => message.more(true, &text, lines, out),
            Event::Citation(_, citation) => message.citation(&citation, lines, out),
            Event::Logprobs(_, mut told) => {
                if let Some(Value::Array(told)) = told.get_mut("content").map(Value::take) {
                    message.logprobs(told, lines, out);
                }
            }
            _ => {}
        }
    }
}

/// How many bytes of an event are kept; `None` of one that says nothing.
pub(super) fn length(event: &Event) -> Option<usize> {
    let length = match event {
        Event::Text(_, text)
        | Event::Refusal(_, text)
        | Event::Thought(_, text)
        | Event::Arguments { json: text, .. } => Some(text.len()).filter(|length| *length > 0)?,
        Event::Signature(_, text) | Event::Hidden(_, text, _) => text.len(),
        Event::Media(_, media) => match &media.source {
            Source::Base64(data) | Source::Url(data) => data.len(),
            Source::Text(_) | Source::File(_) => 0,
        },
        // A citation or a call is a few hundred bytes.
        _ => 256,
    };
    Some(length)
}
