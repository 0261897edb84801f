//! Facts about one call that layers hand to each other through [`http::Extensions`].
use std::net::SocketAddr;
use std::ops::Add;
use std::sync::{Arc, Mutex, PoisonError};

/// Money in billionths of a US dollar. Integers, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NanoUsd(pub i64);

/// What tokens cost, in millionths of a US dollar per million tokens (that is, in picodollars
/// per token), so that every published price is a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// The rates that hold for short prompts.
    pub base: Rates,
    /// Rates for the whole call once its prompt has more tokens than the first number.
    pub above: Option<(u32, Rates)>,
}

/// The rates of one tier, in picodollars per token. `None` means "as plain input or output".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Tokens that the model reads.
    pub input: i64,
    /// Tokens that the model writes.
    pub output: i64,
    /// Input tokens that came from the provider's prompt cache.
    pub cache_read: Option<i64>,
    /// Input tokens that were written to the provider's prompt cache.
    pub cache_write: Option<i64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<i64>,
    /// Input tokens of audio.
    pub audio_input: Option<i64>,
    /// Output tokens of audio.
    pub audio_output: Option<i64>,
}

/// Tokens that one call has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read by the model, all kinds together (cache reads and writes, audio).
    pub input: i64,
    /// Written by the model, all kinds together (reasoning, audio).
    pub output: i64,
    /// Of `input`: read from the provider's prompt cache.
    pub cache_read: i64,
    /// Of `input`: written to the provider's prompt cache.
    pub cache_write: i64,
    /// Of `output`: spent on reasoning.
    pub reasoning: i64,
    /// Of `input`: audio.
    pub audio_input: i64,
    /// Of `output`: audio.
    pub audio_output: i64,
}

impl Add for Usage {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            input: self.input + more.input,
            output: self.output + more.output,
            cache_read: self.cache_read + more.cache_read,
            cache_write: self.cache_write + more.cache_write,
            reasoning: self.reasoning + more.reasoning,
            audio_input: self.audio_input + more.audio_input,
            audio_output: self.audio_output + more.audio_output,
        }
    }
}

impl Price {
    /// All rates multiplied with `factor`, rounded to whole picodollars.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let above = self.above.map(|(tokens, rates)| (tokens, rates.times(factor)));
        Self { base: self.base.times(factor), above }
    }

    /// The cost of `usage`, rounded up to the next [`NanoUsd`].
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let rates = match &self.above {
            Some((threshold, rates)) if usage.input > i64::from(*threshold) => rates,
            _ => &self.base,
        };
        let picos = rates.of_input(usage) + rates.of_output(usage);
        NanoUsd((picos + 999) / 1000)
    }
}

impl Rates {
    fn times(self, factor: f64) -> Self {
        let times = |rate: i64| (rate as f64 * factor).round() as i64;
        Self {
            input: times(self.input),
            output: times(self.output),
            cache_read: self.cache_read.map(times),
            cache_write: self.cache_write.map(times),
            reasoning: self.reasoning.map(times),
            audio_input: self.audio_input.map(times),
            audio_output: self.audio_output.map(times),
        }
    }

    fn of_input(&self, usage: &Usage) -> i64 {
        let text = usage.input - usage.cache_read - usage.cache_write - usage.audio_input;
        text.max(0) * self.input
            + usage.cache_read * self.cache_read.unwrap_or(self.input)
            + usage.cache_write * self.cache_write.unwrap_or(self.input)
            + usage.audio_input * self.audio_input.unwrap_or(self.input)
    }

    fn of_output(&self, usage: &Usage) -> i64 {
        let text = usage.output - usage.reasoning - usage.audio_output;
        text.max(0) * self.output
            + usage.reasoning * self.reasoning.unwrap_or(self.output)
            + usage.audio_output * self.audio_output.unwrap_or(self.output)
    }
}

/// The running bill of one call. A response fact: the tap writes it while the body streams, the
/// layers read it when the body ends. Clones share one bill.
#[derive(Clone, Debug, Default)]
pub struct UsageCell(Arc<Bill>);

#[derive(Debug, Default)]
struct Bill {
    price: Price,
    usage: Mutex<Option<(Usage, NanoUsd)>>,
}

impl UsageCell {
    /// An empty bill at the prices of the deployment that answers.
    #[must_use]
    pub fn new(price: Price) -> Self {
        Self(Arc::new(Bill { price, usage: Mutex::default() }))
    }

    /// Replaces the usage by a newer report of the provider.
    pub fn set(&self, usage: Usage) {
        let cost = self.0.price.cost(&usage);
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner) = Some((usage, cost));
    }

    /// Adds a report to those before, where a provider bills the parts of a call one by one.
    pub fn add(&self, usage: Usage) {
        let NanoUsd(more) = self.0.price.cost(&usage);
        let mut bill = self.0.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, NanoUsd(cost)) = bill.unwrap_or_default();
        *bill = Some((before + usage, NanoUsd(cost + more)));
    }

    /// Charges a fixed sum instead of a price for tokens.
    pub fn charge(&self, cost: NanoUsd) {
        let usage = Usage::default();
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner) = Some((usage, cost));
    }

    /// The usage so far; `None` until the provider reported any.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.bill().map(|(usage, _)| usage)
    }

    /// The cost so far.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        self.bill().map_or(NanoUsd(0), |(_, cost)| cost)
    }

    /// The usage so far and its cost.
    #[must_use]
    pub fn bill(&self) -> Option<(Usage, NanoUsd)> {
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The other end of the client's connection. A request fact, written by the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Who is calling, proved by a virtual key. A request fact, written by `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What metrics and records call the key: a digest or an alias, never the key itself.
    pub key: Arc<str>,
    /// The user that the key belongs to.
    pub user: Arc<str>,
    /// Whether it may use management routes.
    pub admin: bool,
}

#[cfg(test)]
mod tests {
    use super::{NanoUsd, Price, Rates, Usage, UsageCell};

    #[test]
    fn reports_that_are_added_are_billed_one_by_one() {
        let rates = |input| Rates { input, ..Rates::default() };
        let bill = UsageCell::new(Price { base: rates(1000), above: Some((100, rates(9000))) });
        let usage = Usage { input: 60, output: 5, audio_input: 1, ..Usage::default() };
        bill.add(usage);
        bill.add(usage);
        let sum = Usage { input: 120, output: 10, audio_input: 2, ..Usage::default() };
        // Together they would be a long prompt, which neither was.
        assert_eq!(bill.bill(), Some((sum, NanoUsd(120))));
    }
}
