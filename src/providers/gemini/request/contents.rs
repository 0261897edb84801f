//! What a client's request says: `contents` and `systemInstruction`.
use crate::providers::chat::{Block, Content, Malformed, Role, ToolResult, Turn};
use crate::providers::gemini::fields::{Fields, members};
use crate::providers::gemini::ids;
use crate::providers::gemini::part::{Kind, Part, Response};
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};

/// Reads turn by turn. It knows which calls have no result yet, since results may name nothing but
/// the tool.
#[derive(Debug, Default)]
pub(super) struct Contents {
    turns: usize,
    calls: usize,
    /// Calls without a result, by their tools: the turn that has the latest ones, and their ids.
    open: HashMap<String, (usize, VecDeque<String>)>,
    /// All calls, and whether they have results.
    ids: HashMap<String, bool>,
}

impl Contents {
    /// A turn. Without a role it is the user's.
    pub(super) fn turn(&mut self, mut content: Map<String, Value>) -> Result<Turn, Malformed> {
        let path = format!("contents[{}]", self.turns);
        self.turns += 1;
        let mut fields = Fields::of(&mut content, &path);
        let role = match fields.text("role")?.as_deref() {
            None | Some("" | "user" | "function" | "tool") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(fields.wrong("role", "user or model")),
        };
        let parts = fields.objects("parts")?;
        Ok(Turn::new(role, self.blocks(parts, &path)?))
    }

    /// Instructions: a content, or text.
    pub(super) fn instruction(&mut self, system: Value) -> Result<Vec<Block>, Malformed> {
        let path = "systemInstruction";
        match system {
            Value::String(text) => Ok(vec![Block::text(text)]),
            Value::Object(mut content) => {
                let parts = Fields::of(&mut content, path).objects("parts")?;
                self.blocks(parts, path)
            }
            _ => Err(Malformed::new(path, "`systemInstruction` must be a content with parts")),
        }
    }

    fn blocks(
        &mut self,
        parts: Vec<Map<String, Value>>,
        path: &str,
    ) -> Result<Vec<Block>, Malformed> {
        let mut blocks = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            let part = Part::of(part);
            if let Some(name) = part.wrong {
                let param = format!("{path}.parts[{index}].{name}");
                let message = format!("`{param}` is not what Gemini takes there");
                return Err(Malformed::new(param, message));
            }
            let Some(Part { kind, signature, .. }) = part.tell(&mut blocks) else { continue };
            match kind {
                Kind::Call(mut call) => {
                    let id = self.called(call.id.take(), &call.name, &call.input);
                    let call = call.into_use(id, signature);
                    blocks.push(Block::new(Content::ToolUse(call)));
                }
                Kind::Response(response) => {
                    blocks.push(Block::new(Content::ToolResult(self.result(response))));
                }
                _ => {}
            }
        }
        Ok(blocks)
    }

    /// The id of a call: its own, or one made of what it calls and of its place.
    fn called(&mut self, id: Option<String>, name: &str, input: &str) -> String {
        let id = id.unwrap_or_else(|| ids::made("", name, input, self.calls));
        self.calls += 1;
        self.ids.insert(id.clone(), false);
        let turns = self.turns;
        let (turn, open) = self.open.entry(name.to_owned()).or_default();
        if *turn != turns {
            // Results are of the latest turn that calls the tool.
            (*turn, *open) = (turns, VecDeque::new());
        }
        open.push_back(id.clone());
        id
    }

    fn result(&mut self, response: Response) -> ToolResult {
        let Response { id, name, response, parts } = response;
        let id = match id {
            Some(id) if self.ids.contains_key(&id) => id,
            // A client that tells no ids of calls may tell its own ones of results.
            id => self
                .unanswered(&name)
                .or(id)
                .unwrap_or_else(|| ids::made("result", &name, "", self.turns)),
        };
        self.ids.insert(id.clone(), true);
        let (blocks, failed) = given(response, parts);
        ToolResult { id, name: Some(name), blocks, failed }
    }

    /// The first call of this tool in the latest turn that calls it which has no result.
    fn unanswered(&mut self, name: &str) -> Option<String> {
        let (_, open) = self.open.get_mut(name)?;
        std::iter::from_fn(|| open.pop_front()).find(|id| self.ids.get(id) == Some(&false))
    }
}

/// What a tool gave back, and whether it failed. Google reads `output` as all of it and `error` as
/// its failure; a `result` or `content` of text alone is as good as the text.
fn given(mut response: Map<String, Value>, parts: Vec<Value>) -> (Vec<Block>, bool) {
    let only = (response.len() == 1).then(|| response.keys().next().cloned()).flatten();
    let failed = only.as_deref() == Some("error");
    let unwrapped = match only.as_deref() {
        Some(key @ ("output" | "error" | "result" | "content")) => match response.get_mut(key) {
            Some(Value::String(text)) => Some(std::mem::take(text)),
            _ => None,
        },
        _ => None,
    };
    let text = unwrapped.unwrap_or_else(|| Value::Object(response).to_string());
    let mut blocks = vec![Block::text(text)];
    for part in parts.into_iter().filter_map(members) {
        if let Kind::Media(media) = Part::of(part).kind {
            blocks.push(Block::new(Content::Media(media)));
        }
    }
    (blocks, failed)
}
