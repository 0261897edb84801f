//! What a call may take, guessed from its request before it is sent.
//!
//! Tokens are not counted with a tokenizer: that costs more than the rest of a proxy, and every
//! model has its own. Text is divided by the bytes that a token usually has, 4 until a group of
//! models is known better ([`Typical`] learns from reports). Data in base64, such as pictures and
//! sound, is no text: each piece counts [`DATA_TOKENS`]. For the most that a call can take, each
//! byte of text is a token, as no tokenizer makes more of it, and each piece of data
//! [`MOST_DATA_TOKENS`]; data that the provider fetches from a URL is not in the request and not
//! in the estimate.
//!
//! The output is bounded by `max_tokens` and its like, times the answers that are asked for.
//!
//! ```
//! use bartizan_layers::facts::{Price, Rates};
//! use bartizan_layers::wire::estimate::{Longest, Size, Typical};
//! use bartizan_layers::wire::{scan::scan, text::Text};
//! use bytes::Bytes;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = Text::from(Bytes::from(r#"{"messages":[{"content":"Hi!"}],"max_tokens":100}"#));
//! let size = Size::of(&text, &scan(text.outline())?);
//! let price = Price::flat(Rates::tokens(1_000, 2_000));
//! let estimate = size.estimate(&Typical::default(), [&price], Longest::default());
//! assert_eq!(estimate.likely.tokens, 13 + 100);
//! assert_eq!(estimate.most.ok_or("max_tokens bounds it")?.tokens, 49 + 100);
//! # Ok(())
//! # }
//! ```
mod data;
mod typical;

pub use typical::Typical;

use super::scan::{Object, Value};
use super::text::Text;
use crate::facts::{Amount, Estimate, NanoUsd, Price, Unit, Usage};
use data::Data;
use std::borrow::Borrow;

/// So many tokens are a picture or another piece of data, likely.
pub const DATA_TOKENS: i64 = 1_000;

/// So many tokens are a picture or another piece of data at most, unless it is so long that a
/// quarter of its bytes is more.
pub const MOST_DATA_TOKENS: i64 = 50_000;

/// How large a request is, and how large its answer may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of text, and of the JSON around it.
    pub text: i64,
    /// Pieces of data in base64.
    pub data: i64,
    /// Their bytes.
    pub data_bytes: i64,
    /// How many answers are asked for.
    pub choices: i64,
    /// The most tokens that each answer may have; `None` where the request does not say.
    pub bound: Option<i64>,
}

/// What was expected of a call. A request fact, written by [`ingest`](super::ingest): whoever sees
/// the usage teaches the group by it. Absent means that nothing was read.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The size of the request.
    pub size: Size,
    /// What its group usually takes.
    pub typical: Typical,
}

impl Expected {
    /// The tokens that the input is likely to have.
    #[must_use]
    pub fn input(&self) -> i64 {
        self.size.input(&self.typical)
    }

    /// Learns from what the provider says that the call took.
    pub fn learn(&self, usage: &Usage) {
        self.typical.learn(&self.size, usage);
    }
}

/// What a model takes and gives at most, in tokens; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// Its longest input.
    pub input: Option<i64>,
    /// Its longest answer.
    pub output: Option<i64>,
}

impl Size {
    /// The size of the request `text`, whose outline was scanned as `object`. Where a bound stands
    /// more than once, the largest counts.
    #[must_use]
    pub fn of(text: &Text, object: &Object<'_>) -> Self {
        let (mut choices, mut bound, mut prompts) = (1, None, 1);
        for member in object.members() {
            let value = member.value();
            match member.key() {
                b"max_tokens"
                | b"max_completion_tokens"
                | b"max_output_tokens"
                | b"max_tokens_to_sample" => bound = bound.max(count(value)),
                b"n" | b"best_of" => choices = choices.max(count(value).unwrap_or(1)),
                b"generationConfig" | b"generation_config" => {
                    let count = |key| value.get(key).and_then(count);
                    bound = bound.max(count("maxOutputTokens")).max(count("max_output_tokens"));
                    choices = choices.max(count("candidateCount").unwrap_or(1));
                }
                b"options" => bound = bound.max(value.get("num_predict").and_then(count)),
                b"prompt" => prompts = prompts_in(value),
                _ => {}
            }
        }
        let mut data = Data::default();
        text.visit(0..text.outline().len(), |bytes, range| data.read(&bytes[range]));
        Self {
            text: whole(text.len()).saturating_sub(data.bytes),
            data: data.pieces,
            data_bytes: data.bytes,
            choices: choices.saturating_mul(prompts),
            bound,
        }
    }

