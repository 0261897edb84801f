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
    NAMES.contains(&key) || key.contains("_cost_per_") || key.ends_with("_token_cost")
}

impl Check<'_> {
    /// The prices of a map; nothing if it has neither one for input nor one for output.
    pub(super) fn price(&mut self, map: &Node) -> Option<Price> {
        let rates = NAMES.map(|name| self.number(map, name).map(picodollars));
        let [input, output, cache_read, cache_write, reasoning, audio_input, audio_output] = rates;
        if input.is_none() && output.is_none() {
            return None;
        }
        let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
        let base =
            Rates { input, output, cache_read, cache_write, reasoning, audio_input, audio_output };
        Some(Price { base, above: None })
    }
}

/// Exact for every price of up to fifteen digits.
fn picodollars(dollars: f64) -> i64 {
    (dollars * 1e12).round() as i64
}
