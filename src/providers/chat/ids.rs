//! Ids of tool calls for providers that take letters, digits, `_` and `-` only, and each id once.
use std::collections::{HashMap, VecDeque};

/// The ids of a conversation, as they were and as they are sent.
#[derive(Debug)]
pub struct Ids {
    /// How long one may be, but for the number behind one that came twice.
    longest: usize,
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
    /// Of a conversation with a provider that takes ids of so many letters.
    #[must_use]
    pub fn up_to(longest: usize) -> Self {
        Self { longest, calls: HashMap::new(), wanted: HashMap::new() }
    }

    /// The id of a new call.
    pub fn call(&mut self, id: String) -> String {
        let sent = self.unique(&self.valid(&id));
        let calls = self.calls.entry(id).or_default();
        calls.open.push_back(sent.clone());
        calls.last.clone_from(&sent);
        sent
    }

    /// The id of the call that a result is for.
    pub fn result(&mut self, id: &str) -> String {
        match self.calls.get_mut(id) {
            Some(calls) => calls.open.pop_front().unwrap_or_else(|| calls.last.clone()),
            None => self.valid(id),
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

    /// The id with other letters replaced.
    fn valid(&self, id: &str) -> String {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let letters = id.chars().take(self.longest);
        let id: String = letters.map(|letter| if plain(letter) { letter } else { '_' }).collect();
        if id.is_empty() { "toolu".into() } else { id }
    }
}
