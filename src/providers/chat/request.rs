//! What a client asks of a model.
use super::Block;
use serde_json::{Map, Value, json};

/// A call to a chat model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The conversation, instructions included, in the client's order.
    pub turns: Vec<Turn>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must, or must not.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several tools at once.
    pub parallel_tools: Option<bool>,
    /// What the answer's text must look like.
    pub format: Option<Format>,
    /// How words are chosen, and how many.
    pub sampling: Sampling,
    /// How much the model thinks.
    pub thinking: Option<Thinking>,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// Whether the client asked for usage in the stream, where its dialect leaves that open.
    pub stream_usage: bool,
    /// Who asks, in the client's words.
    pub user: Option<String>,
    /// What the client wants to find again in the provider's records.
    pub metadata: Option<Value>,
    /// Members that this model has no word for, as they were.
    pub rest: Map<String, Value>,
}

/// One side speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Which.
    pub role: Role,
    /// OpenAI's `name` of a speaker.
    pub name: Option<String>,
    /// What it says. Results of tools are the user's.
    pub blocks: Vec<Block>,
}

/// A side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions, as OpenAI's newer models call them.
    Developer,
    /// The user, and tools.
    User,
    /// The model.
    Assistant,
}

/// What a model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function that the client runs.
    Function(Function),
    /// A tool that the provider runs (search, code, …), in the words of the client's dialect.
    Hosted(Value),
}

/// A function that the client runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub schema: Option<Value>,
    /// Whether the arguments must match the schema exactly.
    pub strict: Option<bool>,
    /// A cache hint, as of [`Block::cache`].
    pub cache: Option<Value>,
    /// OpenAI's custom tool, which takes free text: here a function whose only argument is
    /// `input`. Its calls are handed to the client as free text again.
    pub custom: bool,
    /// What the client calls it, where that takes more than a name.
    pub qualified: Option<Qualified>,
}

/// A function in one of OpenAI's namespaces. The model knows it by one name: [`Function::name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualified {
    /// The namespace.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

/// Whether a tool must be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model likes.
    Auto,
    /// None.
    None,
    /// One at least.
    Required,
    /// This one.
    Tool(String),
    /// These, if any (`required: false`), or one of these at least.
    Among {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
}

/// What the answer's text must look like.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// An object in JSON.
    Json,
    /// JSON that matches a schema.
    Schema {
        /// The schema's name; `None` where the dialect gives none.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Value,
        /// Whether it must match exactly.
        strict: Option<bool>,
    },
}

/// How words are chosen, and how many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// How long the answer may be, in tokens.
    pub max_tokens: Option<u64>,
    /// Randomness.
    pub temperature: Option<f64>,
    /// Share of the likeliest words.
    pub top_p: Option<f64>,
    /// How many of the likeliest words.
    pub top_k: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// For answers that can be had again.
    pub seed: Option<i64>,
    /// OpenAI's penalty for words that were there.
    pub presence_penalty: Option<f64>,
    /// OpenAI's penalty for words that were there often.
    pub frequency_penalty: Option<f64>,
    /// How many answers; `None` is one.
    pub choices: Option<u32>,
    /// Whether the probabilities of words are told.
    pub logprobs: Option<bool>,
    /// Of how many likely words.
    pub top_logprobs: Option<u64>,
    /// OpenAI's push for single tokens.
    pub logit_bias: Option<Value>,
}

/// How much the model thinks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thinking {
    /// OpenAI's `reasoning_effort`: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
    /// In tokens.
    pub budget: Option<u64>,
    /// Anthropic's and others' switch, where the client has set it: on with or without a budget
    /// (`adaptive`), or off.
    pub on: Option<bool>,
    /// Whether the client wants to see thoughts, where its dialect lets it choose.
    pub shown: Option<bool>,
}

impl Turn {
    /// A turn of these blocks.
    #[must_use]
    pub const fn new(role: Role, blocks: Vec<Block>) -> Self {
        Self { role, name: None, blocks }
    }
}

impl Function {
    /// `{name, description, parameters}`: what most dialects say of a function. Without a schema it
    /// has no arguments.
    #[must_use]
    pub fn definition(self) -> Map<String, Value> {
        let mut told = Map::from_iter([("name".to_owned(), self.name.into())]);
        self.description.map(|text| told.insert("description".to_owned(), text.into()));
        let none = || json!({"type": "object", "properties": {}});
        told.insert("parameters".to_owned(), self.schema.unwrap_or_else(none));
        told
    }
}

impl Role {
    /// Whether it instructs.
    #[must_use]
    pub const fn instructs(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

impl Thinking {
    /// In tokens, for providers that count them: the client's own number, or what its effort comes
    /// to. `None` when it is off, or nothing was said but that it is on.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        if self.is_off() {
            return None;
        }
        let of_effort = || match self.effort.as_deref()? {
            "minimal" => Some(128),
            "low" => Some(1024),
            "medium" => Some(2048),
            "high" => Some(4096),
            "xhigh" => Some(8192),
            "max" => Some(16_384),
            _ => None,
        };
        self.budget.or_else(of_effort)
    }

    /// An effort, for providers that know no number: the client's own, or what its number of
    /// tokens comes to.
    #[must_use]
    pub fn effort(&self) -> Option<&str> {
        if self.is_off() {
            return Some("none");
        }
        let of_budget = || match self.budget? {
            0..=128 => Some("minimal"),
            129..=1024 => Some("low"),
            1025..=2048 => Some("medium"),
            _ => Some("high"),
        };
        self.effort.as_deref().or_else(of_budget)
    }

    /// Whether the client does not want any.
    #[must_use]
    pub fn is_off(&self) -> bool {
        let named = matches!(self.effort.as_deref(), Some("none" | "disable" | "disabled"));
        named || self.on == Some(false) || (self.budget == Some(0) && self.effort.is_none())
    }
}
