//! Where characters stand in a text: Gemini counts bytes, others count characters.

/// Measures a text piece by piece. It keeps no more than where the width of characters changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ruler {
    runs: Vec<Run>,
    bytes: u64,
    characters: u64,
}

/// Characters of one width.
#[derive(Clone, Copy, Debug)]
struct Run {
    byte: u64,
    character: u64,
    width: u64,
}

impl Ruler {
    /// Of a whole text.
    pub(crate) fn of(text: &str) -> Self {
        let mut ruler = Self::default();
        ruler.extend(text);
        ruler
    }

    /// More of the text.
    pub(crate) fn extend(&mut self, text: &str) {
        if text.is_ascii() && self.runs.last().is_none_or(|run| run.width == 1) {
            // All of most texts.
            self.widen(1, text.len() as u64);
            return;
        }
        for letter in text.chars() {
            self.widen(letter.len_utf8() as u64, 1);
        }
    }

    fn widen(&mut self, width: u64, count: u64) {
        if self.runs.last().is_none_or(|run| run.width != width) && count > 0 {
            self.runs.push(Run { byte: self.bytes, character: self.characters, width });
        }
        self.bytes = self.bytes.saturating_add(width.saturating_mul(count));
        self.characters = self.characters.saturating_add(count);
    }

    /// How many bytes there are.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many characters are before a byte.
    pub(crate) fn character(&self, byte: u64) -> u64 {
        let byte = byte.min(self.bytes);
        let next = self.runs.partition_point(|run| run.byte <= byte);
        let run = next.checked_sub(1).and_then(|at| self.runs.get(at));
        run.map_or(0, |run| run.character + (byte - run.byte) / run.width)
    }

    /// How many bytes are before a character.
    pub(crate) fn byte(&self, character: u64) -> u64 {
        let character = character.min(self.characters);
        let next = self.runs.partition_point(|run| run.character <= character);
        let run = next.checked_sub(1).and_then(|at| self.runs.get(at));
        run.map_or(0, |run| run.byte + (character - run.character) * run.width)
    }
}
