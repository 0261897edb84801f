//! A provider's answer.
use crate::providers::chat::{Answer, Block, Choice, Content, Finish, Memo, Taking, Unreadable};
use crate::providers::gemini::fields::members;
use crate::providers::gemini::grounding::{Found, Sources};
use crate::providers::gemini::part::{Call, Kind, Part};
use crate::providers::gemini::ruler::Ruler;
use crate::providers::gemini::{finish, ids, logprobs, usage};
use serde_json::{Map, Value};

/// Reads a `GenerateContentResponse`.
///
/// Code that Google ran and calls of its own tools are [`Content::Other`]. A prompt that Google
/// blocks is answered by one choice that its filter ended.
///
/// # Errors
///
/// If the body has no member that such an answer has.
pub fn read_answer(mut body: Map<String, Value>, _: &Memo) -> Result<Answer, Unreadable> {
    let known = ["candidates", "promptFeedback", "usageMetadata", "responseId"];
    if !known.iter().any(|name| body.contains_key(*name)) {
        return Err(Unreadable("Gemini"));
    }
    let id = body.take_text("responseId");
    let place = id.clone().unwrap_or_default();
    let candidates = body.take_array("candidates").into_iter().filter_map(members);
    let mut choices: Vec<_> =
        candidates.enumerate().map(|(at, one)| choice(at, one, &place)).collect();
    choices.sort_by_key(|(index, _)| *index);
    let mut choices: Vec<_> = choices.into_iter().map(|(_, choice)| choice).collect();
    if choices.is_empty() {
        let finish = is_blocked(&body).then_some(Finish::Filter);
        choices.push(Choice { finish, ..Choice::default() });
    }
    let used = body.take_object("usageMetadata");
    let tier = used.as_ref().and_then(|used| used.get("serviceTier")?.as_str().map(str::to_owned));
    Ok(Answer {
        id,
        model: body.take_text("modelVersion"),
        created: None,
        choices,
        usage: used.map(usage::read),
        tier,
    })
}

/// Whether Google did not let the prompt pass.
pub(crate) fn is_blocked(body: &Map<String, Value>) -> bool {
    let reason = body.get("promptFeedback").and_then(|feedback| feedback.get("blockReason"));
    match reason {
        Some(Value::String(reason)) => !reason.is_empty() && reason != "BLOCK_REASON_UNSPECIFIED",
        Some(Value::Number(reason)) => reason.as_u64() != Some(0),
        _ => false,
    }
}

/// A candidate and its index: its own, or its place.
fn choice(at: usize, mut candidate: Map<String, Value>, place: &str) -> (u64, Choice) {
    let index = candidate.take_count("index").unwrap_or(at as u64);
    let mut content = candidate.take_object("content").unwrap_or_default();
    let parts = content.take_array("parts");
    let mut calls = 0;
    let mut blocks = Vec::with_capacity(parts.len());
    // The blocks of texts, by the parts that they are of.
    let mut texts = Vec::new();
    for (part, told) in parts.into_iter().enumerate() {
        let Value::Object(told) = told else { continue };
        if let Some(Part { kind: Kind::Call(call), signature, .. }) =
            Part::of(told).tell(&mut blocks)
        {
            blocks.push(called(call, signature, place, calls));
            calls += 1;
        }
        if matches!(blocks.last(), Some(Block { content: Content::Text(..), .. })) {
            texts.push((part, blocks.len() - 1));
        }
    }
    texts.dedup_by_key(|(_, block)| *block);
    let mut sources = Sources::default();
    if let Some(metadata) = candidate.take_object("groundingMetadata") {
        sources.ground(metadata);
    }
    if let Some(metadata) = candidate.take_object("citationMetadata") {
        sources.cite(metadata);
    }
    attach(sources, &texts, &mut blocks);
    let reason = candidate.take("finishReason").unwrap_or_default();
    let logprobs = candidate.take_object("logprobsResult").map(logprobs::read);
    (index, Choice { blocks, finish: finish::read(&reason, calls > 0), logprobs })
}

/// A call, under an id that carries the signature.
fn called(mut call: Call, signature: Option<String>, place: &str, number: usize) -> Block {
    let id = call.id.take().unwrap_or_else(|| ids::made(place, &call.name, &call.input, number));
    let id = ids::signed(id, signature.as_deref());
    Block::new(Content::ToolUse(call.into_use(id, signature)))
}

/// Hands the sources to the texts that they are of. A range is of its part's text or, as where
/// other parts come before the only text, of all texts together.
fn attach(sources: Sources, texts: &[(usize, usize)], blocks: &mut [Block]) {
    let rulers: Vec<_> = texts
        .iter()
        .map(|(_, block)| {
            Ruler::of(blocks.get(*block).and_then(Block::as_text).unwrap_or_default())
        })
        .collect();
    let mut ends = Vec::with_capacity(rulers.len());
    let mut end = 0_u64;
    for ruler in &rulers {
        end = end.saturating_add(ruler.bytes());
        ends.push(end);
    }
    for Found { part, mut citation } in sources.found {
        let (start, stop) = citation.range.unwrap_or_default();
        let own = texts.binary_search_by_key(&part, |(part, _)| *part).ok();
        let own = own.filter(|at| rulers.get(*at).is_some_and(|ruler| stop <= ruler.bytes()));
        // All of them after the last text, if they are of no text in particular.
        let after = || ends.partition_point(|end| *end <= start).min(ends.len().saturating_sub(1));
        let last = || citation.range.is_none().then(|| ends.len().saturating_sub(1));
        let text = last().or(own).unwrap_or_else(after);
        let before = match own {
            Some(_) => 0,
            None => text.checked_sub(1).and_then(|at| ends.get(at)).copied().unwrap_or(0),
        };
        let (Some(ruler), Some((_, block))) = (rulers.get(text), texts.get(text)) else { continue };
        citation.range = citation.range.map(|(start, stop)| {
            let at = |byte: u64| ruler.character(byte.saturating_sub(before));
            (at(start), at(stop))
        });
        if let Some(Content::Text(_, citations)) = blocks.get_mut(*block).map(|it| &mut it.content)
        {
            citations.push(citation);
        }
    }
}
