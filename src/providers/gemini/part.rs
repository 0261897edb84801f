//! The parts that turns and answers are made of.
use super::fields::{members, pick, text};
use super::{ids, media};
use crate::providers::chat::{Block, Content, Media, Thought, ToolUse, standard_base64};
use serde_json::{Map, Value};

/// A part of a turn or of an answer.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// What it is.
    pub(crate) kind: Kind,
    /// Whether it is a thought.
    pub(crate) thought: bool,
    /// Google's proof of the thought before it.
    pub(crate) signature: Option<String>,
    /// A member that is not what it should be.
    pub(crate) wrong: Option<&'static str>,
}

/// What a [`Part`] is.
#[derive(Debug, Default)]
pub(crate) enum Kind {
    /// It says nothing.
    #[default]
    Empty,
    /// Text.
    Text(String),
    /// A picture and the like.
    Media(Media),
    /// A call of a tool.
    Call(Call),
    /// What a tool gave back.
    Response(Response),
    /// What no other dialect has, whole: code that Google ran and its results, Google's own tools.
    Other(Map<String, Value>),
}

/// A `functionCall`.
#[derive(Debug)]
pub(crate) struct Call {
    /// Google gives none to the calls of older models.
    pub(crate) id: Option<String>,
    /// The tool.
    pub(crate) name: String,
    /// An object, as text.
    pub(crate) input: String,
}

/// A `functionResponse`.
#[derive(Debug)]
pub(crate) struct Response {
    /// The call's id.
    pub(crate) id: Option<String>,
    /// The tool.
    pub(crate) name: String,
    /// What it gave back.
    pub(crate) response: Map<String, Value>,
    /// Media that it gave back.
    pub(crate) parts: Vec<Value>,
}

impl Part {
    /// Takes a part apart.
    pub(crate) fn of(part: Map<String, Value>) -> Self {
        let mut read = Self::default();
        if part.keys().any(|key| is_of_google_only(key)) {
            read.kind = Kind::Other(part);
            return read;
        }
        let mut unknown = Map::new();
        for (key, value) in part {
            match known(&key) {
                _ if value.is_null() => {}
                None => drop(unknown.insert(key, value)),
                Some(name) if read.take(name, value) => {}
                Some(name) => read.wrong = Some(name),
            }
        }
        if matches!(read.kind, Kind::Empty) && !unknown.is_empty() {
            read.kind = Kind::Other(unknown);
        }
        read
    }

    /// Takes a member; false, if it is not what it should be.
    fn take(&mut self, name: &str, value: Value) -> bool {
        let kind = match (name, value) {
            ("thought", Value::Bool(thought)) => {
                self.thought = thought;
                return true;
            }
            ("thoughtSignature", Value::String(signature)) => {
                self.signature = Some(standard_base64(signature)).filter(|told| !told.is_empty());
                return true;
            }
            ("text", Value::String(text)) => Some(Kind::Text(text)),
            ("inlineData", Value::Object(blob)) => media::of_blob(blob).map(Kind::Media),
            ("fileData", Value::Object(file)) => media::of_file(file).map(Kind::Media),
            ("functionCall", Value::Object(call)) => Call::of(call).map(Kind::Call),
            ("functionResponse", Value::Object(told)) => Response::of(told).map(Kind::Response),
            _ => None,
        };
        match kind {
            Some(kind) => self.kind = kind,
            None => return false,
        }
        true
    }

    /// Adds what it says to an answer or a turn. Calls and responses need ids: they are given back.
    pub(crate) fn tell(self, blocks: &mut Vec<Block>) -> Option<Self> {
        let Self { kind, thought, signature, .. } = self;
        match kind {
            Kind::Text(text) if thought => {
                if text.is_empty() {
                    sign(blocks, signature);
                } else {
                    let thought = Thought { text, signature, ..Thought::default() };
                    blocks.push(Block::new(Content::Thought(thought)));
                }
            }
            Kind::Text(text) => {
                sign(blocks, signature);
                if !text.is_empty() {
                    blocks.push(Block::text(text));
                }
            }
            Kind::Media(media) => {
                sign(blocks, signature);
                blocks.push(Block::new(Content::Media(media)));
            }
            Kind::Other(part) => blocks.push(Block::new(Content::Other(Value::Object(part)))),
            Kind::Empty => sign(blocks, signature),
            kind => return Some(Self { kind, thought, signature, wrong: None }),
        }
        None
    }
}

/// A signature belongs to the thought before it. Where Gemini does not tell that, it stands alone.
fn sign(blocks: &mut Vec<Block>, signature: Option<String>) {
    let Some(proof) = signature else { return };
    let mut thought = Thought::default();
    match ids::unsealed(&proof) {
        Some((cipher, id)) => (thought.hidden, thought.id) = (Some(cipher), id),
        None => thought.signature = Some(proof),
    }
    match blocks.last_mut().map(|block| &mut block.content) {
        Some(Content::Thought(last)) if last.signature.is_none() && last.hidden.is_none() => {
            thought.text = std::mem::take(&mut last.text);
            *last = thought;
        }
        _ => blocks.push(Block::new(Content::Thought(thought))),
    }
}

fn is_of_google_only(key: &str) -> bool {
    let keys = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];
    let snake = ["executable_code", "code_execution_result", "tool_call", "tool_response"];
    keys.contains(&key) || snake.contains(&key)
}

/// Whether a part is one that is written again as it was.
pub(crate) fn is_other(part: &Map<String, Value>) -> bool {
    part.keys().any(|key| is_of_google_only(key))
}

fn known(key: &str) -> Option<&'static str> {
    Some(match key {
        "text" => "text",
        "thought" => "thought",
        "thoughtSignature" | "thought_signature" => "thoughtSignature",
        "inlineData" | "inline_data" => "inlineData",
        "fileData" | "file_data" => "fileData",
        "functionCall" | "function_call" => "functionCall",
        "functionResponse" | "function_response" => "functionResponse",
        _ => return None,
    })
}

impl Call {
    /// Reads a call: `None` if it has no name, or arguments that are no object.
    pub(crate) fn of(mut call: Map<String, Value>) -> Option<Self> {
        let input = match pick(&mut call, "args") {
            None => "{}".to_owned(),
            Some(args @ Value::Object(_)) => args.to_string(),
            Some(_) => return None,
        };
        let id = pick(&mut call, "id").and_then(text).filter(|id| !id.is_empty());
        Some(Self { id, name: pick(&mut call, "name").and_then(text)?, input })
    }

    /// The call, with the id that its result names.
    pub(crate) fn into_use(self, id: String, signature: Option<String>) -> ToolUse {
        ToolUse { id, name: self.name, input: self.input, signature }
    }
}

impl Response {
    fn of(mut response: Map<String, Value>) -> Option<Self> {
        let parts = match pick(&mut response, "parts") {
            None => Vec::new(),
            Some(Value::Array(parts)) => parts,
            Some(_) => return None,
        };
        Some(Self {
            id: pick(&mut response, "id").and_then(text).filter(|id| !id.is_empty()),
            name: pick(&mut response, "name").and_then(text)?,
            response: match pick(&mut response, "response") {
                None => Map::new(),
                Some(response) => members(response)?,
            },
            parts,
        })
    }
}
