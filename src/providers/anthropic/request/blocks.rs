//! Content blocks of a client.
use super::super::carried::hidden;
use super::super::citation::read_citations;
use super::fields::{
    Object, flag, into_list, into_object, list, optional, required, required_text, text, within,
    wrong,
};
use super::media::{read_document, read_image};
use crate::providers::chat::{
    Block, Content, Malformed, Media, MediaKind, Source, Taking, Thought, ToolResult, ToolUse,
    unsigned_id,
};
use serde_json::Value;

/// What a turn says: a text, or blocks.
pub(super) fn read_content(content: Value) -> Result<Vec<Block>, Malformed> {
    read(content, Place::Turn)
}

/// Instructions: a text, or blocks of text.
pub(super) fn read_system(system: Value) -> Result<Vec<Block>, Malformed> {
    match system {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        system => read(system, Place::System),
    }
}

/// Where blocks stand. Results of tools hold no further results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    System,
    Turn,
    Result,
}

fn read(content: Value, place: Place) -> Result<Vec<Block>, Malformed> {
    match content {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(content) => {
            let mut blocks = Vec::with_capacity(content.len());
            for (index, block) in content.into_iter().enumerate() {
                read_block(block, place, &mut blocks)
                    .map_err(|error| within(error, format_args!("[{index}]")))?;
            }
            Ok(blocks)
        }
        _ => Err(wrong("", "a string or a list of blocks")),
    }
}

fn read_block(block: Value, place: Place, blocks: &mut Vec<Block>) -> Result<(), Malformed> {
    let mut block = into_object(block).ok_or_else(|| wrong("", "an object"))?;
    let kind = block.get("type").and_then(Value::as_str);
    let kind = kind.ok_or_else(|| wrong("type", "the type of the block"))?.to_owned();
    if place == Place::System && kind != "text" {
        return Err(wrong("type", "`text`"));
    }
    let cache = block.take("cache_control");
    let content = match kind.as_str() {
        "text" => read_text(block)?,
        "image" => Content::Media(read_image(block)?),
        "document" => {
            // Nothing else has a member for it, and the model should know it.
            if let Some(context) = text(&mut block, "context")? {
                blocks.push(Block::text(context));
            }
            Content::Media(read_document(block)?)
        }
        "search_result" => Content::Media(read_found(block)?),
        "thinking" => read_thought(block)?,
        "redacted_thinking" => Content::Thought(hidden(required_text(&mut block, "data")?)),
        "tool_use" => Content::ToolUse(read_use(block)?),
        // A search for tools found this one, which stands among the tools.
        "tool_reference" if place == Place::Result => {
            Content::Text(required_text(&mut block, "tool_name")?, Vec::new())
        }
        "tool_result" if place == Place::Turn => Content::ToolResult(read_result(block)?),
        "tool_result" => return Err(wrong("type", "no result inside of a result")),
        _ => {
            if let Some(cache) = cache {
                block.insert("cache_control".into(), cache);
            }
            blocks.push(Block::new(Content::Other(Value::Object(block))));
            return Ok(());
        }
    };
    blocks.push(Block { content, cache });
    Ok(())
}

fn read_text(mut block: Object) -> Result<Content, Malformed> {
    let text = required_text(&mut block, "text")?;
    Ok(Content::Text(text, read_citations(list(&mut block, "citations")?)))
}

/// A search result is a document for all that other dialects know.
fn read_found(mut block: Object) -> Result<Media, Malformed> {
    let title = text(&mut block, "title")?;
    let source = text(&mut block, "source")?;
    let content = required(&mut block, "content", "a list of text blocks", into_list)?;
    let content = read(Value::Array(content), Place::System);
    let content = content.map_err(|error| within(error, "content"))?;
    let texts: Vec<&str> = content.iter().filter_map(Block::as_text).collect();
    Ok(Media {
        kind: MediaKind::Document,
        source: Source::Text(texts.join("\n")),
        media_type: Some("text/plain".into()),
        name: title.or(source),
        detail: None,
    })
}

/// A thought. This project writes an empty signature for providers that sign nothing.
fn read_thought(mut block: Object) -> Result<Content, Malformed> {
    let text = required_text(&mut block, "thinking")?;
    let signature = super::fields::text(&mut block, "signature")?;
    let signature = signature.filter(|signature| !signature.is_empty());
    Ok(Content::Thought(Thought { text, signature, ..Thought::default() }))
}

fn read_use(mut block: Object) -> Result<ToolUse, Malformed> {
    let (id, signature) = unsigned_id(required_text(&mut block, "id")?);
    let name = required_text(&mut block, "name")?;
    let input = required(&mut block, "input", "an object", into_object)?;
    Ok(ToolUse { id, name, input: Value::Object(input).to_string(), signature })
}

fn read_result(mut block: Object) -> Result<ToolResult, Malformed> {
    let (id, _) = unsigned_id(required_text(&mut block, "tool_use_id")?);
    let content = optional(&mut block, "content", "a string or a list of blocks", Some)?;
    let blocks = content.map(|content| read(content, Place::Result)).transpose();
    let blocks = blocks.map_err(|error| within(error, "content"))?.unwrap_or_default();
    let failed = flag(&mut block, "is_error")?.unwrap_or_default();
    Ok(ToolResult { id, name: None, blocks, failed })
}
