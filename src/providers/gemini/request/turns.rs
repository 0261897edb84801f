//! Turns in Google's words: `contents` and `systemInstruction`.
use super::pieces::{Answer, content, given, sign, text_part};
use crate::providers::chat::{
    Block, Content, Lost, Malformed, Media, MediaKind, Role, Source, Target, Thought, ToolResult,
    ToolUse, Turn, is_of_google, object,
};
use crate::providers::gemini::model::Model;
use crate::providers::gemini::{ids, media, part};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Writes the conversation into `body`.
pub(super) fn write(
    turns: Vec<Turn>,
    body: &mut Map<String, Value>,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<(), Malformed> {
    let model = Model::named(target.model);
    let mut said = Conversation {
        model,
        lost,
        system: Vec::new(),
        contents: Vec::new(),
        results: Vec::new(),
        others: Vec::new(),
        spoken: false,
        calls: HashMap::new(),
    };
    for turn in turns {
        said.turn(turn)?;
    }
    said.end(body);
    Ok(())
}

/// What is written so far.
struct Conversation<'a> {
    model: Model<'a>,
    lost: &'a mut Lost,
    system: Vec<Value>,
    contents: Vec<Value>,
    /// Of the user's turns since the model's last one: results, and all else.
    results: Vec<Value>,
    others: Vec<Value>,
    /// Whether there were such turns.
    spoken: bool,
    calls: HashMap<String, Called>,
}

/// A call in the conversation.
struct Called {
    name: String,
    /// Its id, where Google gave it one.
    id: Option<String>,
}

