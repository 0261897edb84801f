//! What providers want back as it was, in members that clients keep without a look at them.
use crate::providers::chat::Thought;

/// Before a thought's signature, which Responses has no member for: it stands where a thought in
/// the provider's cipher does. No cipher has a colon.
const SIGNATURE: &str = "signature:";

/// Between a call's id and its signature, as LiteLLM has it.
const OF_CALL: &str = "__thought__";

/// A thought's `encrypted_content`.
pub(super) fn write_thought(thought: &mut Thought) -> Option<String> {
    let signature = thought.signature.take().map(|signature| write_signature(&signature));
    thought.hidden.take().or(signature)
}

/// A signature as an `encrypted_content`.
pub(super) fn write_signature(signature: &str) -> String {
    format!("{SIGNATURE}{signature}")
}

/// Puts an `encrypted_content` back to where it is from.
pub(super) fn read_thought(thought: &mut Thought, encrypted: Option<String>) {
    match encrypted {
        Some(sealed) if sealed.starts_with(SIGNATURE) => {
            thought.signature = sealed.strip_prefix(SIGNATURE).map(str::to_owned);
        }
        other => thought.hidden = other.filter(|hidden| !hidden.is_empty()),
    }
}

/// A call's id with its signature. Gemini's calls have it in their ids already.
pub(super) fn write_call(id: &str, signature: Option<&str>) -> String {
    match signature {
        Some(signature) if !id.contains(OF_CALL) => format!("{id}{OF_CALL}{signature}"),
        _ => id.to_owned(),
    }
}

/// A call's id and its signature.
pub(super) fn read_call(mut id: String) -> (String, Option<String>) {
    let Some(at) = id.find(OF_CALL) else { return (id, None) };
    let signature = id.split_off(at).strip_prefix(OF_CALL).map(str::to_owned);
    (id, signature.filter(|it| !it.is_empty()))
}
