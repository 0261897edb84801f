//! `usageMetadata`.
use super::fields::members;
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What an answer tells of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Told<'a> {
    prompt_token_count: i64,
    candidates_token_count: i64,
    thoughts_token_count: i64,
    cached_content_token_count: i64,
    tool_use_prompt_token_count: i64,
    total_token_count: i64,
    #[serde(borrow)]
    prompt_tokens_details: Vec<Detail<'a>>,
    #[serde(borrow)]
    tool_use_prompt_tokens_details: Vec<Detail<'a>>,
    #[serde(borrow)]
    cache_tokens_details: Vec<Detail<'a>>,
    #[serde(borrow)]
    candidates_tokens_details: Vec<Detail<'a>>,
}

/// Tokens of one kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail<'a> {
    #[serde(borrow)]
    modality: Cow<'a, str>,
    token_count: i64,
}

/// What was used. What is no number is none.
pub(crate) fn read(mut usage: Map<String, Value>) -> Usage {
    let mut count = |name| whole(usage.take_count(name));
    let mut told = Told {
        prompt_token_count: count("promptTokenCount"),
        candidates_token_count: count("candidatesTokenCount"),
        thoughts_token_count: count("thoughtsTokenCount"),
        cached_content_token_count: count("cachedContentTokenCount"),
        tool_use_prompt_token_count: count("toolUsePromptTokenCount"),
        total_token_count: count("totalTokenCount"),
        ..Told::default()
    };
    let mut details = |name| usage.take_array(name).into_iter().filter_map(detail).collect();
    told.prompt_tokens_details = details("promptTokensDetails");
    told.tool_use_prompt_tokens_details = details("toolUsePromptTokensDetails");
    told.cache_tokens_details = details("cacheTokensDetails");
    told.candidates_tokens_details = details("candidatesTokensDetails");
    told.usage()
}

fn whole(count: Option<u64>) -> i64 {
    i64::try_from(count.unwrap_or(0)).unwrap_or(i64::MAX)
}

fn detail(told: Value) -> Option<Detail<'static>> {
    let mut told = members(told)?;
    let modality = match told.take("modality")? {
        Value::String(kind) => kind.into(),
        // With `$alt=json;enum-encoding=int`.
        kind => match kind.as_u64()? {
            2 => "IMAGE".into(),
            4 => "AUDIO".into(),
            _ => return None,
        },
    };
    Some(Detail { modality, token_count: whole(told.take_count("tokenCount")) })
}

impl Told<'_> {
    /// What was used.
    pub(crate) fn usage(&self) -> Usage {
        let input = self.prompt_token_count.saturating_add(self.tool_use_prompt_token_count);
        let (candidates, thoughts) = (self.candidates_token_count, self.thoughts_token_count);
        // Thoughts are not among the candidates' tokens, unless the total says so.
        let total = input.saturating_add(candidates);
        let counted = thoughts <= candidates && self.total_token_count == total;
        let output = if counted { candidates } else { candidates.saturating_add(thoughts) };
        let prompt = [&self.prompt_tokens_details, &self.tool_use_prompt_tokens_details];
        // A token has one price: what the cache gave is not counted as audio again.
        let fresh = |kind| {
            let sum = prompt.iter().fold(0_i64, |sum, told| sum.saturating_add(of(told, kind)));
            sum.saturating_sub(of(&self.cache_tokens_details, kind)).max(0)
        };
        Usage::tokens(input, output)
            .with(Unit::CacheRead, self.cached_content_token_count)
            .with(Unit::Reasoning, thoughts)
            .with(Unit::AudioInput, fresh("AUDIO"))
            .with(Unit::ImageInput, fresh("IMAGE"))
            .with(Unit::AudioOutput, of(&self.candidates_tokens_details, "AUDIO"))
            .with(Unit::ImageOutput, of(&self.candidates_tokens_details, "IMAGE"))
    }
}

/// The tokens of one kind.
fn of(details: &[Detail<'_>], kind: &str) -> i64 {
    let own = details.iter().filter(|detail| detail.modality == kind);
    own.fold(0, |sum, detail| sum.saturating_add(detail.token_count.max(0)))
}

/// The member `usageMetadata` of an answer.
pub(crate) fn write(usage: &Usage, tier: Option<&str>) -> Value {
    let thoughts = usage[Unit::Reasoning];
    let candidates = usage[Unit::Output].saturating_sub(thoughts).max(0);
    let mut written = json!({
        "promptTokenCount": usage[Unit::Input],
        "candidatesTokenCount": candidates,
        "totalTokenCount": usage.total(),
    });
    let Some(members) = written.as_object_mut() else { return written };
    let parts =
        [("thoughtsTokenCount", thoughts), ("cachedContentTokenCount", usage[Unit::CacheRead])];
    for (name, count) in parts {
        if count > 0 {
            members.insert(name.to_owned(), count.into());
        }
    }
    let prompt = (usage[Unit::Input], usage[Unit::AudioInput], usage[Unit::ImageInput]);
    let answer = (candidates, usage[Unit::AudioOutput], usage[Unit::ImageOutput]);
    for (name, counts) in [("promptTokensDetails", prompt), ("candidatesTokensDetails", answer)] {
        if counts.1 > 0 || counts.2 > 0 {
            members.insert(name.to_owned(), details(counts));
        }
    }
    // OpenAI and Anthropic have words of their own besides.
    let tier = match tier {
        Some("default" | "on_demand") => Some("standard"),
        Some(tier @ ("standard" | "flex" | "priority")) => Some(tier),
        _ => None,
    };
    if let Some(tier) = tier {
        members.insert("serviceTier".to_owned(), tier.into());
    }
    written
}

/// All tokens, those of audio and those of images.
fn details((all, audio, image): (i64, i64, i64)) -> Value {
    let text = all.saturating_sub(audio).saturating_sub(image);
    let kinds = [("TEXT", text), ("AUDIO", audio), ("IMAGE", image)];
    let told = kinds.into_iter().filter(|(_, count)| *count > 0);
    told.map(|(kind, count)| json!({"modality": kind, "tokenCount": count})).collect()
}
