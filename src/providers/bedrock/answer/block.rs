//! Blocks of an answer.
use crate::providers::bedrock::citation;
use crate::providers::chat::{
    Block, Content, Media, MediaKind, Memo, Source, Taking, Thought, ToolUse, text_of,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Reads all blocks.
pub(super) fn read(told: Vec<Value>, memo: &Memo) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::with_capacity(told.len());
    for block in told {
        let Value::Object(mut block) = block else { continue };
        if let Some(cited) = block.take_object("citationsContent") {
            cite(cited, &mut blocks);
        } else if let Some(content) = content(block, memo) {
            blocks.push(Block::new(content));
        }
    }
    blocks
}

fn content(mut block: Map<String, Value>, memo: &Memo) -> Option<Content> {
    if let Some(text) = block.take_text("text") {
        return (!text.is_empty()).then(|| Content::Text(text, Vec::new()));
    }
    if let Some(thought) = block.take_object("reasoningContent") {
        return self::thought(thought).map(Content::Thought);
    }
    if let Some(image) = block.take_object("image") {
        return media(image).map(Content::Media);
    }
    let is_ours =
        |call: &Map<String, Value>| call.get("type").is_none_or(|kind| kind != "server_tool_use");
    match block.take_object("toolUse") {
        Some(call) if is_ours(&call) => Some(self::call(call, memo)),
        // What the provider ran itself is of this dialect only.
        Some(call) => Some(other("toolUse", call)),
        None => block.take_object("toolResult").map(|result| other("toolResult", result)),
    }
}

fn other(name: &str, value: Map<String, Value>) -> Content {
    Content::Other(Value::Object(Map::from_iter([(name.to_owned(), value.into())])))
}

/// A call; one of the hidden tool is the answer's text.
fn call(mut told: Map<String, Value>, memo: &Memo) -> Content {
    let name = told.take_text("name").unwrap_or_default();
    let input = told.take("input").map(text_of).unwrap_or_default();
    if Some(name.as_str()) == memo.json_tool {
        return Content::Text(input, Vec::new());
    }
    let id = told.take_text("toolUseId").unwrap_or_default();
    Content::ToolUse(ToolUse { id, name: memo.named(name), input, signature: None })
}

fn thought(mut told: Map<String, Value>) -> Option<Thought> {
    let hidden = told.take_text("redactedContent").map(redacted);
    let mut said = told.take_object("reasoningText").unwrap_or_default();
    let text = said.take_text("text").unwrap_or_default();
    let signature = said.take_text("signature").filter(|signature| !signature.is_empty());
    let is_one = hidden.is_some() || signature.is_some() || !text.is_empty();
    is_one.then_some(Thought { text, signature, hidden, id: None })
}

/// A thought in cipher, as its maker tells it elsewhere: here it is in base64 once more.
pub(in super::super) fn redacted(data: String) -> String {
    let cipher = STANDARD.decode(&data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let is_plain = |cipher: &String| cipher.bytes().all(|letter| letter.is_ascii_graphic());
    cipher.filter(is_plain).unwrap_or(data)
}

/// A picture that the model made.
pub(in super::super) fn media(mut told: Map<String, Value>) -> Option<Media> {
    let data = told.take_object("source")?.take_text("bytes")?;
    let media_type = told.take_text("format").map(|format| format!("image/{format}"));
    let (kind, source) = (MediaKind::Image, Source::Base64(data));
    Some(Media { kind, source, media_type, name: None, detail: None })
}

/// A text with its sources. Without a text they are those of the one before.
fn cite(mut told: Map<String, Value>, blocks: &mut Vec<Block>) {
    let texts = told.take_array("content").into_iter().filter_map(|text| match text {
        Value::Object(mut text) => text.take_text("text"),
        _ => None,
    });
    let text: String = texts.collect();
    let citations = told.take_array("citations").into_iter().filter_map(|it| match it {
        Value::Object(it) => Some(citation::read(it)),
        _ => None,
    });
    match blocks.last_mut().map(|block| &mut block.content) {
        Some(Content::Text(_, before)) if text.is_empty() => before.extend(citations),
        _ => blocks.push(Block::new(Content::Text(text, citations.collect()))),
    }
}