impl Conversation<'_> {
    fn turn(&mut self, turn: Turn) -> Result<(), Malformed> {
        if turn.name.is_some() {
            self.lost.hint("messages.name");
        }
        if turn.blocks.iter().any(|block| block.cache.is_some()) {
            self.lost.hint("cache_control");
        }
        match turn.role {
            Role::System | Role::Developer => self.instruct(turn.blocks),
            Role::User => self.ask(turn.blocks)?,
            Role::Assistant => self.answer(turn.blocks),
        }
        Ok(())
    }

    /// Instructions come first, wherever they stood.
    fn instruct(&mut self, blocks: Vec<Block>) {
        for block in blocks {
            match block.content {
                Content::Text(text, _) if text.is_empty() => {}
                Content::Text(text, _) => self.system.push(text_part(text)),
                _ => self.lost.part("messages.content"),
            }
        }
    }

    fn ask(&mut self, blocks: Vec<Block>) -> Result<(), Malformed> {
        self.spoken = true;
        for block in blocks {
            match block.content {
                Content::Text(text, _) | Content::Refusal(text) if text.is_empty() => {}
                Content::Text(text, _) | Content::Refusal(text) => {
                    self.others.push(text_part(text));
                }
                Content::Media(media) => {
                    self.others.push(Value::Object(media::part(media, self.lost)));
                }
                Content::ToolResult(result) => self.result(result)?,
                Content::Other(Value::Object(own)) if part::is_other(&own) => {
                    self.others.push(Value::Object(own));
                }
                Content::Thought(_) | Content::ToolUse(_) | Content::Other(_) => {
                    self.lost.part("messages.content");
                }
            }
        }
        Ok(())
    }

    fn result(&mut self, result: ToolResult) -> Result<(), Malformed> {
        let plain = ids::split(&result.id).0;
        let called = self.calls.get(&result.id).or_else(|| self.calls.get(plain));
        let (name, id) = match (called, result.name) {
            (Some(called), _) => (called.name.clone(), called.id.clone()),
            (None, Some(name)) => (name, None),
            (None, None) => {
                let id = &result.id;
                let message = format!("no tool call before this result has the id `{id}`");
                return Err(Malformed::new("messages", message));
            }
        };
        let (text, parts) = self.given(result.blocks);
        let response = given(text, result.failed);
        let mut response = object([("name", name.into()), ("response", response)]);
        if let Some(members) = response.as_object_mut() {
            if let Some(id) = id {
                members.insert("id".to_owned(), id.into());
            }
            if !parts.is_empty() {
                members.insert("parts".to_owned(), parts.into());
            }
        }
        self.results.push(object([("functionResponse", response)]));
        Ok(())
    }

    /// The text of a result, line by line, and the media that may stand in it. Others stand beside
    /// it.
    fn given(&mut self, blocks: Vec<Block>) -> (String, Vec<Value>) {
        let mut text = String::new();
        let mut parts = Vec::new();
        for block in blocks {
            match block.content {
                Content::Text(more, _) => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(&more);
                }
                Content::Media(media) if self.takes_in_result(&media) => {
                    parts.push(Value::Object(media::part(media, self.lost)));
                }
                Content::Media(media) => {
                    self.others.push(Value::Object(media::part(media, self.lost)));
                }
                _ => self.lost.part("messages.content"),
            }
        }
        (text, parts)
    }

    /// Whether media may stand inside of a tool's result.
    fn takes_in_result(&self, media: &Media) -> bool {
        let kind = matches!(media.kind, MediaKind::Image | MediaKind::Document);
        self.model.since(3, 0) && kind && matches!(media.source, Source::Base64(_))
    }

    /// The user's turns are over. Results come first, for they answer the turn before, and apart.
    fn asked(&mut self) {
        if !std::mem::take(&mut self.spoken) {
            return;
        }
        let results = std::mem::take(&mut self.results);
        let mut others = std::mem::take(&mut self.others);
        if results.is_empty() && others.is_empty() {
            // Gemini takes no turn without a word.
            others.push(text_part(" ".to_owned()));
        }
        for parts in [results, others] {
            if !parts.is_empty() {
                self.contents.push(content("user", parts));
            }
        }
    }

    fn answer(&mut self, blocks: Vec<Block>) {
        self.asked();
        let mut turn = Answer::default();
        for block in blocks {
            match block.content {
                Content::Text(text, _) | Content::Refusal(text) if text.is_empty() => {}
                Content::Text(text, _) | Content::Refusal(text) => turn.push(text_part(text)),
                Content::Thought(thought) => self.thought(thought, &mut turn),
                Content::ToolUse(call) => self.call(&call, &mut turn),
                Content::Media(media) => {
                    turn.push(Value::Object(media::part(media, self.lost)));
                }
                Content::Other(Value::Object(own)) if part::is_other(&own) => {
                    turn.push(Value::Object(own));
                }
                Content::Other(_) | Content::ToolResult(_) => self.lost.part("messages.content"),
            }
        }
        turn.prove();
        let last = self.contents.last_mut().filter(|last| last["role"] == "model");
        match last.and_then(|last| last["parts"].as_array_mut()) {
            Some(parts) => parts.append(&mut turn.parts),
            None if turn.parts.is_empty() => {}
            None => self.contents.push(content("model", turn.parts)),
        }
    }

    fn thought(&mut self, thought: Thought, turn: &mut Answer) {
        turn.prove();
        if !thought.text.is_empty() {
            turn.parts.push(object([("text", thought.text.into()), ("thought", true.into())]));
        }
        if thought.hidden.is_some() {
            self.lost.hint("thinking");
        }
        match thought.signature {
            Some(proof) if is_of_google(&proof) => turn.proof = Some(proof),
            Some(_) => self.lost.hint("thinking.signature"),
            None => {}
        }
    }

    fn call(&mut self, call: &ToolUse, turn: &mut Answer) {
        let (plain, in_id) = ids::split(&call.id);
        let id = ids::is_googles(plain).then(|| plain.to_owned());
        let proof = call.signature.as_deref().or(in_id);
        if proof.is_some_and(|proof| !is_of_google(proof)) {
            self.lost.hint("thought_signature");
        }
        if let Some(proof) = proof.filter(|proof| is_of_google(proof)) {
            if turn.proof.as_deref() == Some(proof) {
                turn.proof = None;
            }
            turn.prove();
            turn.proof = Some(proof.to_owned());
        }
        let args = Value::Object(call.object());
        let mut written = object([("name", call.name.clone().into()), ("args", args)]);
        if let (Some(members), Some(id)) = (written.as_object_mut(), &id) {
            members.insert("id".to_owned(), id.as_str().into());
        }
        turn.push(object([("functionCall", written)]));
        for key in [call.id.as_str(), plain] {
            let called = Called { name: call.name.clone(), id: id.clone() };
            self.calls.insert(key.to_owned(), called);
        }
    }

    fn end(mut self, body: &mut Map<String, Value>) {
        self.asked();
        if self.model.since(3, 0) {
            self.contents.iter_mut().for_each(sign);
        }
        if !self.system.is_empty() && !self.model.has_instructions() {
            let parts = std::mem::take(&mut self.system);
            let first = self.contents.first_mut().filter(|first| first["role"] == "user");
            match first.and_then(|first| first["parts"].as_array_mut()) {
                Some(own) => drop(own.splice(0..0, parts)),
                None => self.contents.insert(0, content("user", parts)),
            }
        }
        if self.contents.is_empty() {
            self.contents.push(content("user", vec![text_part(" ".to_owned())]));
        }
        if !self.system.is_empty() {
            let system = object([("parts", self.system.into())]);
            body.insert("systemInstruction".to_owned(), system);
        }
        body.insert("contents".to_owned(), self.contents.into());
    }
}
