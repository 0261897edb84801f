//! What most of a stream is: pieces of text, and calls. They are read without a tree of values.
use crate::providers::chat::read;
use crate::providers::gemini::part::Call;
use crate::providers::gemini::usage::Told;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Map;
use std::borrow::Cow;

/// A response that has nothing but texts, thoughts, calls and usage.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    pub(super) candidates: Vec<Candidate<'a>>,
    #[serde(borrow)]
    pub(super) usage_metadata: Option<Told<'a>>,
    pub(super) response_id: Option<&'a str>,
    pub(super) model_version: Option<&'a str>,
    // With these it is not plain.
    error: Option<IgnoredAny>,
    prompt_feedback: Option<IgnoredAny>,
}

/// A candidate of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    pub(super) index: Option<u32>,
    pub(super) finish_reason: Option<&'a str>,
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    grounding_metadata: Option<IgnoredAny>,
    citation_metadata: Option<IgnoredAny>,
    logprobs_result: Option<IgnoredAny>,
}

/// What it says.
#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default)]
    pub(super) parts: Vec<Part<'a>>,
}

/// A part of that. One with other members is not plain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Cow<'a, str>,
    #[serde(default)]
    pub(super) thought: bool,
    #[serde(default, deserialize_with = "call")]
    pub(super) function_call: Option<Call>,
    pub(super) thought_signature: Option<String>,
}

impl Part<'_> {
    /// Whether it is a text without a proof, or a call and no more.
    fn is_plain(&self) -> bool {
        match self.function_call {
            Some(_) => self.text.is_empty() && !self.thought,
            None => self.thought_signature.is_none(),
        }
    }
}

/// The arguments of a call are any object.
fn call<'de, D: Deserializer<'de>>(told: D) -> Result<Option<Call>, D::Error> {
    let call = Call::of(Map::deserialize(told)?);
    call.map(Some).ok_or_else(|| D::Error::custom("it is no call"))
}

/// The response, if it is plain.
pub(super) fn plain(data: &[u8]) -> Option<Chunk<'_>> {
    let chunk: Chunk<'_> = read(data).ok()?;
    let has_more = |candidate: &Candidate<'_>| {
        candidate.grounding_metadata.is_some()
            || candidate.citation_metadata.is_some()
            || candidate.logprobs_result.is_some()
            || !candidate.content.iter().flat_map(|it| &it.parts).all(Part::is_plain)
    };
    let none = chunk.error.is_none() && chunk.prompt_feedback.is_none();
    (none && !chunk.candidates.iter().any(has_more)).then_some(chunk)
}
