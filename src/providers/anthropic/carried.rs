//! What other providers want to see again, and this dialect has no member for, is carried in
//! members that clients repeat unread: thoughts in cipher, and ids of tool calls
//! ([`signed_id`](crate::providers::chat::signed_id)).
use crate::providers::chat::Thought;

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
