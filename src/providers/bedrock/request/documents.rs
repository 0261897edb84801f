//! Names of documents: Converse wants one of each, no two alike, and takes few letters in them.
use std::collections::HashSet;

/// The longest name, in letters; a number may follow.
const LONGEST: usize = 190;

/// The names of a request's documents.
#[derive(Debug, Default)]
pub(super) struct Documents(HashSet<String>);

impl Documents {
    /// A name for a document that the client calls `name`.
    pub(super) fn name(&mut self, name: Option<&str>) -> String {
        let valid = valid(name.unwrap_or_default());
        let mut unique = valid.clone();
        let mut number = 1_u32;
        while !self.0.insert(unique.clone()) {
            number += 1;
            unique = format!("{valid} {number}");
        }
        unique
    }
}

/// Letters, digits, hyphens, brackets, and single spaces.
fn valid(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-()[]".contains(letter);
    let spaced: String =
        name.chars().take(LONGEST).map(|it| if plain(it) { it } else { ' ' }).collect();
    let words: Vec<&str> = spaced.split_ascii_whitespace().collect();
    if words.is_empty() { "document".to_owned() } else { words.join(" ") }
}
