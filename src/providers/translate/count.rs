//! How many tokens a prompt has, asked of a provider in its own words.
use super::Protocol;
use super::words::{request, written};
use crate::data;
use crate::providers::Operation;
use crate::providers::chat::{Lost, Malformed, Request, Taking, Target, Written, object, parsed};
use crate::providers::vertex::{self, Action, Place};
use bartizan_layers::query::encoded;
use bytes::Bytes;
use http::Uri;
use serde_json::{Map, Value, json};

/// The members of a request that Anthropic counts.
const COUNTED: [&str; 8] = [
    "model",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "mcp_servers",
    "output_config",
];

/// The members of a request that Bedrock counts.
const COUNTED_BY_AWS: [&str; 4] =
    ["messages", "system", "toolConfig", "additionalModelRequestFields"];

/// A request to count tokens, in its provider's words.
#[derive(Debug)]
pub struct Count {
    /// The path below the provider's base URL.
    pub path: Uri,
    /// The body.
    pub body: Bytes,
    /// Headers that it needs.
    pub headers: Vec<(&'static str, String)>,
}

impl Protocol {
    /// Whether providers that speak this count tokens.
    #[must_use]
    pub const fn counts_tokens(self) -> bool {
        matches!(self, Self::Messages | Self::Gemini | Self::Converse)
    }

    /// Writes what asks `target`, which speaks this, how many tokens the prompt has that stands in
    /// the `body` of an `operation`.
    ///
    /// # Errors
    /// When the body is not what its dialect says, or the provider cannot be asked this.
    pub fn count(
        self,
        operation: &Operation,
        body: &[u8],
        target: &Target<'_>,
    ) -> Result<Count, Malformed> {
        let no_object = || Malformed::new("request_body", "It must be a JSON object.");
        let asked = prompt(operation, parsed(body).ok_or_else(no_object)?)?;
        let Written { mut body, headers, .. } = written(self, asked, target, &mut Lost::default())?;
        let model = target.model;
        let place = target.is_in_googles_cloud().then(|| Place::of(model));
        let path = match (self, place) {
            (Self::Gemini, Some(_)) => {
                vertex::count_gemini(&mut body);
                None
            }
            (Self::Gemini, None) => {
                body.insert("model".to_owned(), format!("models/{model}").into());
                body = Map::from_iter([("generateContentRequest".to_owned(), body.into())]);
                Some(format!("/models/{model}:countTokens"))
            }
            (Self::Converse, _) => {
                body.retain(|name, _| COUNTED_BY_AWS.contains(&name.as_str()));
                body = Map::from_iter([("input".to_owned(), object([("converse", body.into())]))]);
                let model = encoded(data::foundation(model));
                Some(format!("/model/{model}/count-tokens"))
            }
            (_, place) => {
                body.retain(|name, _| COUNTED.contains(&name.as_str()));
                if let Some(place) = place {
                    vertex::count_claude(&mut body, place.name);
                }
                Some("/messages/count_tokens".to_owned())
            }
        };
        let path = place.and_then(|place| place.path(Action::Count)).or(path);
        let path = Uri::try_from(path.unwrap_or_default());
        let path = path.map_err(|_| Malformed::new("model", "It cannot stand in a path."))?;
        let body = serde_json::to_vec(&body).expect("JSON in memory is written").into();
        Ok(Count { path, body, headers })
    }

    /// The number in a provider's answer.
    #[must_use]
    pub fn counted(self, answer: &[u8]) -> Option<i64> {
        let name = match self {
            Self::Gemini => "totalTokens",
            Self::Converse => "inputTokens",
            _ => "input_tokens",
        };
        parsed(answer)?.get(name)?.as_i64()
    }
}

/// The prompt whose tokens are to be counted.
fn prompt(operation: &Operation, mut body: Map<String, Value>) -> Result<Request, Malformed> {
    match operation {
        Operation::Gemini(_) => {
            let whole = body.take_object("generateContentRequest");
            request(Protocol::Gemini, whole.unwrap_or(body))
        }
        Operation::CountTokens => message(body),
        // LiteLLM's path takes the words of all three.
        _ if body.contains_key("contents") => request(Protocol::Gemini, body),
        _ if body.contains_key("system") => message(body),
        _ => {
            if let Some(text) = body.take("prompt") {
                let said = json!([{"role": "user", "content": text}]);
                body.entry("messages").or_insert(said);
            }
            request(Protocol::Chat, body)
        }
    }
}

/// A prompt in Anthropic's words, where an answer has a bound, and a count none.
fn message(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    body.insert("max_tokens".to_owned(), 1.into());
    request(Protocol::Messages, body)
}
