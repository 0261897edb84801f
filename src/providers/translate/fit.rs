//! What becomes of what a provider cannot take.
use super::Protocol;
use crate::config::Fit;
use crate::providers::chat::{Lost, Malformed};
use serde_json::{Map, Value, json};

/// OpenAI's own members of a chat completion that say nothing of the answer's content.
const HINTS: [&str; 10] = [
    "store",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
    "prediction",
    "verbosity",
    "functions",
    "function_call",
];

/// OpenAI's own members of a chat completion that the answer depends on.
const PARTS: [&str; 5] = ["modalities", "audio", "web_search_options", "echo", "suffix"];

/// Deals with members that no one knew: of OpenAI's clients those that are not OpenAI's go on as
/// they are (contract 10.1); all others are lost.
pub(super) fn pass(
    rest: Map<String, Value>,
    client: Protocol,
    body: &mut Map<String, Value>,
    lost: &mut Lost,
) {
    for (name, value) in rest {
        let part = PARTS.contains(&&*name);
        let plain = name == "modalities" && value == json!(["text"]);
        if value.is_null() || plain {
            continue;
        }
        if is_chat(client) && !part && !HINTS.contains(&&*name) {
            body.insert(name, value);
        } else if part || name == "mcp_servers" {
            lost.part(name);
        } else {
            lost.hint(name);
        }
    }
}

/// Whether the client speaks a dialect in which LiteLLM refuses what a provider lacks.
const fn is_chat(client: Protocol) -> bool {
    matches!(client, Protocol::Chat | Protocol::Completions | Protocol::Embeddings)
}

impl Fit {
    /// Whether what is lost may be.
    ///
    /// # Errors
    /// When the answer depends on it, and the client does not want to go without.
    pub fn judge(
        &self,
        lost: &Lost,
        client: Protocol,
        provider: &str,
        model: &str,
    ) -> Result<(), Malformed> {
        if lost.parts.is_empty() || self.drop.unwrap_or(!is_chat(client)) {
            return Ok(());
        }
        let names: Vec<&str> = lost.parts.iter().map(AsRef::as_ref).collect();
        let message = format!(
            "litellm.UnsupportedParamsError: {provider} does not support parameters: {names:?}, \
             for model={model}. To leave them out, set `litellm_settings: drop_params: true`, or \
             `drop_params: true` in the request. To send them all the same, name them in \
             `allowed_openai_params`."
        );
        Err(Malformed::new(names.first().copied().unwrap_or_default(), message))
    }
}
