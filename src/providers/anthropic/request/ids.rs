//! Ids of tool calls that Anthropic takes: of letters, digits, `_` and `-`, and each one once.
use std::collections::{HashMap, VecDeque};

/// The ids of a conversation, as they were and as they are sent.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// By the client's id.
    calls: HashMap<String, Calls>,
    /// How often an id was wanted.
    wanted: HashMap<String, u64>,
}

/// Calls that have one id for the client.
#[derive(Debug, Default)]
struct Calls {
    /// Those without a result, in order.
    open: VecDeque<String>,
    /// The last one.
    last: String,
}

impl Ids {
    /// The id of a new call.
    pub(super) fn call(&mut self, id: String) -> String {
        let sent = self.unique(&valid(&id));
        let calls = self.calls.entry(id).or_default();
        calls.open.push_back(sent.clone());
        calls.last.clone_from(&sent);
        sent
    }

    /// The id of the call that a result is for.
    pub(super) fn result(&mut self, id: &str) -> String {
        match self.calls.get_mut(id) {
            Some(calls) => calls.open.pop_front().unwrap_or_else(|| calls.last.clone()),
            None => valid(id),
        }
    }

    fn unique(&mut self, id: &str) -> String {
        let mut sent = id.to_owned();
        loop {
            let before = self.wanted.entry(sent.clone()).or_default();
            *before += 1;
            if *before == 1 {
                return sent;
            }
            // The number grows with each use, so that no two are tried twice.
            let number = self.wanted.get(id).copied().unwrap_or_default();
            sent = format!("{id}_{number}");
            if let Some(wanted) = self.wanted.get_mut(id) {
                *wanted += 1;
            }
        }
    }
}

/// The id with other letters replaced.
fn valid(id: &str) -> String {
    let id: String = id
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    if id.is_empty() { "toolu".into() } else { id }
}
