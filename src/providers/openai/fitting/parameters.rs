//! What becomes of one parameter.
use crate::data::Quirks;
use crate::providers::chat::Lost;
use serde_json::Value;

/// How a provider is told a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// As the client wrote it.
    So,
    /// By another name.
    As(&'static str),
    /// With this word for its value.
    Word(&'static str),
    /// Not at all.
    Not(Loss),
}

/// What is missing without a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// A hint.
    Hint,
    /// Something that the answer depends on.
    Part,
}

impl Loss {
    pub(super) fn note(self, name: String, lost: &mut Lost) {
        match self {
            Self::Hint => lost.hint(name),
            Self::Part => lost.part(name),
        }
    }
}

/// How the parameter `name` is told. Its `value` is read only where that decides.
pub(super) fn said(quirks: &Quirks, name: &str, value: impl FnOnce() -> Value) -> Said {
    if let Some(here) = quirks.renamed(name) {
        return Said::As(here);
    }
    if quirks.ignores(name) {
        return Said::Not(Loss::Hint);
    }
    if let Some(but) = quirks.refused(name) {
        let value = value();
        return match value.is_null() || is(&value, but) {
            true => Said::So,
            false => Said::Not(Loss::Part),
        };
    }
    let mut words = quirks.respelled(name).peekable();
    if words.peek().is_none() {
        return Said::So;
    }
    let value = value();
    let told = words.find(|(word, _)| value == *word);
    told.map_or(Said::So, |(_, here)| Said::Word(here))
}

/// Whether `value` is what `json` says; `1` is `1.0`.
fn is(value: &Value, json: &str) -> bool {
    let wanted = serde_json::from_str::<Value>(json).ok();
    let number = |value: &Value| value.as_f64();
    wanted.is_some_and(|wanted| {
        *value == wanted || wanted.is_number() && number(value) == number(&wanted)
    })
}
