//! What most of a stream is: pieces of text. They are read without a tree of values.
use crate::providers::gemini::usage::Told;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// A response that has nothing but texts, thoughts and usage.
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
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
    #[serde(default)]
    pub(super) thought: bool,
}

/// The response, if it is plain.
pub(super) fn plain(data: &[u8]) -> Option<Chunk<'_>> {
    let chunk: Chunk<'_> = serde_json::from_slice(data).ok()?;
    let has_more = |candidate: &Candidate<'_>| {
        candidate.grounding_metadata.is_some()
            || candidate.citation_metadata.is_some()
            || candidate.logprobs_result.is_some()
    };
    let none = chunk.error.is_none() && chunk.prompt_feedback.is_none();
    (none && !chunk.candidates.iter().any(has_more)).then_some(chunk)
}
