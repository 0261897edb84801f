//! Names of tools that Converse takes: of letters, digits, `_` and `-`, with a letter first.
use std::collections::HashMap;

/// The longest name, in letters; a number may follow.
const LONGEST: usize = 60;

/// The names of a conversation's tools, as they were and as they are sent.
#[derive(Debug, Default)]
pub(super) struct Names {
    sent: HashMap<String, String>,
    /// The client's name of each that is sent.
    own: HashMap<String, String>,
}

impl Names {
    /// The name that stands for `name`: itself, if it can.
    pub(super) fn sent(&mut self, name: String) -> String {
        if let Some(sent) = self.sent.get(&name) {
            return sent.clone();
        }
        let valid = valid(&name);
        let mut sent = valid.clone();
        let mut number = 1_u32;
        while self.own.contains_key(&sent) {
            number += 1;
            sent = format!("{valid}_{number}");
        }
        self.own.insert(sent.clone(), name.clone());
        self.sent.insert(name, sent.clone());
        sent
    }

    /// The client's names of those that are sent by others.
    pub(super) fn renamed(self) -> HashMap<String, String> {
        self.own.into_iter().filter(|(sent, own)| sent != own).collect()
    }
}

fn valid(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if name.len() <= 64
        && name.chars().all(plain)
        && name.starts_with(|it: char| it.is_ascii_alphabetic())
    {
        return name.to_owned();
    }
    let mut valid: String =
        name.chars().take(LONGEST).map(|it| if plain(it) { it } else { '_' }).collect();
    if !valid.starts_with(|it: char| it.is_ascii_alphabetic()) {
        valid.insert(0, 'a');
        valid.truncate(LONGEST);
    }
    valid
}
