//! Documents of a client: beside its messages, and in results of tools.
use crate::providers::chat::fields::{Object, into_object, within, wrong};
use crate::providers::chat::{
    Block, Content, Malformed, Media, MediaKind, Role, Source, Taking, Turn, text_of,
};
use serde_json::Value;

/// Reads `documents` and shows them to the model with the last question, before its words.
pub(super) fn attach(told: Vec<Value>, turns: &mut Vec<Turn>) -> Result<(), Malformed> {
    let read = |(index, told)| {
        let media = document(told);
        media.map_err(|error| within(error, format_args!("documents[{index}]")))
    };
    let documents = told.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    if documents.is_empty() {
        return Ok(());
    }
    let blocks = documents.into_iter().map(|media| Block::new(Content::Media(media)));
    let asks = |block: &Block| !matches!(block.content, Content::ToolResult(_));
    let question =
        turns.iter_mut().rev().find(|turn| turn.role == Role::User && turn.blocks.iter().all(asks));
    match question {
        Some(turn) => drop(turn.blocks.splice(0..0, blocks)),
        None => turns.push(Turn::new(Role::User, blocks.collect())),
    }
    Ok(())
}

/// A text, or `{id, data}`.
fn document(told: Value) -> Result<Media, Malformed> {
    let (name, text) = match told {
        Value::String(text) => (None, text),
        told => {
            let told = into_object(told).ok_or_else(|| wrong("", "a string or an object"))?;
            named(told).ok_or_else(|| wrong("data", "an object of strings"))?
        }
    };
    Ok(Media {
        kind: MediaKind::Document,
        source: Source::Text(text),
        media_type: Some("text/plain".to_owned()),
        name,
        detail: None,
    })
}

/// A document's title, or else its id, and its text: the member that is called so, with all others
/// before it.
fn named(mut told: Object) -> Option<(Option<String>, String)> {
    let id = told.take_text("id");
    let mut data = match told.take("data")? {
        Value::Object(data) => data,
        Value::String(text) => return Some((id, text)),
        _ => return None,
    };
    let title = data.take_text("title").or(id);
    let text = ["text", "snippet", "content"].into_iter().find_map(|name| data.take_text(name));
    let mut lines: Vec<String> =
        data.into_iter().map(|(name, value)| format!("{name}: {}", text_of(value))).collect();
    lines.extend(text);
    Some((title, lines.join("\n")))
}

/// The text of a document in a tool's result: its data, which a model reads as JSON too.
pub(super) fn of_result(told: Option<Value>) -> Result<String, Malformed> {
    let document = told.and_then(into_object);
    let data = document.and_then(|mut document| document.take("data"));
    data.map(text_of).ok_or_else(|| wrong("document", "an object with `data`"))
}
