//! Prices in a config: US dollars per token, image or pixel, as LiteLLM writes them.
use super::fields::Check;
use super::yaml::Node;
use crate::data::ImagePrice;
use bartizan_layers::facts::{Price, Rates, Unit};

/// What a price is called, and what it is for: what answers are watched for.
const NAMES: [(&str, Unit); 10] = [
    ("input_cost_per_token", Unit::Input),
    ("output_cost_per_token", Unit::Output),
    ("cache_read_input_token_cost", Unit::CacheRead),
    ("cache_creation_input_token_cost", Unit::CacheWrite),
    ("cache_creation_input_token_cost_above_1hr", Unit::CacheWriteHour),
    ("output_cost_per_reasoning_token", Unit::Reasoning),
    ("input_cost_per_audio_token", Unit::AudioInput),
    ("output_cost_per_audio_token", Unit::AudioOutput),
    ("input_cost_per_image_token", Unit::ImageInput),
    ("output_cost_per_image_token", Unit::ImageOutput),
];

/// Without one of these there is no price.
const PLAIN: &[(&str, Unit)] = NAMES.split_at(2).0;

/// What the price of an image that is made is called: whole, or of each pixel.
const OF_IMAGES: [&str; 3] =
    ["output_cost_per_image", "input_cost_per_image", "input_cost_per_pixel"];

/// Whether a key of `litellm_params` is a price.
pub(super) fn is_price(key: &str) -> bool {
    key.contains("_cost_per_") || key.contains("_token_cost") || key == "tiered_pricing"
}

impl Check<'_> {
    /// The prices of an entry; nothing if it has neither one for input nor one for output. Those of
    /// `litellm_params` come first. What is not charged by is told.
    pub(super) fn price(&mut self, params: &Node, info: &Node) -> Option<Price> {
        let mut tiers: Vec<_> = tiers(params).chain(tiers(info)).collect();
        tiers.sort_unstable();
        tiers.dedup();
        let base = self.rates(params, info, |name| name.to_owned());
        let is_known = PLAIN.iter().any(|(_, unit)| base.get(*unit).is_some());
        // A wrong one was named already.
        let mut written = PLAIN.iter().flat_map(|(name, _)| [params.get(name), info.get(name)]);
        let is_told = is_known || written.any(|price| price.is_some_and(|price| !price.is_null()));
        self.note_prices(params, "litellm_params", is_told, &tiers);
        self.note_prices(info, "model_info", is_told, &tiers);
        let of_tier = |thousands| {
            let own = self.rates(params, info, |name| tier_key(name, thousands));
            let is_there = own != Rates::default();
            is_there.then(|| (thousands.saturating_mul(1000), own.or(&base)))
        };
        let tiers = tiers.into_iter().filter_map(of_tier).collect();
        is_known.then_some(Price { base, tiers })
    }

    /// What an image costs that is made. The key says "input" for some models and "output" for
    /// others; where both stand, one is for images that a model looks at, and costs less.
    pub(super) fn image_price(&mut self, params: &Node, info: &Node) -> Option<ImagePrice> {
        let [output, input, pixel] =
            OF_IMAGES.map(|name| self.number(params, name).or_else(|| self.number(info, name)));
        let each = output.into_iter().chain(input).reduce(f64::max);
        let each = each.map(|dollars| ImagePrice::Each(picodollars(dollars)));
        each.or_else(|| pixel.map(|dollars| ImagePrice::Pixel((dollars * 1e18).round() as i64)))
    }

    fn rates(&mut self, params: &Node, info: &Node, key: impl Fn(&str) -> String) -> Rates {
        NAMES.iter().fold(Rates::default(), |rates, (name, unit)| {
            let name = key(name);
            let rate = self.number(params, &name).or_else(|| self.number(info, &name));
            rates.with(*unit, rate.map(picodollars).or_else(|| rates.get(*unit)))
        })
    }

    /// Names the prices of a map that calls are not charged by.
    fn note_prices(&mut self, map: &Node, path: &str, is_known: bool, tiers: &[u32]) {
        for (key, value) in map.entries() {
            let name = key.as_text().unwrap_or_default();
            let is_of_images = OF_IMAGES.contains(&&*name);
            if !is_price(&name) || is_of_images || value.is_null() || value.as_number() == Some(0.0)
            {
                continue;
            }
            let is_ours = NAMES.iter().any(|(base, _)| {
                *base == name || tiers.iter().any(|above| tier_key(base, *above) == name)
            });
            if !is_ours {
                self.later.insert(format!("{path}.{name}"));
            } else if !is_known {
                let help = "add `input_cost_per_token` and `output_cost_per_token`";
                self.warn(key, format!("`{name}` has no effect without the base prices"), help);
            }
        }
    }
}

/// The thresholds that the prices of a map name, in thousands of tokens.
fn tiers(map: &Node) -> impl Iterator<Item = u32> {
    map.entries().filter_map(|(key, _)| {
        let key = key.as_text()?;
        NAMES.iter().find_map(|(name, _)| tier_of(&key, name))
    })
}

/// `NAME_above_200k_tokens` is 200.
fn tier_of(key: &str, name: &str) -> Option<u32> {
    key.strip_prefix(name)?.strip_prefix("_above_")?.strip_suffix("k_tokens")?.parse().ok()
}

fn tier_key(name: &str, thousands: u32) -> String {
    format!("{name}_above_{thousands}k_tokens")
}

/// One price for each token, whether it is read or written.
pub(super) fn flat(rate: i64) -> Price {
    Price::flat(Rates::tokens(rate, rate))
}

/// Exact for every price of up to fifteen digits.
pub(super) fn picodollars(dollars: f64) -> i64 {
    (dollars * 1e12).round() as i64
}
