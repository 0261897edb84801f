//! What a call uses, and what that costs.
use super::NanoUsd;
use std::fmt;
use std::ops::{Add, Index, IndexMut};

/// What usage is counted in, and what prices are told for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Tokens that the model reads, all kinds together.
    Input,
    /// Tokens that the model writes, all kinds together.
    Output,
    /// Of the input: read from the provider's prompt cache.
    CacheRead,
    /// Of the input: written to the provider's prompt cache.
    CacheWrite,
    /// Of the input: written to that cache for an hour instead of minutes.
    CacheWriteHour,
    /// Of the output: spent on reasoning.
    Reasoning,
    /// Of the input: audio.
    AudioInput,
    /// Of the output: audio.
    AudioOutput,
    /// Of the input: images.
    ImageInput,
    /// Of the output: images.
    ImageOutput,
    /// Images that were made, each one.
    Image,
    /// Thousandths of a second of audio or video that came in; its price is that of a second.
    SecondInput,
    /// Thousandths of a second that were made; its price is that of a second.
    SecondOutput,
    /// Characters of text that came in.
    CharacterInput,
    /// Characters of text that were made.
    CharacterOutput,
    /// Searches and rerankings.
    Query,
    /// Calls.
    Request,
}

impl Unit {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWriteHour,
        Self::Reasoning,
        Self::AudioInput,
        Self::AudioOutput,
        Self::ImageInput,
        Self::ImageOutput,
        Self::Image,
        Self::SecondInput,
        Self::SecondOutput,
        Self::CharacterInput,
        Self::CharacterOutput,
        Self::Query,
        Self::Request,
    ];

    /// What it is a part of: kinds of tokens are counted in their sum too.
    #[must_use]
    pub const fn whole(self) -> Option<Self> {
        match self {
            Self::CacheRead
            | Self::CacheWrite
            | Self::CacheWriteHour
            | Self::AudioInput
            | Self::ImageInput => Some(Self::Input),
            Self::Reasoning | Self::AudioOutput | Self::ImageOutput => Some(Self::Output),
            _ => None,
        }
    }
}

/// What one call has used so far: a count for each [`Unit`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage([i64; Unit::COUNT]);

impl Usage {
    /// Plain tokens.
    #[must_use]
    pub fn tokens(input: i64, output: i64) -> Self {
        Self::default().with(Unit::Input, input).with(Unit::Output, output)
    }

    /// With this count of `unit`.
    #[must_use]
    pub fn with(mut self, unit: Unit, count: i64) -> Self {
        self[unit] = count;
        self
    }

    /// Input and output tokens together: what limits of tokens count.
    #[must_use]
    pub fn total(&self) -> i64 {
        self[Unit::Input].saturating_add(self[Unit::Output])
    }
}

impl Index<Unit> for Usage {
    type Output = i64;

    fn index(&self, unit: Unit) -> &i64 {
        &self.0[unit as usize]
    }
}

impl IndexMut<Unit> for Usage {
    fn index_mut(&mut self, unit: Unit) -> &mut i64 {
        &mut self.0[unit as usize]
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(mut self, more: Self) -> Self {
        for (count, more) in self.0.iter_mut().zip(more.0) {
            *count = count.saturating_add(more);
        }
        self
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = Unit::ALL.into_iter().filter(|unit| self[*unit] != 0);
        f.debug_map().entries(used.map(|unit| (unit, self[unit]))).finish()
    }
}

/// The rates of one tier, in picodollars per [`Unit`] (millionths of a US dollar per million), so
/// that every published price is a whole number. A part without a rate of its own costs as its
/// whole does; anything else without one is free.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates([Option<i64>; Unit::COUNT]);

impl Rates {
    /// Rates for plain tokens.
    #[must_use]
    pub fn tokens(input: i64, output: i64) -> Self {
        Self::default().with(Unit::Input, input).with(Unit::Output, output)
    }

