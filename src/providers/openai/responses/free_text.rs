//! Free text for custom tools, which travels as the argument `input` of a function.
use serde_json::{Value, json};

/// What comes before the text. Blanks may stand before its 1st, 2nd, 9th and 10th byte.
const HEAD: &[u8] = br#"{"input":""#;

/// The arguments that hold `text`.
pub(super) fn arguments(text: &str) -> String {
    json!({ "input": text }).to_string()
}

/// The text that `arguments` hold: they themselves where there is no `input` in them.
pub(super) fn of(arguments: String) -> String {
    match serde_json::from_str(&arguments) {
        Ok(Value::Object(mut object)) => match object.remove("input") {
            Some(Value::String(text)) => text,
            _ => arguments,
        },
        Ok(Value::String(text)) => text,
        _ => arguments,
    }
}

/// Takes the text out of arguments that come piece by piece.
#[derive(Debug, Default)]
pub(super) struct FreeText {
    at: At,
    /// The arguments while it is not known whether they begin as they should.
    raw: String,
    text: String,
    /// The first half of a character that is written as two escapes.
    high: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// So many bytes of the head are there.
    Head(usize),
    Text,
    Escape,
    /// Behind `\u`: the value of so many digits of four.
    Digits(u16, u8),
    Behind,
    /// They are otherwise: they are looked at when all are there.
    Otherwise,
}

impl Default for At {
    fn default() -> Self {
        Self::Head(0)
    }
}

impl FreeText {
    /// Takes a piece, and gives what it adds to the text.
    pub(super) fn push(&mut self, piece: &str) -> &str {
        let before = self.text.len();
        for character in piece.chars() {
            self.at = self.step(character);
        }
        self.text.get(before..).unwrap_or_default()
    }

    /// All of the text, and how much of it (in bytes) was given before.
    pub(super) fn end(mut self) -> (String, usize) {
        match self.at {
            At::Head(_) | At::Otherwise => (of(std::mem::take(&mut self.raw)), 0),
            _ => {
                let given = self.text.len();
                (self.text, given)
            }
        }
    }

    fn step(&mut self, character: char) -> At {
        match self.at {
            At::Head(at) => self.head(at, character),
            At::Text => match character {
                '"' => At::Behind,
                '\\' => At::Escape,
                plain => self.put(plain),
            },
            At::Escape => match character {
                'u' => At::Digits(0, 0),
                'n' => self.put('\n'),
                't' => self.put('\t'),
                'r' => self.put('\r'),
                'b' => self.put('\u{8}'),
                'f' => self.put('\u{c}'),
                same => self.put(same),
            },
            At::Digits(value, count) => self.digit(value, count, character),
            At::Behind => At::Behind,
            At::Otherwise => {
                self.raw.push(character);
                At::Otherwise
            }
        }
    }

    fn head(&mut self, at: usize, character: char) -> At {
        self.raw.push(character);
        let wanted = HEAD.get(at).copied().map(char::from);
        match wanted {
            Some(wanted) if wanted == character && at + 1 == HEAD.len() => At::Text,
            Some(wanted) if wanted == character => At::Head(at + 1),
            _ if matches!(at, 0 | 1 | 8 | 9) && character.is_ascii_whitespace() => At::Head(at),
            _ => At::Otherwise,
        }
    }

    fn digit(&mut self, value: u16, count: u8, character: char) -> At {
        let digit = character.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
        let Some(digit) = digit else { return self.put(char::REPLACEMENT_CHARACTER) };
        let value = (value << 4) | digit;
        if count < 3 {
            return At::Digits(value, count + 1);
        }
        match self.high.take() {
            Some(high) => {
                let both = char::decode_utf16([high, value]).flatten().next();
                self.put(both.unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            None if (0xD800..0xDC00).contains(&value) => {
                self.high = Some(value);
                At::Text
            }
            None => {
                let one = char::from_u32(value.into());
                self.put(one.unwrap_or(char::REPLACEMENT_CHARACTER))
            }
        }
    }

    fn put(&mut self, character: char) -> At {
        if self.high.take().is_some() {
            // Its second half did not come.
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        self.text.push(character);
        At::Text
    }
}
