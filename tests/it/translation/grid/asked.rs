//! What a request asks, in no dialect's words.
use super::rows::Column;
use serde_json::{Value, json};

pub(super) const SYSTEM: &str = "You help sailors.";
pub(super) const USER: &str = "How is the wind at Lisvik, and at Oddøy?";
pub(super) const TOOL: &str = "get_wind";
pub(super) const ABOUT: &str = "Tells the wind at a harbour.";
pub(super) const RESULTS: [&str; 2] = ["9 m/s from the west", "calm"];
pub(super) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
pub(super) const PDF: &str = "JVBERi0xLjQKJcOkw7zDtsOfCg==";

/// What a request asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// The conversation, in its order.
    pub(super) said: Vec<Piece>,
    /// What proves thoughts, in the provider's own cipher.
    pub(super) proofs: Vec<String>,
    /// Names, descriptions and schemas.
    pub(super) tools: Vec<(String, String, Value)>,
    /// Whether a tool must be called.
    pub(super) must_call: bool,
    /// The schema of the answer.
    pub(super) schema: Option<Value>,
    /// How much the model thinks.
    pub(super) thinking: Option<Thinking>,
    /// Whether the answer is a stream.
    pub(super) stream: bool,
}

/// A piece of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    System(String),
    User(String),
    Model(String),
    /// Base64.
    Image(String),
    /// Base64.
    Document(String),
    Thought(String),
    Call(String, Value),
    /// Of which call, counted from 0, and the words.
    Result(Option<usize>, String),
}

/// How much a model thinks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thinking {
    Effort(String),
    Budget(u64),
    On,
}

/// The schema of the tool's arguments.
pub(super) fn arguments() -> Value {
    let harbour = json!({"type": "string", "description": "The harbour's name"});
    json!({"type": "object", "properties": {"harbour": harbour}, "required": ["harbour"]})
}

/// The schema of a structured answer.
pub(super) fn schema() -> Value {
    let wind = json!({"type": "number", "description": "In m/s"});
    json!({
        "type": "object",
        "properties": {"harbour": {"type": "string"}, "wind": wind},
        "required": ["harbour", "wind"],
        "additionalProperties": false,
    })
}

impl Asked {
    /// What a provider must be asked in this column, at first.
    pub(super) fn first(column: Column, stream: bool) -> Self {
        let mut said = vec![Piece::System(SYSTEM.to_owned()), Piece::User(USER.to_owned())];
        match column {
            Column::Image => said.push(Piece::Image(PNG.to_owned())),
            Column::Document => said.push(Piece::Document(PDF.to_owned())),
            _ => {}
        }
        let tool = || (TOOL.to_owned(), ABOUT.to_owned(), arguments());
        Self {
            said,
            tools: if column.goes_on() { vec![tool()] } else { Vec::new() },
            must_call: column == Column::Tools,
            schema: (column == Column::Structured).then(schema),
            thinking: (column == Column::Reasoning).then(|| Thinking::Effort("medium".to_owned())),
            stream,
            ..Self::default()
        }
    }

    /// What `other` asks otherwise; nothing for nothing.
    pub(super) fn unlike(&self, other: &Self) -> String {
        let mut out = String::new();
        let mut note = |what: &str, one: &dyn std::fmt::Debug, two: &dyn std::fmt::Debug| {
            let (one, two) = (format!("{one:?}"), format!("{two:?}"));
            if one != two {
                out += &format!(" {what} {two} for {one};");
            }
        };
        note("a conversation", &self.said, &other.said);
        note("proofs", &self.proofs, &other.proofs);
        note("tools", &self.tools, &other.tools);
        note("a need of a call", &self.must_call, &other.must_call);
        note("a schema", &self.schema, &other.schema);
        note("streaming", &self.stream, &other.stream);
        let thinks = match (&self.thinking, &other.thinking) {
            (None, None) => true,
            (Some(_), Some(told)) => told.is_medium(),
            _ => false,
        };
        note("thinking", &self.thinking, if thinks { &self.thinking } else { &other.thinking });
        out
    }
}

impl Thinking {
    /// Whether it is what the clients of the grid ask for, as far as its dialect knows degrees.
    fn is_medium(&self) -> bool {
        match self {
            Self::Effort(effort) => effort == "medium",
            Self::Budget(tokens) => *tokens == 2048,
            Self::On => true,
        }
    }
}
