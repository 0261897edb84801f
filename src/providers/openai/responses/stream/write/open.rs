//! The items that grow.
use super::call::Call;
use super::lines::Lines;
use super::message::Message;
use super::thinking::Thinking;
use serde_json::Value;
use std::collections::HashMap;

/// What grows. Calls grow together: their arguments may come in any order.
#[derive(Debug, Default)]
pub(super) enum Open {
    /// Nothing.
    #[default]
    Nothing,
    /// A message.
    Message(Box<Message>),
    /// A thought.
    Thinking(Thinking),
    /// Calls.
    Calls(Calls),
}

/// Calls, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Call>,
    /// Which of them has this number.
    numbers: HashMap<u32, usize>,
}

impl Calls {
    /// One more.
    pub(super) fn push(&mut self, tool: u32, call: Call) {
        self.numbers.insert(tool, self.all.len());
        self.all.push(call);
    }

    /// The one with this number.
    pub(super) fn get(&mut self, tool: u32) -> Option<&mut Call> {
        self.all.get_mut(*self.numbers.get(&tool)?)
    }
}

impl Open {
    /// Ends it: gives the places of its items, and what they are.
    pub(super) fn end(
        self,
        status: &str,
        lines: &mut Lines,
        out: &mut Vec<u8>,
    ) -> Vec<(u64, Value)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Message(message) => vec![message.end(status, lines, out)],
            Self::Thinking(thinking) => vec![thinking.end(lines, out)],
            Self::Calls(calls) => {
                calls.all.into_iter().map(|call| call.end(status, lines, out)).collect()
            }
        }
    }
}
