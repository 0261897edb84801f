//! Ids of calls, and the signatures of thoughts that travel in them.
//!
//! Gemini wants the signature of a thought back together with the call that came of it. Clients of
//! other dialects send nothing back but a call's id, so the signature is a part of the id there:
//! `<id>__thought__<signature>`, as LiteLLM writes it.
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
    id.split_once(MARK).map_or((id, None), |(id, signature)| (id, Some(signature)))
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

/// A signature in the alphabet of RFC 4648, 4: Google's clients send that of URLs, which other
/// providers do not take back.
pub(crate) fn standard(signature: String) -> String {
    if !signature.bytes().any(|byte| matches!(byte, b'-' | b'_')) || is_sentinel(&signature) {
        return signature;
    }
    let mut bytes = signature.into_bytes();
    for byte in &mut bytes {
        *byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            _ => *byte,
        };
    }
    let mut standard = String::from_utf8(bytes).unwrap_or_default();
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    standard
}

/// What Google takes in place of the signature of a call that another model made.
pub(crate) const UNSIGNED: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// Clients may write those words without base64.
fn is_sentinel(signature: &str) -> bool {
    matches!(signature, "skip_thought_signature_validator" | "context_engineering_is_the_way_to_go")
}

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

/// Whether a thought's signature is Google's. It refuses those of other providers.
///
/// Inside of up to two messages of protobuf, which may start with the number 1, Google's are
/// ciphertexts of Tink: these start with a 1. Others start with other numbers.
pub(crate) fn is_of_google(signature: &str) -> bool {
    if is_sentinel(signature) {
        return true;
    }
    let head: String = signature.chars().take(32).collect();
    let whole = standard(head);
    let length = whole.trim_end_matches('=').len() / 4 * 4;
    let Some(Ok(bytes)) = whole.get(..length).map(|digits| STANDARD.decode(digits)) else {
        return false;
    };
    let mut rest = bytes.as_slice();
    for _ in 0..5 {
        rest = match rest {
            [0x01, ..] => return true,
            [0x08, 0x01, more @ ..] => more,
            [0x0a | 0x12, more @ ..] => {
                let digits = more.iter().take_while(|byte| **byte >= 0x80).count();
                more.get(digits + 1..).unwrap_or_default()
            }
            _ => return false,
        };
    }
    false
}
