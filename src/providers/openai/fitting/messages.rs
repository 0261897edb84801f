//! What becomes of messages.
use crate::data::Quirks;
use crate::providers::chat::{Lost, Taking, text_of};
use bartizan_layers::wire::scan;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Whether some message may have to be changed. Only keys and roles are looked at.
pub(super) fn concern(quirks: &Quirks, messages: scan::Value<'_>) -> bool {
    let member = |(key, value): (Cow<'_, [u8]>, scan::Value<'_>)| match &*key {
        b"role" => value.as_str().is_some_and(|role| quirks.role(&role).is_some()),
        b"tool_calls" | b"tool_call_id" if quirks.nine() => true,
        b"content" if quirks.texts() => value.is_array(),
        key => quirks.strips().any(|name| name.as_bytes() == key),
    };
    messages.elements().any(|message| message.members().any(member))
}

/// Changes `messages` to what a provider takes, and says whether anything had to be changed.
pub(super) fn fit(messages: &mut [Value], quirks: &Quirks, lost: &mut Lost) -> bool {
    let mut changed = false;
    for message in messages.iter_mut().filter_map(Value::as_object_mut) {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        if !matches!(role, "tool" | "function") {
            changed |= strip(message, quirks, lost);
        }
        let here = message.get("role").and_then(Value::as_str).and_then(|it| quirks.role(it));
        if let Some(here) = here {
            message.insert("role".to_owned(), here.into());
            changed = true;
        }
        if quirks.nine() {
            changed |= shorten(message);
        }
        if quirks.texts() {
            changed |= flatten(message, lost);
        }
    }
    changed
}

/// Takes out the members that the provider refuses.
fn strip(message: &mut Map<String, Value>, quirks: &Quirks, lost: &mut Lost) -> bool {
    let before = message.len();
    for name in quirks.strips() {
        let said = message.shift_remove(name).filter(|value| !is_empty(value));
        if said.is_some() {
            lost.hint(format!("messages.{name}"));
        }
    }
    message.len() < before
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Gives calls and results ids of nine letters and digits.
fn shorten(message: &mut Map<String, Value>) -> bool {
    let mut changed = message.get_mut("tool_call_id").is_some_and(nine);
    let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
    for id in calls.into_iter().flatten().filter_map(|call| call.get_mut("id")) {
        changed |= nine(id);
    }
    changed
}

/// An id that is not nine letters and digits becomes one that is, the same each time.
fn nine(id: &mut Value) -> bool {
    let Some(told) = id.as_str() else { return false };
    if told.len() == 9 && told.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    // FNV-1a, of whose 64 bits 36 are plenty for the calls of a conversation.
    let hash = told.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    *id = format!("{:09x}", hash & 0xf_ffff_ffff).into();
    true
}

/// Makes one text of a content that is a list. What is no text is lost.
fn flatten(message: &mut Map<String, Value>, lost: &mut Lost) -> bool {
    let Some(content @ Value::Array(_)) = message.get_mut("content") else { return false };
    let Value::Array(parts) = content.take() else { return false };
    let mut text = String::new();
    for part in parts {
        match part {
            Value::String(part) => text.push_str(&part),
            Value::Object(mut part) => match part.take_text("text") {
                Some(part) => text.push_str(&part),
                None => {
                    let kind = part.take("type").map_or_else(|| "part".to_owned(), text_of);
                    lost.part(format!("messages.content.{kind}"));
                }
            },
            _ => {}
        }
    }
    *content = text.into();
    true
}
