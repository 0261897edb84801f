//! A request's body after ingest.
use bartizan_layers::wire::scan::{Layout, scan};
use bartizan_layers::wire::text::Text;
use bytes::Bytes;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// A body in memory, and what was read of it without parsing the prompt. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The body as the client sent it, decoded.
    pub text: Text,
    /// Where its members stand in the text's outline.
    pub layout: Arc<Layout>,
    /// The model that it names.
    pub model: Option<Box<str>>,
    /// Whether it asks for a stream.
    pub stream: bool,
    /// How many choices it asks for (`n`).
    pub choices: u32,
    /// LiteLLM's `timeout`.
    pub timeout: Option<Duration>,
    /// LiteLLM's `stream_timeout`.
    pub stream_timeout: Option<Duration>,
    /// The share of the memory budget, given back with the last clone.
    pub held: Arc<dyn Hold>,
}

/// A share of the memory for bodies, held as long as a prompt and its answer are in memory.
pub trait Hold: Debug + Send + Sync {
    /// Holds `bytes` more; false if they are not left.
    fn hold_more(&self, bytes: usize) -> bool;
}

/// Memory without a bound, for prompts of the proxy's own.
impl Hold for () {
    fn hold_more(&self, _bytes: usize) -> bool {
        true
    }
}

impl Prompt {
    /// A prompt of the proxy's own, of which nothing was read.
    #[must_use]
    pub fn of(bytes: Bytes) -> Self {
        let layout = scan(&bytes).map(|object| Arc::new(object.layout())).unwrap_or_default();
        Self {
            text: bytes.into(),
            layout,
            model: None,
            stream: false,
            choices: 1,
            timeout: None,
            stream_timeout: None,
            held: Arc::new(()),
        }
    }
}
