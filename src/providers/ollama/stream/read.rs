//! A stream of lines, each of them JSON. The one that is `done` ends it.
use super::plain::plain;
use crate::providers::chat::{Event, Memo, Read, parsed};
use crate::providers::ollama::answer::{Piece, read_finish};
use crate::providers::ollama::error::read_error;

/// Reads a stream of `/api/chat` or `/api/generate`.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    ended: bool,
    calls: usize,
}

impl Reader {
    /// For the answer to a request with this memo: Ollama's needs none.
    #[must_use]
    pub fn new(_memo: &Memo) -> Self {
        Self::default()
    }

    fn take(&mut self, piece: Piece, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id: None, model: piece.model });
        }
        out.extend(piece.thought.map(|text| Event::Thought(0, text)));
        out.extend(piece.text.map(|text| Event::Text(0, text)));
        out.extend(piece.logprobs.map(|logprobs| Event::Logprobs(0, logprobs)));
        out.extend(piece.pictures.into_iter().map(|picture| Event::Media(0, picture)));
        for call in piece.calls {
            let tool = u32::try_from(self.calls).unwrap_or(u32::MAX);
            self.calls = self.calls.saturating_add(1);
            let (id, name) = (call.id, call.name);
            out.push(Event::ToolUse { choice: 0, tool, id, name, signature: None });
            if !call.input.is_empty() {
                out.push(Event::Arguments { choice: 0, tool, json: call.input });
            }
        }
        out.extend(piece.usage.map(Event::Usage));
        if piece.done {
            self.ended = true;
            out.push(Event::Finish(0, read_finish(piece.reason.as_deref(), self.calls > 0)));
            out.push(Event::End);
        }
    }
}

impl Read for Reader {
    fn event(&mut self, _name: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if let Some(piece) = plain(data, self.calls) {
            return self.take(piece, out);
        }
        let Some(told) = parsed(data) else { return };
        if let Some(error) = read_error(&told) {
            self.ended = true;
            out.push(Event::Error(error));
        } else if let Some(piece) = Piece::read(told, self.calls) {
            self.take(piece, out);
        }
    }

    fn end(&mut self, _out: &mut Vec<Event>) {}
}
