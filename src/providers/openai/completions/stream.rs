//! A stream of text, written for a client.
use super::write_finish;
use crate::providers::chat::{Client, Event, Finish, Write};
use crate::providers::openai::chat;
use serde_json::{Value, json};

/// Writes the chunks of a completion.
#[derive(Debug)]
pub struct Writer {
    /// What is no text is the same as in a chat's stream.
    inner: chat::Writer,
}

impl Writer {
    /// At the start of a stream.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { inner: chat::Writer::of_text(client) }
    }

    fn text(&mut self, choice: u32, text: &str, finish: Option<&Finish>, out: &mut Vec<u8>) {
        let finish = finish.map_or(Value::Null, |finish| write_finish(finish).into());
        let told =
            json!([{"text": text, "index": choice, "logprobs": null, "finish_reason": finish}]);
        self.inner.chunk(out, &told, None);
    }
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Text(choice, text) | Event::Refusal(choice, text) => {
                self.text(choice, &text, None, out);
            }
            Event::Finish(choice, finish) => {
                self.inner.is_over(choice);
                self.text(choice, "", Some(&finish), out);
            }
            event @ (Event::Start { .. } | Event::Usage(_) | Event::Error(_) | Event::End) => {
                self.inner.write(event, out);
            }
            // Text has no place for tools, thoughts and pictures.
            _ => {}
        }
    }
}
