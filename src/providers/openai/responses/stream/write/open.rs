//! The item that grows.
use super::call::Call;
use super::message::Message;
use super::thinking::Thinking;

/// What grows.
#[derive(Debug, Default)]
pub(super) enum Open {
    /// Nothing.
    #[default]
    Nothing,
    /// A message.
    Message(Box<Message>),
    /// A thought.
    Thinking(Thinking),
    /// The first of the calls.
    Call(Call),
}
