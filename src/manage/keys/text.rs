//! A key's text, and what it is found by.
use crate::manage::Refusal;
use bartizan_layers::auth::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use rustix::rand::{GetRandomFlags, getrandom};

/// The longest text in bytes: servers and clients bound the lines that keys stand in.
const LONGEST: usize = 1024;

/// The id of a key: the digest of its text. What does not begin like a key is taken for its id.
pub(super) fn id_of(told: &str) -> String {
    if !told.starts_with("sk-") {
        return told.to_owned();
    }
    digest(told.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text that was chosen for a key, or a new one where none was.
///
/// # Errors
///
/// If no client could send it.
pub(super) fn chosen(text: Option<&str>) -> Result<String, Refusal> {
    let Some(text) = text else { return random() };
    let refused = |message: String| Err(Refusal::bad_request(message).param("key"));
    if !text.starts_with("sk-") {
        // LiteLLM's words; the text itself may be a secret of something else.
        return refused(
            "Invalid key format. LiteLLM Virtual Key must start with 'sk-'.".to_owned(),
        );
    }
    if text.len() > LONGEST {
        return refused(format!("A key cannot be longer than {LONGEST} bytes."));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "A key can have letters, digits and signs of ASCII only, and no blanks.";
        return refused(message.to_owned());
    }
    Ok(text.to_owned())
}

/// What may be shown of a key.
pub(super) fn name_of(text: &str) -> String {
    let last = text.len().saturating_sub(4);
    format!("sk-...{}", text.get(last..).unwrap_or_default())
}

/// 128 random bits of the operating system, as LiteLLM writes them.
fn random() -> Result<String, Refusal> {
    let mut bits = [0; 16];
    let filled = getrandom(&mut bits, GetRandomFlags::empty());
    if filled.is_ok_and(|bytes| bytes == bits.len()) {
        return Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bits)));
    }
    Err(Refusal::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_server_error",
        "The system gives no random bits.",
    ))
}

#[cfg(test)]
mod tests {
    use super::{chosen, id_of, name_of, random};

    #[test]
    fn a_key_is_found_by_its_text_and_by_its_digest() {
        let id = id_of("sk-1234");
        assert_eq!(id, "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b");
        assert_eq!(id_of(&id), id);
    }

    #[test]
    fn new_texts_differ_and_are_named_by_their_last_letters() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), chosen(Some(&one)).unwrap()), (25, one.clone()));
        assert!(one.ends_with(name_of(&one).strip_prefix("sk-...").unwrap()));
    }

    #[test]
    fn what_no_header_can_carry_is_no_key() {
        let long = format!("sk-{}", "a".repeat(1100));
        for text in ["", "key", "sk-a b", "sk-\r\nx: y", "sk-\0", "sk-é", "SK-1", &long] {
            assert!(chosen(Some(text)).is_err(), "{text:?}");
        }
        for text in ["sk-1", "sk-../..", "sk-a/b/c", "sk-';DROP/**/TABLE/**/things;--", "sk-%"] {
            assert!(chosen(Some(text)).is_ok(), "{text:?}");
        }
    }
}
