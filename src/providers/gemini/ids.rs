//! Ids of calls, and the signatures of thoughts that travel in them.
//!
//! Gemini wants the signature of a thought back together with the call that came of it. Clients of
//! other dialects send nothing back but a call's id, so the signature is a part of the id there:
//! `<id>__thought__<signature>`, as LiteLLM writes it.
use crate::providers::chat::split_proof;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const MARK: &str = "__thought__";
const MADE: &str = "call_";
/// Digits of a made id.
const DIGITS: usize = 28;

/// An id for a call that has none. Equal calls at equal places have equal ids.
pub(crate) fn made(place: &str, name: &str, arguments: &str, index: usize) -> String {
    let index = index.to_le_bytes();
    let words = [place.as_bytes(), name.as_bytes(), arguments.as_bytes(), &index];
    // FNV-1a of 128 bits: ids have to be told apart, not kept from being guessed.
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in words.into_iter().flat_map(|word| word.iter().chain(&[0xff])) {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    }
    format!("{MADE}{:0digits$x}", hash >> 16, digits = DIGITS)
}

/// The id with which other dialects are told of a call.
pub(crate) fn signed(id: String, signature: Option<&str>) -> String {
    match signature {
        Some(signature) => format!("{id}{MARK}{signature}"),
        None => id,
    }
}

/// An id without the signature, and that.
pub(crate) fn split(id: &str) -> (&str, Option<&str>) {
    split_proof(id)
}

/// Whether this proxy made the id, since Google gave none.
pub(crate) fn is_made(id: &str) -> bool {
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    id.strip_prefix(MADE).is_some_and(|rest| rest.len() == DIGITS && rest.bytes().all(is_hex))
}

/// Whether Google gave the id: `x8i00o1q` or `function-call-123`.
pub(crate) fn is_googles(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let is_short = (1..=16).contains(&id.len()) && id.bytes().all(is_plain);
    is_short || id.starts_with("function-call-")
}

/// What Google takes in place of the signature of a call that another model made.
pub(crate) const UNSIGNED: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// Whether a signature can be written for Google's clients, which decode it.
pub(crate) fn is_base64(signature: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let digits = signature.trim_end_matches('=');
    !digits.is_empty() && digits.len() % 4 != 1 && digits.bytes().all(is_digit)
}

/// Before a thought in another provider's cipher, which Google's clients carry as a signature.
const SEALED: &str = "sealed:";

/// A thought in another provider's cipher, with its id, as a signature.
pub(crate) fn sealed(cipher: &str, id: Option<&str>) -> String {
    STANDARD.encode(format!("{SEALED}{}:{cipher}", id.unwrap_or_default()))
}

/// The cipher in such a signature, and the thought's id.
pub(crate) fn unsealed(signature: &str) -> Option<(String, Option<String>)> {
    let bytes = STANDARD.decode(signature).ok()?;
    let told = String::from_utf8(bytes).ok()?;
    let (id, cipher) = told.strip_prefix(SEALED)?.split_once(':')?;
    Some((cipher.to_owned(), Some(id.to_owned()).filter(|id| !id.is_empty())))
}