    /// For calls that answer no text, such as embeddings.
    #[must_use]
    pub const fn without_output(mut self) -> Self {
        self.bound = Some(0);
        self
    }

    /// The tokens that the input is likely to have.
    #[must_use]
    pub fn input(&self, typical: &Typical) -> i64 {
        let data = self.data.saturating_mul(DATA_TOKENS);
        typical.tokens(self.text).saturating_add(data)
    }

    /// What the call may take, at the dearest of the `prices` that may answer. A `model` that has
    /// a longest answer bounds it where the request does not.
    pub fn estimate(
        &self,
        typical: &Typical,
        prices: impl IntoIterator<Item = impl Borrow<Price>>,
        model: Longest,
    ) -> Estimate {
        let bound = self.bound.into_iter().chain(model.output).min();
        let longest = model.input.unwrap_or(i64::MAX);
        let each = self.bound.unwrap_or_else(|| typical.output()).min(bound.unwrap_or(i64::MAX));
        let likely =
            Usage::tokens(self.input(typical).min(longest), each.saturating_mul(self.choices));
        let most = bound.map(|bound| {
            Usage::tokens(self.most_input().min(longest), bound.saturating_mul(self.choices))
        });
        let (mut cost, mut dearest) = (NanoUsd(0), NanoUsd(0));
        for price in prices {
            let price = price.borrow();
            cost = cost.max(price.cost(&likely));
            dearest = dearest.max(most.map_or(NanoUsd(0), |most| self.dearest(price, most)));
        }
        Estimate {
            likely: Amount { tokens: likely.total(), cost },
            most: most.map(|most| Amount { tokens: most.total(), cost: dearest.max(cost) }),
        }
    }

    fn most_input(&self) -> i64 {
        let data = self.data.saturating_mul(MOST_DATA_TOKENS).max(self.data_bytes / 4);
        self.text.saturating_add(if self.data == 0 { 0 } else { data })
    }

    /// The cost of `usage`, if all of it is of the dearest kind.
    fn dearest(&self, price: &Price, mut usage: Usage) -> NanoUsd {
        let (input, output) = (usage[Unit::Input], usage[Unit::Output]);
        let all = || std::iter::once(&price.base).chain(price.tiers.iter().map(|(_, rates)| rates));
        let has = |unit| all().any(|rates| rates.get(unit).is_some());
        if has(Unit::Reasoning) {
            let thought = usage.with(Unit::Reasoning, output);
            usage = if price.cost(&thought) > price.cost(&usage) { thought } else { usage };
        }
        let mut cost = price.cost(&usage);
        if has(Unit::CacheWrite) || has(Unit::CacheWriteHour) {
            cost = cost.max(price.cost(&usage.with(Unit::CacheWrite, input)));
            cost = cost.max(price.cost(&usage.with(Unit::CacheWriteHour, input)));
        }
        if self.data > 0 && has(Unit::AudioInput) {
            cost = cost.max(price.cost(&usage.with(Unit::AudioInput, input)));
        }
        cost
    }
}

/// A count; some clients write it as a float.
fn count(value: Value<'_>) -> Option<i64> {
    if let Some(count) = value.as_u64() {
        return i64::try_from(count).ok();
    }
    let count = value.as_f64().filter(|count| (0.0..1e15).contains(count))?;
    #[expect(clippy::cast_possible_truncation, reason = "checked: below 10^15")]
    Some(count.ceil() as i64)
}

/// A list of prompts gets an answer for each; a list of tokens is one prompt.
fn prompts_in(prompt: Value<'_>) -> i64 {
    let is_number = |first: Value<'_>| !matches!(first.raw().first(), Some(b'"' | b'['));
    if prompt.elements().next().is_none_or(is_number) {
        return 1;
    }
    whole(prompt.elements().count())
}

fn whole(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
