//! Prices in a config: US dollars per token, as LiteLLM writes them.
use super::fields::Check;
use super::yaml::Node;
use bartizan_layers::facts::{Price, Rates};

const NAMES: [&str; 7] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "output_cost_per_reasoning_token",
    "input_cost_per_audio_token",
    "output_cost_per_audio_token",
];

/// Whether a key of `litellm_params` is a price.
pub(super) fn is_price(key: &str) -> bool {
    key.contains("_cost_per_") || key.contains("_token_cost") || key == "tiered_pricing"
}

impl Check<'_> {
    /// The prices of an entry; nothing if it has neither one for input nor one for output. Those of
    /// `litellm_params` come first. Of several tiers the first counts; what is not charged by is
    /// told.
    pub(super) fn price(&mut self, params: &Node, info: &Node) -> Option<Price> {
        let above = first_tier(params).or_else(|| first_tier(info));
        let base = NAMES.map(|name| self.rate(params, info, name));
        let upper = above.map(|thousands| {
            let tier = NAMES.map(|name| self.rate(params, info, &tier_key(name, thousands)));
            (thousands.saturating_mul(1000), tier)
        });
        let is_known = base.iter().take(2).any(Option::is_some);
        // A wrong one was named already.
        let mut written = NAMES.iter().take(2).flat_map(|name| [params.get(name), info.get(name)]);
        let is_told = is_known || written.any(|price| price.is_some_and(|price| !price.is_null()));
        self.note_prices(params, "litellm_params", is_told, above);
        self.note_prices(info, "model_info", is_told, above);
        let upper = upper.filter(|(_, tier)| tier.iter().any(Option::is_some));
        let over = |tier: [Option<i64>; 7]| {
            let mut all = tier.into_iter().zip(base);
            rates(std::array::from_fn(|_| all.next().and_then(|(own, base)| own.or(base))))
        };
        is_known.then(|| Price {
            base: rates(base),
            above: upper.map(|(threshold, tier)| (threshold, over(tier))),
        })
    }

    fn rate(&mut self, params: &Node, info: &Node, name: &str) -> Option<i64> {
        self.number(params, name).or_else(|| self.number(info, name)).map(picodollars)
    }

    /// Names the prices of a map that calls are not charged by.
    fn note_prices(&mut self, map: &Node, path: &str, is_known: bool, above: Option<u32>) {
        for (key, value) in map.entries() {
            let name = key.as_text().unwrap_or_default();
            if !is_price(&name) || value.is_null() || value.as_number() == Some(0.0) {
                continue;
            }
            let is_ours = NAMES.iter().any(|base| {
                *base == name || above.is_some_and(|above| tier_key(base, above) == name)
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

/// The lowest threshold that the prices of a map name, in thousands of tokens.
fn first_tier(map: &Node) -> Option<u32> {
    let keys = map.entries().filter_map(|(key, _)| key.as_text());
    keys.filter_map(|key| NAMES.iter().find_map(|name| tier_of(&key, name))).min()
}

/// `NAME_above_200k_tokens` is 200.
fn tier_of(key: &str, name: &str) -> Option<u32> {
    key.strip_prefix(name)?.strip_prefix("_above_")?.strip_suffix("k_tokens")?.parse().ok()
}

fn tier_key(name: &str, thousands: u32) -> String {
    format!("{name}_above_{thousands}k_tokens")
}

fn rates(of_names: [Option<i64>; 7]) -> Rates {
    let [input, output, cache_read, cache_write, reasoning, audio_input, audio_output] = of_names;
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    Rates { input, output, cache_read, cache_write, reasoning, audio_input, audio_output }
}

/// One price for each token, whether it is read or written.
pub(super) fn flat(rate: i64) -> Price {
    Price { base: Rates { input: rate, output: rate, ..Rates::default() }, above: None }
}

/// Exact for every price of up to fifteen digits.
pub(super) fn picodollars(dollars: f64) -> i64 {
    (dollars * 1e12).round() as i64
}
