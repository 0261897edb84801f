//! The providers' usage reports, in their own field names.
use super::Wire;
use crate::{
    facts::Usage,
    wire::scan::{Value, tail_leaves, value},
};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What the reports so far said. A field that a later report leaves out keeps its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    input: Option<i64>,
    output: Option<i64>,
    /// Both together: all that servers of reranking and of some embeddings count.
    total: Option<i64>,
    cache_read: Option<i64>,
    cache_write: Option<i64>,
    reasoning: Option<i64>,
    audio_input: Option<i64>,
    audio_output: Option<i64>,
    /// Anthropic counts what the cache gave or took beside `input`, not in it.
    cache_beside: bool,
    /// Gemini counts thoughts beside `output`, not in it.
    reasoning_beside: bool,
}

impl Report {
    /// Takes in one usage object.
    pub(super) fn merge(&mut self, wire: Wire, usage: Value<'_>) {
        self.of(wire);
        usage.leaves(|within, key, value| self.take(within, key, value));
    }

    fn of(&mut self, wire: Wire) {
        self.cache_beside = wire == Wire::Messages;
        self.reasoning_beside = wire == Wire::Gemini;
    }

    /// Takes in one member of a usage object, or of the object `within` it.
    fn take(&mut self, within: &[u8], key: &[u8], value: Value<'_>) {
        let field = match (within, key) {
            (b"", b"promptTokensDetails") => {
                return put(&mut self.audio_input, modality(value));
            }
            (b"", b"candidatesTokensDetails") => {
                return put(&mut self.audio_output, modality(value));
            }
            (b"", _) => self.field(key),
            (b"input_tokens_details" | b"prompt_tokens_details", _)
            // The realtime API's spelling.
            | (b"input_token_details", _) => self.input_detail(key),
            (b"output_tokens_details" | b"completion_tokens_details", _)
            | (b"output_token_details", _) => self.output_detail(key),
            _ => None,
        };
        if let Some(field) = field {
            put(field, tokens(value));
        }
    }

    /// The sum, once a report named anything.
    pub(super) fn usage(&self) -> Option<Usage> {
        let input = match (self.input, self.output) {
            (None, None) => self.total?,
            (input, _) => input.unwrap_or(0),
        };
        let cache_read = self.cache_read.unwrap_or(0);
        let cache_write = self.cache_write.unwrap_or(0);
        let reasoning = self.reasoning.unwrap_or(0);
        let input_beside = if self.cache_beside { cache_read + cache_write } else { 0 };
        let output_beside = if self.reasoning_beside { reasoning } else { 0 };
        Some(Usage {
            input: input + input_beside,
            output: self.output.unwrap_or(0) + output_beside,
            cache_read,
            cache_write,
            reasoning,
            audio_input: self.audio_input.unwrap_or(0),
            audio_output: self.audio_output.unwrap_or(0),
        })
    }

    fn field(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        Some(match key {
            b"prompt_tokens" | b"input_tokens" | b"promptTokenCount" => &mut self.input,
            b"completion_tokens" | b"output_tokens" | b"candidatesTokenCount" => &mut self.output,
            b"total_tokens" if self.input.or(self.output).is_none() => &mut self.total,
            b"prompt_cache_hit_tokens"
            | b"cache_read_input_tokens"
            | b"cachedContentTokenCount" => &mut self.cache_read,
            b"cache_creation_input_tokens" => &mut self.cache_write,
            b"thoughtsTokenCount" => &mut self.reasoning,
            _ => return None,
        })
    }

    fn input_detail(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        Some(match key {
            b"cached_tokens" => &mut self.cache_read,
            b"cache_creation_tokens" | b"cache_write_tokens" => &mut self.cache_write,
            b"audio_tokens" => &mut self.audio_input,
            _ => return None,
        })
    }

    fn output_detail(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        Some(match key {
            b"reasoning_tokens" => &mut self.reasoning,
            b"audio_tokens" => &mut self.audio_output,
            _ => return None,
        })
    }
}

/// The usage in a whole JSON answer of `wire`; `None` when it reports none. Reads the top level
/// only: prompts and answers are skipped, not parsed.
#[must_use]
pub fn usage_of(wire: Wire, body: &[u8]) -> Option<Usage> {
    let (key, quoted) = match wire {
        Wire::Gemini => ("usageMetadata", &*USAGE_METADATA),
        _ => ("usage", &*USAGE),
    };
    if let Some(report) = last_member(wire, body, quoted) {
        return report.usage();
    }
    let answer = value(body);
    // A response object that is wrapped in an event, as `response.completed` is.
    let usage = answer.get(key).or_else(|| answer.get("response")?.get(key))?;
    let mut report = Report::default();
    report.merge(wire, usage);
    report.usage()
}

/// What the member `key` of the object `body` reports, found from its end: usage stands there in
/// most answers, behind texts and vectors that need not be read then. It is at the top level
/// exactly if what follows are members up to the object's own bracket, with nothing behind it.
fn last_member(wire: Wire, body: &[u8], key: &Finder<'_>) -> Option<Report> {
    let near = body.get(body.len().saturating_sub(FARTHEST)..)?;
    let last = key.find_iter(near).last()?;
    let mut report = Report::default();
    report.of(wire);
    let take = |within: &[u8], key: &[u8], value: Value<'_>| report.take(within, key, value);
    tail_leaves(near.get(last..)?, take).then_some(report)
}

/// How far from an answer's end its usage is looked for, in bytes.
const FARTHEST: usize = 2048;

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usage""#));
static USAGE_METADATA: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(r#""usageMetadata""#));

fn put(field: &mut Option<i64>, count: Option<i64>) {
    if count.is_some() {
        *field = count;
    }
}

/// Some servers write counts as floats; a count that is none is left out.
fn tokens(value: Value<'_>) -> Option<i64> {
    if let Some(count) = value.as_u64() {
        return i64::try_from(count).ok();
    }
    let count = value.as_f64().filter(|count| (0.0..1e15).contains(count))?;
    #[expect(clippy::cast_possible_truncation, reason = "checked: below 10^15")]
    Some(count as i64)
}

/// The audio tokens of Gemini's per-modality list.
fn modality(details: Value<'_>) -> Option<i64> {
    let audio = details.elements().filter(|part| {
        part.get("modality").is_some_and(|modality| modality.raw() == br#""AUDIO""#)
    });
    audio.filter_map(|part| tokens(part.get("tokenCount")?)).reduce(|a, b| a + b)
}
