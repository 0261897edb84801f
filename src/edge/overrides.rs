//! What a request says itself of its retries and fallbacks, and of failures to rehearse: LiteLLM's
//! own members and headers (contract 2.7, 3.3).
use super::asked::{Asked, Field};
use crate::config::Members;
use crate::providers::{Operation, Problem};
use crate::router::Rehearsal;
use bartizan_layers::facts::Cause;
use bartizan_layers::fallback::{FallbackOverride, Target};
use bartizan_layers::retry::RetryOverride;
use bartizan_layers::wire::scan::Value;
use bytes::Bytes;
use http::{HeaderMap, request};
use std::sync::Arc;

/// What is no parameter for a fallback's group: its name, where it is, and the form of the answer.
const NO_PARAMS: [&[u8]; 6] =
    [b"model", b"api_key", b"api_base", b"base_url", b"api_version", b"stream"];

/// So many groups a request may name: it must not become any number of calls.
const MOST: usize = 16;
/// As many retries it may ask for, in each group; of more it gets so many.
const MOST_RETRIES: u32 = 20;
const NUM_RETRIES: &str = "x-litellm-num-retries";

impl Asked<'_> {
    /// Leaves what the request says among its facts.
    pub(super) fn overrides(
        &self,
        operation: &Operation,
        parts: &mut request::Parts,
    ) -> Result<(), Problem> {
        if let Some(retries) = of_header(&parts.headers) {
            parts.extensions.insert(asked(retries));
        }
        // Elsewhere these names may mean something to the provider.
        if !operation.strips_litellm_fields() {
            return Ok(());
        }
        if let Some(value) = self.told(Field::NumRetries)? {
            let retries = value.as_u64();
            let retries = retries.ok_or_else(|| wrong(Field::NumRetries, "a whole number"))?;
            parts.extensions.insert(asked(retries));
        }
        if let Some(asked) = self.fallbacks()? {
            parts.extensions.insert(asked);
        }
        for (field, cause) in REHEARSALS {
            if self.told(field)?.and_then(|value| value.as_bool()) == Some(true) {
                parts.extensions.insert(Rehearsal(cause));
            }
        }
        Ok(())
    }

    fn fallbacks(&self) -> Result<Option<FallbackOverride>, Problem> {
        let list = |field| self.told(field)?.map(|value| targets(field, value)).transpose();
        let disabled = self.told(Field::DisableFallbacks)?.and_then(|value| value.as_bool());
        let asked = FallbackOverride {
            general: list(Field::Fallbacks)?,
            context: list(Field::ContextWindowFallbacks)?,
            content: list(Field::ContentPolicyFallbacks)?,
            disabled: disabled == Some(true),
        };
        let lists = [&asked.general, &asked.context, &asked.content];
        let says = asked.disabled || lists.iter().any(|list| list.is_some());
        Ok(says.then_some(asked))
    }

    /// The value of `field`, where there is one that says something.
    fn told(&self, field: Field) -> Result<Option<Value<'_>>, Problem> {
        Ok(self.get(field)?.filter(|value| !value.is_null()))
    }
}

const REHEARSALS: [(Field, Cause); 5] = [
    (Field::MockTestingFallbacks, Cause::Outage),
    (Field::MockTestingContextFallbacks, Cause::ContextTooLong),
    (Field::MockTestingContentPolicyFallbacks, Cause::ContentFilter),
    (Field::MockTestingRateLimitError, Cause::RateLimit),
    (Field::MockTimeout, Cause::Timeout),
];

fn of_header(headers: &HeaderMap) -> Option<u64> {
    headers.get(NUM_RETRIES)?.to_str().ok()?.trim().parse().ok()
}

fn asked(retries: u64) -> RetryOverride {
    RetryOverride(u32::try_from(retries).map_or(MOST_RETRIES, |retries| retries.min(MOST_RETRIES)))
}

fn wrong(field: Field, kind: &str) -> Problem {
    let name = field.name();
    Problem::bad_request(format!("`{name}` in the request must be {kind}.")).param(name)
}

/// Names of groups, maps with parameters for a group, or LiteLLM's `[{"asked": ["instead"]}]`.
fn targets(field: Field, list: Value<'_>) -> Result<Arc<[Target]>, Problem> {
    let refused = || wrong(field, "a list of model names, or of maps with a `model`");
    if !list.is_array() {
        return Err(refused());
    }
    let mut targets = Vec::new();
    for element in list.elements() {
        if let Some(name) = element.as_str() {
            targets.push(Target::new(name.as_ref()));
        } else if let Some(name) = element.get("model").and_then(|model| model.as_str()) {
            targets.push(Target::new(name.as_ref()).with_params(params(element)));
        } else if element.is_object() {
            let lists = element.members().map(|(_, list)| list);
            let names = lists.flat_map(|list| list.elements().collect::<Vec<_>>());
            targets.extend(names.filter_map(|name| Some(Target::new(name.as_str()?.as_ref()))));
        } else {
            return Err(refused());
        }
    }
    if targets.len() > MOST {
        return Err(wrong(field, "a list of at most 16 models"));
    }
    Ok(targets.into())
}

/// What the request gets for a group besides its name.
fn params(map: Value<'_>) -> Members {
    let members = map.members().filter(|(name, _)| !NO_PARAMS.contains(&name.as_ref()));
    let texts = members.filter_map(|(name, value)| {
        let name = String::from_utf8(name.into_owned()).ok()?;
        Some((name, Bytes::copy_from_slice(value.raw())))
    });
    Members(texts.collect())
}
