//! The query of a realtime call: it names the model, and goes upstream with the provider's name.
use crate::providers::Problem;
use bartizan_layers::query::{Parameter, decoded, parameters, without};
use std::fmt::Write as _;

/// Parameters that would send the call elsewhere, or that could hold somebody's key.
const NEVER: [&str; 7] =
    ["key", "api-key", "api_key", "api_base", "base_url", "api_version", "api-version"];

/// What the query asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// `model`, or Azure's `deployment`.
    pub(super) model: Option<Box<str>>,
    /// `intent=transcription`: nothing is answered, only written down.
    pub(super) transcribes: bool,
}

impl Asked {
    /// Reads `query`.
    ///
    /// # Errors
    /// A model that is no text, or that stands there more than once.
    pub(super) fn of(query: Option<&str>) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for Parameter { name, value, .. } in parameters(query.unwrap_or_default()) {
            asked.transcribes |= name == "intent" && value == "transcription";
            if !is_model(name) || value.is_empty() {
                continue;
            }
            let bad = |words: &str| {
                Problem::bad_request(format!("/realtime: `model` in the query {words}."))
            };
            let model = decoded(value).ok_or_else(|| bad("is not valid"))?;
            if asked.model.replace(model.into()).is_some() {
                return Err(bad("stands more than once").param("model"));
            }
        }
        Ok(asked)
    }
}

/// The query for an upstream that calls the model `model`; `None` asks it for its own choice.
pub(super) fn outgoing(query: Option<&str>, model: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(model) = model {
        out += "model=";
        encode(&mut out, model);
    }
    let rest = without(query.unwrap_or_default(), |it| {
        let name = decoded(it.name).unwrap_or_default().to_ascii_lowercase();
        it.whole.is_empty() || is_model(&name) || NEVER.contains(&&*name)
    });
    if !out.is_empty() && !rest.is_empty() {
        out.push('&');
    }
    out + &rest
}

fn is_model(name: &str) -> bool {
    matches!(name, "model" | "deployment")
}

/// Percent-encodes what has a meaning in a query, and what cannot stand there (RFC 3986, 3.4).
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("strings take everything");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, encode, outgoing};
    use bartizan_layers::query::decoded;
    use proptest::prelude::*;

    #[test]
    fn the_model_is_read_from_the_query() {
        let model = |query| Asked::of(Some(query)).unwrap().model;
        assert_eq!(model("model=gpt-realtime").as_deref(), Some("gpt-realtime"));
        assert_eq!(model("a=b&deployment=my%20gpt&c").as_deref(), Some("my gpt"));
        assert_eq!(model("intent=transcription"), None);
        assert_eq!(model("model="), None);
        assert!(Asked::of(Some("intent=transcription")).unwrap().transcribes);
        assert!(!Asked::of(None).unwrap().transcribes);
        for bad in ["model=a&model=b", "model=a&deployment=a", "model=%ff", "model=%0a"] {
            assert!(Asked::of(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_upstream_reads_its_own_name_and_no_key() {
        let query =
            "api-version=2025&deployment=fast&intent=x&api-key=sk-1&Key=sk&%6bey=sk&call_id=r";
        assert_eq!(
            outgoing(Some(query), Some("gpt-4o & co")),
            "model=gpt-4o%20%26%20co&intent=x&call_id=r"
        );
        assert_eq!(outgoing(Some("intent=transcription"), None), "intent=transcription");
        assert_eq!(outgoing(None, None), "");
    }

    proptest! {
        #[test]
        fn what_is_encoded_can_be_read_again(text in "[^\\p{Cc}]{0,20}") {
            let mut out = String::new();
            encode(&mut out, &text);
            prop_assert_eq!(decoded(&out), Some(text));
        }
    }
}
