//! Proofs of thoughts: providers want their own ones back, and refuse those of others.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Between the id of a call and the proof of the thought behind it, as LiteLLM writes it for
/// clients that send nothing back but the id.
const MARK: &str = "__thought__";

/// How what OpenAI ciphers begins.
const OPENAIS: &str = "gAAAA";

/// The id of a call without the proof in it, and that.
#[must_use]
pub fn split_proof(id: &str) -> (&str, Option<&str>) {
    id.split_once(MARK).map_or((id, None), |(id, proof)| (id, Some(proof)))
}

/// The same of an id that is one's own.
#[must_use]
pub fn unsigned_id(id: String) -> (String, Option<String>) {
    match split_proof(&id) {
        (own, Some(proof)) => (own.to_owned(), Some(proof.to_owned())),
        (_, None) => (id, None),
    }
}

/// The id of a call with its proof. Gemini's calls have it in their ids already.
#[must_use]
pub fn signed_id(id: String, proof: Option<&str>) -> String {
    match proof {
        Some(proof) if !id.contains(MARK) => id + MARK + proof,
        _ => id,
    }
}

/// Whether a thought's cipher is OpenAI's.
#[must_use]
pub fn is_of_openai(cipher: &str) -> bool {
    cipher.starts_with(OPENAIS)
}

/// Whether a thought's signature is Google's. It refuses those of other providers.
///
/// Inside of up to two messages of protobuf, which may start with the number 1, Google's are
/// ciphertexts of Tink: these start with a 1. Others start with other numbers.
#[must_use]
pub fn is_of_google(signature: &str) -> bool {
    if is_sentinel(signature) {
        return true;
    }
    let head: String = signature.chars().take(32).collect();
    let whole = standard_base64(head);
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

/// Base64 in the alphabet of RFC 4648, 4: Google's clients send that of URLs, which others do not
/// take.
#[must_use]
pub fn standard_base64(signature: String) -> String {
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

/// What Google takes in place of a proof, as clients may write it.
fn is_sentinel(signature: &str) -> bool {
    matches!(signature, "skip_thought_signature_validator" | "context_engineering_is_the_way_to_go")
}
