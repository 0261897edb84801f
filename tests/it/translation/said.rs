//! What an answer says, in no dialect's words.
use serde_json::Value;
use std::fmt::Write;

/// An answer as a reader of its wire understands it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// As many as there are, by their indices.
    pub(super) choices: Vec<Said>,
    /// What it used, where that is told.
    pub(super) usage: Option<Used>,
    /// The words of an error that ends it.
    pub(super) error: Option<String>,
    /// Whether its dialect's own ending was there; always so for a whole answer.
    pub(super) ended: bool,
}

/// One of the answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) thought: String,
    pub(super) refusal: String,
    pub(super) calls: Vec<Call>,
    /// Pictures and sounds, in base64.
    pub(super) media: Vec<String>,
    pub(super) finish: Option<End>,
}

/// The model calls a tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    /// Its arguments; no text is no arguments.
    pub(super) input: Value,
    /// Whether the provider proves the thought behind it: its id may carry that.
    pub(super) proven: bool,
}

/// Why an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Length,
    Tools,
    Filter,
}

/// Tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// With what caches gave and took.
    pub(super) input: u64,
    /// With thoughts.
    pub(super) output: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) reasoning: u64,
}

impl Answer {
    /// A whole answer.
    pub(super) fn whole(choices: Vec<Said>, usage: Option<Used>) -> Self {
        Self { choices, usage, error: None, ended: true }
    }

    /// The answer with this index.
    pub(super) fn choice(&mut self, index: u64) -> &mut Said {
        let index = usize::try_from(index).expect("an index");
        if self.choices.len() <= index {
            self.choices.resize(index + 1, Said::default());
        }
        &mut self.choices[index]
    }

    /// What `other` says otherwise; nothing for nothing.
    pub(super) fn unlike(&self, other: &Self) -> String {
        let mut out = String::new();
        if self.error.is_some() {
            return self.unlike_failed(other);
        }
        if self.choices.len() != other.choices.len() {
            write!(out, " {} choices for {};", other.choices.len(), self.choices.len()).unwrap();
        }
        for (one, two) in self.choices.iter().zip(&other.choices) {
            one.unlike(two, &mut out);
        }
        if self.usage.is_some() && self.usage != other.usage {
            write!(out, " usage {:?} for {:?};", other.usage, self.usage).unwrap();
        }
        if self.error != other.error || self.ended != other.ended {
            let (one, two) = ((&self.error, self.ended), (&other.error, other.ended));
            write!(out, " ending {two:?} for {one:?};").unwrap();
        }
        out
    }

    /// As [`Answer::unlike`], of an answer that failed: what was said before that, and the error.
    fn unlike_failed(&self, other: &Self) -> String {
        let text = |answer: &Self| -> String {
            answer.choices.iter().map(|said| said.text.as_str()).collect()
        };
        let (one, two) = ((text(self), &self.error), (text(other), &other.error));
        let same = one == two && !other.ended;
        if same { String::new() } else { format!(" {two:?} for {one:?};") }
    }
}

impl Said {
    fn unlike(&self, other: &Self, out: &mut String) {
        let texts = [
            ("text", &self.text, &other.text),
            ("thought", &self.thought, &other.thought),
            ("refusal", &self.refusal, &other.refusal),
        ];
        for (what, one, two) in texts.into_iter().filter(|(_, one, two)| one != two) {
            write!(out, " {what} {two:.120?} for {one:.120?};").unwrap();
        }
        if self.media != other.media {
            write!(out, " {} media for {};", other.media.len(), self.media.len()).unwrap();
        }
        if self.finish() != other.finish() {
            write!(out, " finish {:?} for {:?};", other.finish, self.finish).unwrap();
        }
        let same = self.calls.iter().zip(&other.calls).all(|(one, two)| one.is_as(two));
        if !same || self.calls.len() != other.calls.len() {
            write!(out, " calls {:?} for {:?};", other.calls, self.calls).unwrap();
        }
        let mut ids: Vec<_> = other.calls.iter().map(|call| &call.id).collect();
        ids.sort();
        ids.dedup();
        if ids.len() != other.calls.len() {
            write!(out, " two calls of one id in {:?};", other.calls).unwrap();
        }
    }

    /// Why it ends. Some providers say of an answer with calls only that it is done.
    fn finish(&self) -> Option<End> {
        match self.finish {
            Some(End::Stop) if !self.calls.is_empty() => Some(End::Tools),
            finish => finish,
        }
    }
}

impl Call {
    /// A call with its arguments as text.
    pub(super) fn new(id: &str, name: &str, arguments: &str) -> Self {
        let mut call = Self { id: id.to_owned(), name: name.to_owned(), ..Self::default() };
        call.input = arguments_of(arguments);
        call
    }

    /// Whether `other` is the same call. An id that a provider did not give is anything.
    fn is_as(&self, other: &Self) -> bool {
        // The proof stands behind the id, once.
        let own = other.id.split("__thought__").next().unwrap_or_default();
        let once = other.id.matches("__thought__").count() <= usize::from(self.proven);
        let is_own = once && (self.id.is_empty() || self.id == own);
        let id = is_own || self.id == other.id;
        id && self.name == other.name && self.input == other.input
    }
}

/// Arguments that came as text.
pub(super) fn arguments_of(text: &str) -> Value {
    match text.trim() {
        "" => Value::Object(serde_json::Map::new()),
        text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

/// A text member, empty where there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The elements of an array member.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// A count, none where it is not told.
pub(super) fn count(value: &Value, pointer: &str) -> u64 {
    let told = value.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let told = told as u64;
    told
}
