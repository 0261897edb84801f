//! What a model answers, piece by piece.
use super::{Citation, Finish, Media};
use bartizan_layers::facts::Usage;
use serde_json::Value;

/// A piece of a stream. Pieces with a `choice` belong to that answer of several; most streams have
/// only the answer 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first one, once.
    Start {
        /// The provider's id of the answer.
        id: Option<String>,
        /// The model, as the provider names it.
        model: Option<String>,
    },
    /// More text.
    Text(u32, String),
    /// Where the text just told comes from.
    Citation(u32, Citation),
    /// More of why it does not answer.
    Refusal(u32, String),
    /// More of a thought.
    Thought(u32, String),
    /// The proof of the thought that was just told. It ends that thought.
    Signature(u32, String),
    /// A thought in the provider's cipher, whole; with its id where it has one.
    Hidden(u32, String, Option<String>),
    /// A tool is called. Its arguments follow.
    ToolUse {
        /// Which answer.
        choice: u32,
        /// Which call of this answer, from 0.
        tool: u32,
        /// What its result will name.
        id: String,
        /// The tool.
        name: String,
        /// As of [`ToolUse::signature`](super::ToolUse::signature).
        signature: Option<String>,
    },
    /// More of a call's arguments: a piece of JSON text.
    Arguments {
        /// Which answer.
        choice: u32,
        /// Which call of it.
        tool: u32,
        /// The piece.
        json: String,
    },
    /// A picture or sound, whole.
    Media(u32, Media),
    /// OpenAI's `logprobs` of the text just told.
    Logprobs(u32, Value),
    /// An answer ends.
    Finish(u32, Finish),
    /// What was used so far. A later one replaces it.
    Usage(Usage),
    /// The provider failed. Nothing follows.
    Error(InBand),
    /// The provider's own ending: nothing is missing. Nothing follows.
    End,
}

/// A failure that a provider tells in a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InBand {
    /// Its word for it: `overloaded_error`, `RESOURCE_EXHAUSTED`, ….
    pub kind: Option<String>,
    /// The HTTP status that goes with it, where it says one.
    pub status: Option<u16>,
    /// Its words.
    pub message: String,
}

/// Reads a provider's stream. Memory is bounded by the longest single event.
pub trait Read: Send {
    /// Takes the next event: its name (SSE's `event`; empty without one) and its data.
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<Event>);

    /// The stream ended cleanly. Where the provider has no other ending, this tells
    /// [`Event::End`], provided that nothing is missing.
    fn end(&mut self, out: &mut Vec<Event>);
}

/// Writes a client's stream.
pub trait Write: Send {
    /// Writes what `event` is in the client's dialect, whole events with their blank lines.
    fn write(&mut self, event: Event, out: &mut Vec<u8>);

    /// The whole answer, as it is to be kept: once, after its end, and only for a client whose
    /// answers [are](super::Client::keeps).
    fn whole(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// How many bytes of the answer it keeps, where it has to tell all of them once more.
    fn kept(&self) -> usize {
        0
    }
}
