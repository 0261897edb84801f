//! What is known of both sides when one dialect becomes another.
use super::Qualified;
use crate::clock;
use crate::data::Provider;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who is asked.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The provider's row: `mistral`, `groq`, ….
    pub provider: &'a str,
    /// The row itself, which a config may have made; `None` is the table's of that name.
    pub row: Option<&'a Provider>,
    /// The model's name there.
    pub model: &'a str,
    /// The name by which it is known what the model takes: where that is called otherwise there.
    pub like: &'a str,
    /// The most tokens that it can answer, where known.
    pub max_output: Option<u64>,
    /// Whether the model can think, where known.
    pub thinks: Option<bool>,
    /// Whether a request may be changed until the provider takes it: LiteLLM's `modify_params`.
    pub modify: bool,
}

impl Target<'_> {
    /// Whether the model is one in Google's cloud, whoever made it.
    #[must_use]
    pub fn is_in_googles_cloud(&self) -> bool {
        self.provider == "vertex_ai"
    }
}

/// A request in a provider's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// Its body.
    pub body: Map<String, Value>,
    /// Headers that it needs besides the deployment's own: Anthropic's betas.
    pub headers: Vec<(&'static str, String)>,
    /// What has to be known to read the answer.
    pub memo: Memo,
    /// What is left of [`Request::rest`](super::Request::rest): the provider's dialect has no place
    /// for it.
    pub rest: Map<String, Value>,
}

/// What a request's writer leaves for the answer's reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memo {
    /// The answer's text comes as a call of this tool, since the provider knows no schemas for
    /// texts.
    pub json_tool: Option<&'static str>,
    /// The client's names of tools that the provider knows by others, since it would refuse them.
    pub renamed: HashMap<String, String>,
}

impl Memo {
    /// The client's name of the tool that the provider calls `name`.
    #[must_use]
    pub fn named(&self, name: String) -> String {
        self.renamed.get(&name).cloned().unwrap_or(name)
    }
}

/// What a client wants to see of an answer.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// An id for answers whose provider gives none: 32 hexadecimal digits.
    pub id: String,
    /// When the call was made, in seconds since 1970.
    pub created: u64,
    /// The model, where the provider does not name it.
    pub model: String,
    /// Whether a stream has usage where its dialect leaves that open.
    pub stream_usage: bool,
    /// Whether thoughts are told as text between `<think>` tags: LiteLLM's
    /// `merge_reasoning_content_in_choices`.
    pub merge_thoughts: bool,
    /// Tools that the client knows as custom ones: [`Function::custom`](super::Function::custom).
    pub custom: Vec<String>,
    /// Tools that the client knows by more than a name, by the name that the model knows:
    /// [`Function::qualified`](super::Function::qualified).
    pub qualified: HashMap<String, Qualified>,
    /// Whether a stream is a JSON array instead of events (Gemini without `alt=sse`).
    pub array: bool,
    /// Whether embeddings are base64 of their numbers, as 32-bit floats, least byte first.
    pub base64: bool,
    /// Whether the whole answer is kept for later calls (OpenAI responses).
    pub keeps: bool,
    /// The request, for dialects whose answers repeat parts of it (OpenAI responses): its members
    /// but for the prompt and instructions.
    pub echo: Map<String, Value>,
    /// How long the call takes, for dialects that tell it (Ollama).
    pub elapsed: Elapsed,
}

impl Client {
    /// The id for answers, as a UUID is written (RFC 9562).
    #[must_use]
    pub fn uuid(&self) -> String {
        let part = |from: usize, to: usize| self.id.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// The time now, as RFC 3339 has it.
    #[must_use]
    pub fn time(&self) -> String {
        let since = Duration::from_secs(self.created) + self.elapsed.now();
        clock::iso(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// How long a call has taken so far, told by whoever measures it; nothing without.
#[derive(Clone, Default)]
pub struct Elapsed(Option<Arc<dyn Fn() -> Duration + Send + Sync>>);

impl Elapsed {
    /// As `clock` tells it.
    pub fn by(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(clock)))
    }

    /// Until now.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |clock| clock())
    }
}

impl fmt::Debug for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Elapsed").field(&self.now()).finish()
    }
}

/// What a translation leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// What the answer does not depend on: hints, names, records.
    pub hints: Vec<Cow<'static, str>>,
    /// What the client would miss: parameters, tools, parts of the prompt.
    pub parts: Vec<Cow<'static, str>>,
}

impl Lost {
    /// Leaves out a hint.
    pub fn hint(&mut self, name: impl Into<Cow<'static, str>>) {
        note(&mut self.hints, name.into());
    }

    /// Leaves out what the client would miss.
    pub fn part(&mut self, name: impl Into<Cow<'static, str>>) {
        note(&mut self.parts, name.into());
    }

    /// Leaves a hint out, if it is there.
    pub fn hint_of<T>(&mut self, name: &'static str, value: &Option<T>) {
        if value.is_some() {
            self.hint(name);
        }
    }

    /// Leaves a parameter out, if it is there.
    pub fn part_of<T>(&mut self, name: &'static str, value: &Option<T>) {
        if value.is_some() {
            self.part(name);
        }
    }

    /// Takes a name back: what it stands for is sent all the same. Whether it was lost.
    pub fn take_back(&mut self, name: &str) -> bool {
        let before = self.parts.len() + self.hints.len();
        self.parts.retain(|lost| lost != name);
        self.hints.retain(|lost| lost != name);
        self.parts.len() + self.hints.len() < before
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().chain(&self.hints).map(AsRef::as_ref)
    }

    /// All names, parted by commas; `None` for none.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let names: Vec<&str> = self.names().collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

fn note(names: &mut Vec<Cow<'static, str>>, name: Cow<'static, str>) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// A client's request is not what its dialect says, or cannot be asked of this provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// Where: `messages[1].content`.
    pub param: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Malformed {
    /// A mistake at `param`.
    pub fn new(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: param.into(), message: message.into() }
    }
}

/// A provider's answer is not what its dialect says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not what {0} answers")]
pub struct Unreadable(pub &'static str);
