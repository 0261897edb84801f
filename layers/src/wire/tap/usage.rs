//! The providers' usage reports, in their own field names.
use super::Wire;
use crate::{
    facts::{Unit, Usage},
    wire::scan::{Value, tail_leaves, value},
};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What the reports so far said. A field that a later report leaves out keeps its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    counts: [Option<i64>; Unit::COUNT],
    /// What Cohere bills, input and output: it counts where nothing else does.
    billed: [Option<i64>; 2],
    /// Both together: all that servers of reranking and of some embeddings count.
    total: Option<i64>,
    /// Cohere counts pictures beside `input`, not in it.
    beside: bool,
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
        self.beside = wire == Wire::Cohere;
    }

    /// Takes in one member of a usage object, or of the object `within` it.
    fn take(&mut self, within: &[u8], key: &[u8], value: Value<'_>) {
        let field = match (within, key) {
            (b"", b"promptTokensDetails") => {
                return put(&mut self.counts[Unit::AudioInput as usize], modality(value));
            }
            (b"", b"candidatesTokensDetails") => {
                return put(&mut self.counts[Unit::AudioOutput as usize], modality(value));
            }
            (b"", b"cached_tokens") => Some(&mut self.counts[Unit::CacheRead as usize]),
            (b"tokens", _) => self.cohere(key),
            (b"billed_units", _) => self.billed(key),
            (b"", _) => self.field(key),
            (b"input_tokens_details" | b"prompt_tokens_details", _)
            // The realtime API's spelling.
            | (b"input_token_details", _) => self.input_detail(key),
            (b"output_tokens_details" | b"completion_tokens_details", _)
            | (b"output_token_details", _) => self.output_detail(key),
            (b"cache_creation", b"ephemeral_1h_input_tokens") => {
                Some(&mut self.counts[Unit::CacheWriteHour as usize])
            }
            _ => None,
        };
        if let Some(field) = field {
            put(field, tokens(value));
        }
    }

    /// The sum, once a report named anything.
    pub(super) fn usage(&self) -> Option<Usage> {
        let count = |unit: Unit| self.counts[unit as usize];
        let [billed_input, billed_output] = self.billed;
        let (input, output) = match (count(Unit::Input), count(Unit::Output)) {
            (None, None) => match self.billed {
                [None, None] => (self.total.or_else(|| count(Unit::Query).map(|_| 0))?, 0),
                _ => (billed_input.unwrap_or(0), billed_output.unwrap_or(0)),
            },
            (input, output) => (input.unwrap_or(0), output.unwrap_or(0)),
        };
        let mut usage = Usage::default();
        for unit in Unit::ALL {
            usage[unit] = count(unit).unwrap_or(0);
        }
        // Of both kinds that Cohere tells, pictures are no part of its texts.
        let pictures = if self.beside { usage[Unit::ImageInput] } else { 0 };
        (usage[Unit::Input], usage[Unit::Output]) = (input + pictures, output);
        if self.cache_beside {
            usage[Unit::Input] += usage[Unit::CacheRead] + usage[Unit::CacheWrite];
            // Of what was written, a part for an hour.
            let hour = usage[Unit::CacheWriteHour].min(usage[Unit::CacheWrite]);
            usage[Unit::CacheWriteHour] = hour;
            usage[Unit::CacheWrite] -= hour;
        }
        // xAI counts thoughts beside the answer too, and says so in the total alone; others do not
        // even say so, but tell more thoughts than output.
        let whole = input + usage[Unit::Output] + usage[Unit::Reasoning];
        let is_more = usage[Unit::Reasoning] > usage[Unit::Output];
        if self.reasoning_beside || is_more || self.total == Some(whole) {
            usage[Unit::Output] += usage[Unit::Reasoning];
        }
        Some(usage)
    }

    fn field(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        let unit = match key {
            b"prompt_tokens" | b"input_tokens" | b"promptTokenCount" | b"prompt_eval_count" => {
                Unit::Input
            }
            b"completion_tokens" | b"output_tokens" | b"candidatesTokenCount" | b"eval_count" => {
                Unit::Output
            }
            b"total_tokens" => return Some(&mut self.total),
            b"prompt_cache_hit_tokens"
            | b"cache_read_input_tokens"
            | b"num_cached_tokens"
            | b"cachedContentTokenCount" => Unit::CacheRead,
            b"cache_creation_input_tokens" => Unit::CacheWrite,
            b"thoughtsTokenCount" => Unit::Reasoning,
            _ => return None,
        };
        Some(&mut self.counts[unit as usize])
    }

    /// A member of Cohere's `tokens`.
    fn cohere(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        let unit = match key {
            b"input_tokens" => Unit::Input,
            b"output_tokens" => Unit::Output,
            b"reasoning_tokens" => Unit::Reasoning,
            b"image_tokens" => Unit::ImageInput,
            _ => return None,
        };
        Some(&mut self.counts[unit as usize])
    }

    /// A member of Cohere's `billed_units`.
    fn billed(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        match key {
            b"input_tokens" => Some(&mut self.billed[0]),
            b"output_tokens" => Some(&mut self.billed[1]),
            b"search_units" => Some(&mut self.counts[Unit::Query as usize]),
            _ => None,
        }
    }

    fn input_detail(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        let unit = match key {
            b"cached_tokens" => Unit::CacheRead,
            b"cache_creation_tokens" | b"cache_write_tokens" => Unit::CacheWrite,
            b"audio_tokens" => Unit::AudioInput,
            b"image_tokens" => Unit::ImageInput,
            _ => return None,
        };
        Some(&mut self.counts[unit as usize])
    }

    fn output_detail(&mut self, key: &[u8]) -> Option<&mut Option<i64>> {
        let unit = match key {
            b"reasoning_tokens" => Unit::Reasoning,
            b"audio_tokens" => Unit::AudioOutput,
            b"image_tokens" => Unit::ImageOutput,
            _ => return None,
        };
        Some(&mut self.counts[unit as usize])
    }
}

/// The usage in a whole JSON answer of `wire`; `None` when it reports none. Reads the top level
/// only: prompts and answers are skipped, not parsed.
#[must_use]
pub fn usage_of(wire: Wire, body: &[u8]) -> Option<Usage> {
    let quoted = match wire {
        Wire::Gemini => &*USAGE_METADATA,
        Wire::Ollama => return usage_of_line(body),
        _ => &*USAGE,
    };
    let key = usage_key(wire);
    if let Some(report) = last_member(wire, body, quoted) {
        return report.usage();
    }
    let answer = value(body);
    // A response object that is wrapped in an event, as `response.completed` is.
    let usage = answer.get(key).or_else(|| match wire {
        // Embeddings and documents in order.
        Wire::Cohere => answer.get("meta"),
        _ => answer.get("response")?.get(key),
    })?;
    let mut report = Report::default();
    report.merge(wire, usage);
    report.usage()
}

/// The member of an answer that reports usage.
pub(super) const fn usage_key(wire: Wire) -> &'static str {
    if matches!(wire, Wire::Gemini) { "usageMetadata" } else { "usage" }
}

/// Ollama reports it beside everything else.
fn usage_of_line(body: &[u8]) -> Option<Usage> {
    let mut report = Report::default();
    value(body).members().for_each(|(key, value)| report.take(b"", &key, value));
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