    /// Rates for plain tokens as providers publish them, in dollars for a million.
    ///
    /// ```
    /// use bartizan_layers::facts::Rates;
    /// assert_eq!(Rates::per_million(0.15, 0.60), Rates::tokens(150_000, 600_000));
    /// ```
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` stops at the ends of the range")]
    pub fn per_million(input: f64, output: f64) -> Self {
        let [input, output] = [input, output].map(|dollars| (dollars * 1e6).round() as i64);
        Self::tokens(input, output)
    }

    /// With this rate for `unit`.
    #[must_use]
    pub fn with(mut self, unit: Unit, rate: impl Into<Option<i64>>) -> Self {
        self.0[unit as usize] = rate.into();
        self
    }

    /// The rate for `unit` itself, where there is one.
    #[must_use]
    pub const fn get(&self, unit: Unit) -> Option<i64> {
        self.0[unit as usize]
    }

    /// What one of `unit` costs.
    #[must_use]
    pub fn rate(&self, unit: Unit) -> i64 {
        let hour = || self.get(Unit::CacheWrite).filter(|_| unit == Unit::CacheWriteHour);
        self.get(unit).or_else(hour).or_else(|| self.get(unit.whole()?)).unwrap_or(0)
    }

    /// What these leave out is taken from `others`.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        for (own, other) in self.0.iter_mut().zip(others.0) {
            *own = own.or(other);
        }
        self
    }

    fn times(&self, factor: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "rates are far below 2^52"
        )]
        Self(self.0.map(|rate| rate.map(|rate| (rate as f64 * factor).round() as i64)))
    }

    fn picos(&self, usage: &Usage) -> i128 {
        let (mut sum, mut parts) = (0, [0_i64; 2]);
        for unit in Unit::ALL.into_iter().skip(2) {
            let count = usage[unit];
            if count != 0 {
                if let Some(whole) = unit.whole() {
                    parts[whole as usize] = parts[whole as usize].saturating_add(count);
                }
                let picos = i128::from(count) * i128::from(self.rate(unit));
                sum += match unit {
                    Unit::SecondInput | Unit::SecondOutput => picos / 1000,
                    _ => picos,
                };
            }
        }
        let plain = |unit: Unit| {
            let rest = usage[unit].saturating_sub(parts[unit as usize]).max(0);
            i128::from(rest) * i128::from(self.rate(unit))
        };
        sum + plain(Unit::Input) + plain(Unit::Output)
    }
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = Unit::ALL.into_iter().filter_map(|unit| Some((unit, self.get(unit)?)));
        f.debug_map().entries(told).finish()
    }
}

/// What a model costs: its rates, and others for long prompts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// The rates that hold for short prompts.
    pub base: Rates,
    /// Rates for the whole call once its prompt has more tokens than the number; lowest first.
    pub tiers: Vec<(u32, Rates)>,
}

impl Price {
    /// The same rates for prompts of any length.
    #[must_use]
    pub const fn flat(base: Rates) -> Self {
        Self { base, tiers: Vec::new() }
    }

    /// All rates multiplied with `factor`, rounded to whole picodollars.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let tiers = self.tiers.iter().map(|(tokens, rates)| (*tokens, rates.times(factor)));
        Self { base: self.base.times(factor), tiers: tiers.collect() }
    }

    /// The cost of `usage`, rounded up to the next [`NanoUsd`].
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> NanoUsd {
        let input = usage[Unit::Input];
        let tier = self.tiers.iter().rev().find(|(tokens, _)| input > i64::from(*tokens));
        let picos = tier.map_or(&self.base, |(_, rates)| rates).picos(usage);
        // A wide division takes longer than all else: hardly any sum needs one.
        NanoUsd(match i64::try_from(picos + 999) {
            Ok(picos) => picos.div_euclid(1000),
            Err(_) => i64::try_from((picos + 999).div_euclid(1000)).unwrap_or(i64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Price, Rates, Unit, Usage};
    use crate::facts::NanoUsd;

    #[test]
    fn parts_of_the_input_cost_their_own_rate_or_that_of_the_whole() {
        let rates = Rates::tokens(3_000, 15_000).with(Unit::CacheRead, 300);
        let usage = Usage::tokens(100, 10).with(Unit::CacheRead, 40).with(Unit::AudioInput, 10);
        // 50 plain, 40 cached, 10 of audio without a rate of its own.
        assert_eq!(Price::flat(rates).cost(&usage), NanoUsd(60 * 3 + 12 + 10 * 15));
    }

    #[test]
    fn a_long_prompt_has_the_rates_of_the_highest_tier_that_it_passes() {
        let price = Price {
            base: Rates::tokens(1_000, 0),
            tiers: vec![(100, Rates::tokens(2_000, 0)), (200, Rates::tokens(3_000, 0))],
        };
        for (tokens, cost) in [(100, 100), (101, 202), (200, 400), (201, 603)] {
            assert_eq!(price.cost(&Usage::tokens(tokens, 0)), NanoUsd(cost), "{tokens} tokens");
        }
    }

    #[test]
    fn seconds_are_counted_in_thousandths() {
        let price = Price::flat(Rates::default().with(Unit::SecondInput, 100_000_000));
        let usage = Usage::default().with(Unit::SecondInput, 1_500);
        assert_eq!(price.cost(&usage), NanoUsd(150_000));
    }

    #[test]
    fn no_count_is_too_large() {
        let price = Price::flat(Rates::tokens(i64::MAX, i64::MAX));
        assert_eq!(price.cost(&Usage::tokens(i64::MAX, i64::MAX)), NanoUsd(i64::MAX));
    }
}
