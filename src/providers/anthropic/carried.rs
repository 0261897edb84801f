//! What other providers want to see again, and this dialect has no member for, is carried in
//! members that clients repeat unread: ids of tool calls, and thoughts in cipher.
use crate::providers::chat::Thought;

/// Between a tool call's id and the proof of the thought behind it, as LiteLLM writes it.
const THOUGHT: &str = "__thought__";

/// A tool call's id with its proof. Gemini's calls have it in their ids already.
pub(super) fn tool_id(id: String, signature: Option<&str>) -> String {
    match signature {
        Some(signature) if !id.contains(THOUGHT) => id + THOUGHT + signature,
        _ => id,
    }
}

/// A tool call's id and its proof.
pub(super) fn split_tool_id(id: String) -> (String, Option<String>) {
    match id.split_once(THOUGHT) {
        Some((own, signature)) => (own.to_owned(), Some(signature.to_owned())),
        None => (id, None),
    }
}

/// The data of a thought in cipher, with the id that its provider gave it.
pub(super) fn cipher(data: String, id: Option<&str>) -> String {
    match id {
        Some(id) => format!("{id}:{data}"),
        None => data,
    }
}

/// The thought that such data is of. Ciphers are in base64, which has no colon.
pub(super) fn hidden(data: String) -> Thought {
    let (id, data) = match data.split_once(':') {
        Some((id, data)) => (Some(id.to_owned()), data.to_owned()),
        None => (None, data),
    };
    Thought { hidden: Some(data), id, ..Thought::default() }
}
