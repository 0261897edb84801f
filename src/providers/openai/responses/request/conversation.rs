//! Items of an input, put together as turns.
use crate::providers::chat::{Block, Content, Role, Tool, ToolResult, ToolUse, Turn};
use std::collections::HashMap;

/// Turns while they grow. What the model wrote one after the other is one turn of it. What its calls
/// gave back is the turn after it, wherever it stood: most providers take it nowhere else.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    turns: Vec<Growing>,
    /// Which turn the last call with this id is in.
    calls: HashMap<String, usize>,
    /// Tools that stand among the items.
    tools: Vec<Tool>,
}

#[derive(Debug)]
struct Growing {
    turn: Turn,
    /// What its calls gave back.
    results: Vec<Block>,
    /// Whether it is made of results alone whose calls are not here.
    stray: bool,
}

impl Conversation {
    /// Somebody else than the model speaks.
    pub(super) fn turn(&mut self, role: Role, blocks: Vec<Block>) {
        let turn = Turn::new(role, blocks);
        self.turns.push(Growing { turn, results: Vec::new(), stray: false });
    }

    /// The model goes on.
    pub(super) fn assistant(&mut self, blocks: impl IntoIterator<Item = Block>) {
        match self.turns.last_mut() {
            Some(last) if last.turn.role == Role::Assistant && last.results.is_empty() => {
                last.turn.blocks.extend(blocks);
            }
            _ => self.turn(Role::Assistant, blocks.into_iter().collect()),
        }
    }

    /// The model calls a tool.
    pub(super) fn call(&mut self, call: ToolUse) {
        let id = call.id.clone();
        self.assistant([Block::new(Content::ToolUse(call))]);
        self.calls.insert(id, self.turns.len().saturating_sub(1));
    }

    /// A tool gave something back.
    pub(super) fn result(&mut self, result: ToolResult) {
        let of = self.calls.get(&result.id).and_then(|at| self.turns.get_mut(*at));
        let block = Block::new(Content::ToolResult(result));
        if let Some(of) = of {
            of.results.push(block);
            return;
        }
        match self.turns.last_mut() {
            Some(last) if last.stray => last.turn.blocks.push(block),
            _ => {
                let turn = Turn::new(Role::User, vec![block]);
                self.turns.push(Growing { turn, results: Vec::new(), stray: true });
            }
        }
    }

    /// More tools are there. Other dialects have all of them before the first turn.
    pub(super) fn offer(&mut self, tools: Vec<Tool>) {
        self.tools.extend(tools);
    }

    /// All turns and tools.
    pub(super) fn end(self) -> (Vec<Turn>, Vec<Tool>) {
        let mut turns = Vec::with_capacity(self.turns.len());
        for Growing { turn, results, .. } in self.turns {
            turns.push(turn);
            if !results.is_empty() {
                turns.push(Turn::new(Role::User, results));
            }
        }
        (turns, self.tools)
    }
}
