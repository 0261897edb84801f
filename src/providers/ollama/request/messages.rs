//! A client's conversation. Ollama's calls need no ids, nor do their results: a result is that of
//! the first call of its tool that has none yet.
use crate::providers::chat::fields::{
    Object, into_object, into_text, list, optional, text, within, wrong,
};
use crate::providers::chat::{
    Block, Content, Malformed, Media, MediaKind, Role, Source, Taking, Thought, ToolResult,
    ToolUse, Turn, picture_type, text_of, unsigned_id,
};
use serde_json::Value;
use std::collections::VecDeque;

/// Reads `messages`. Results of tools that follow each other are one turn.
pub(super) fn read(messages: Vec<Value>) -> Result<Vec<Turn>, Malformed> {
    let mut reader = Reader::default();
    for (index, message) in messages.into_iter().enumerate() {
        let read = into_object(message).ok_or_else(|| wrong("", "an object"));
        let read = read.and_then(|message| reader.message(message));
        read.map_err(|error| within(error, format_args!("messages[{index}]")))?;
    }
    Ok(reader.turns)
}

/// Pictures, in base64.
pub(super) fn pictures(told: Vec<Value>) -> Result<Vec<Block>, Malformed> {
    let right = || wrong("images", "a list of pictures in base64");
    told.into_iter().map(|told| into_text(told).map(picture).ok_or_else(right)).collect()
}

fn picture(data: String) -> Block {
    // Some clients send a whole URL.
    let data = match data.split_once(";base64,") {
        Some((_, data)) => data.to_owned(),
        None => data,
    };
    let media_type = Some(picture_type(&data).to_owned());
    let source = Source::Base64(data);
    let media = Media { kind: MediaKind::Image, source, media_type, name: None, detail: None };
    Block::new(Content::Media(media))
}

#[derive(Default)]
struct Reader {
    turns: Vec<Turn>,
    /// Calls without a result: their ids and tools.
    open: VecDeque<(String, String)>,
    /// How many ids were made.
    made: usize,
}

impl Reader {
    fn message(&mut self, mut message: Object) -> Result<(), Malformed> {
        let role = text(&mut message, "role")?.unwrap_or_default();
        let role = match role.as_str() {
            "tool" => return self.result(message),
            "system" => Role::System,
            "developer" => Role::Developer,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(wrong("role", "`system`, `user`, `assistant` or `tool`")),
        };
        let mut blocks = Vec::new();
        let full = |text: &String| !text.is_empty();
        if let Some(text) = text(&mut message, "thinking")?.filter(full) {
            let thought = Thought { text, ..Thought::default() };
            blocks.push(Block::new(Content::Thought(thought)));
        }
        blocks.extend(said(&mut message)?);
        for (index, call) in list(&mut message, "tool_calls")?.into_iter().enumerate() {
            let call = self.call(call);
            let call = call.map_err(|error| within(error, format_args!("tool_calls[{index}]")))?;
            blocks.push(Block::new(Content::ToolUse(call)));
        }
        self.turns.push(Turn::new(role, blocks));
        Ok(())
    }

    fn call(&mut self, call: Value) -> Result<ToolUse, Malformed> {
        let mut call = into_object(call).ok_or_else(|| wrong("", "an object"))?;
        let told = text(&mut call, "id")?.filter(|id| !id.is_empty());
        let function = optional(&mut call, "function", "an object", into_object)?;
        let mut function = function.ok_or_else(|| wrong("function", "an object"))?;
        let name = text(&mut function, "name")?.unwrap_or_default();
        let input = function.take("arguments").map(text_of).unwrap_or_default();
        let (id, signature) = unsigned_id(told.unwrap_or_else(|| self.make()));
        self.open.push_back((id.clone(), name.clone()));
        Ok(ToolUse { id, name, input, signature })
    }

    fn make(&mut self) -> String {
        self.made += 1;
        format!("call_{}", self.made)
    }

    fn result(&mut self, mut message: Object) -> Result<(), Malformed> {
        let name = text(&mut message, "tool_name")?.or(text(&mut message, "name")?);
        let told = text(&mut message, "tool_call_id")?.filter(|id| !id.is_empty());
        let told = told.map(|id| unsigned_id(id).0);
        let blocks = said(&mut message)?;
        let place = self.open.iter().position(|(id, tool)| match (&told, &name) {
            (Some(told), _) => id == told,
            (None, Some(name)) => tool == name,
            (None, None) => true,
        });
        let call = place.and_then(|place| self.open.remove(place));
        let (of_call, tool) = call.unzip();
        let id = told.or(of_call).unwrap_or_else(|| self.make());
        let result = ToolResult { id, name: name.or(tool), blocks, failed: false };
        let block = Block::new(Content::ToolResult(result));
        match self.turns.last_mut().filter(|turn| is_of_tools(turn)) {
            Some(turn) => turn.blocks.push(block),
            None => self.turns.push(Turn::new(Role::User, vec![block])),
        }
        Ok(())
    }
}

fn is_of_tools(turn: &Turn) -> bool {
    turn.blocks.first().is_some_and(|block| matches!(block.content, Content::ToolResult(_)))
}

/// The text and the pictures of a message.
fn said(message: &mut Object) -> Result<Vec<Block>, Malformed> {
    let text = text(message, "content")?.filter(|text| !text.is_empty());
    let pictures = pictures(list(message, "images")?)?;
    Ok(text.map(Block::text).into_iter().chain(pictures).collect())
}
