//! Calls of several tools at once, one after the other: most dialects tell a call whole before the
//! next one begins.
use super::arguments::Arguments;
use std::collections::{HashMap, VecDeque, hash_map::Entry};

/// A call that has begun.
#[derive(Debug, Default)]
pub struct Call {
    /// What its result will name.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Arguments that have not been told yet.
    pub json: String,
    /// Whether its beginning has been told.
    pub is_open: bool,
    /// How far its arguments are.
    arguments: Arguments,
}

/// The calls that are not told to their ends. The first one is being told.
#[derive(Debug, Default)]
pub struct Calls {
    calls: HashMap<u32, Call>,
    order: VecDeque<u32>,
}

impl Calls {
    /// A call begins.
    pub fn push(&mut self, tool: u32, id: String, name: String) {
        if let Entry::Vacant(place) = self.calls.entry(tool) {
            place.insert(Call { id, name, ..Call::default() });
            self.order.push_back(tool);
        }
    }

    /// Takes in more arguments of a call.
    pub fn more(&mut self, tool: u32, json: &str) {
        if let Some(call) = self.calls.get_mut(&tool) {
            call.arguments.push(json);
            call.json.push_str(json);
        }
    }

    /// The first call.
    pub fn first(&mut self) -> Option<&mut Call> {
        self.calls.get_mut(self.order.front()?)
    }

    /// Whether the first call can be ended: it is whole, and others wait for that.
    #[must_use]
    pub fn is_first_over(&self) -> bool {
        let first = self.order.front().and_then(|tool| self.calls.get(tool));
        self.order.len() > 1 && first.is_some_and(|call| call.arguments.is_whole())
    }

    /// How many bytes they keep of what was not told.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.calls.values().map(|call| call.json.capacity()).sum()
    }

    /// The first call is told to its end.
    pub fn pop(&mut self) {
        if let Some(tool) = self.order.pop_front() {
            self.calls.remove(&tool);
        }
    }
}
