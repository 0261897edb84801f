//! Built-in tables: providers and models. Static, sorted, read in place.
//!
//! The tables are made by `tools/` from the data that the `litellm` package ships; see
//! `tools/README.md` for the date and the licence.
mod about;
mod catalogue;
mod clouds;
mod completes;
mod gateways;
mod image;
mod layout;
mod models;
mod quirk;
mod quirks;
mod row;
mod rows;
#[cfg(test)]
mod tests;
mod words;

pub use about::{About, PARTS};
use bartizan_layers::facts::Price;
pub use completes::completes;
pub use image::{ImagePrice, Picture};
pub use layout::Layout;
pub use models::{foundation, model, models_of, provider_of_host, provider_of_model};
pub use quirk::{Documents, Quirk, Quirks, Thinking, Thoughts};

/// Every provider that has a row, sorted by name.
#[must_use]
pub fn providers() -> &'static [Provider] {
    rows::PROVIDERS
}

/// The provider of that name, as written before the first `/` of a model.
#[must_use]
pub fn provider(name: &str) -> Option<&'static Provider> {
    // LiteLLM has two names for Google's cloud.
    let name = if name == "vertex_ai_beta" { "vertex_ai" } else { name };
    let at = rows::PROVIDERS.binary_search_by(|row| row.name.cmp(name)).ok()?;
    rows::PROVIDERS.get(at)
}

/// What the model catalogue was made from: source, version, date and licence, as one line.
#[must_use]
pub fn catalogue_title() -> &'static str {
    catalogue::title()
}

/// The wire format that a provider's endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// OpenAI: chat completions, completions, embeddings, responses.
    OpenAi,
    /// Anthropic: messages.
    Anthropic,
    /// Google Gemini: generateContent.
    Gemini,
    /// Google's cloud: each model in its maker's words, by a path of its own.
    Vertex,
    /// AWS Bedrock: Converse.
    Converse,
}

/// How a provider wants its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`, as Anthropic does.
    XApiKey,
    /// `x-goog-api-key: KEY`, as Gemini does.
    XGoogApiKey,
    /// `api-key: KEY`, as Azure does.
    ApiKey,
}

/// One provider: a name, where it answers, and how it differs from its wire's inventor.
#[derive(Debug)]
pub struct Provider {
    /// As written before the first `/` of a model, for example `groq`.
    pub name: &'static str,
    /// The company's spelling in error messages, for example `OpenAI` in `OpenAIException`.
    pub title: &'static str,
    /// What its own endpoint speaks.
    pub wire: Wire,
    /// Variables that hold its key; the first that is set counts.
    pub key_env: &'static [&'static str],
    /// Variables that replace its base URL; the first that is set counts.
    pub base_env: &'static [&'static str],
    /// Where it answers, with `{VARIABLE}` for an account in it ([`Provider::own_base`]); empty where
    /// a deployment must say so.
    pub base: &'static str,
    /// Where its OpenAI-compatible endpoint answers, for providers whose own wire is another one.
    pub openai_base: Option<&'static str>,
    /// How it wants its key.
    pub auth: AuthScheme,
    /// Whether it answers without a key (local servers).
    pub key_optional: bool,
    /// Headers that every call carries.
    pub headers: &'static [(&'static str, &'static str)],
    /// Headers that every call carries where a variable is set: the header, and the variable.
    pub env_headers: &'static [(&'static str, &'static str)],
    /// Whether a stream may be asked for its usage with `stream_options`.
    pub stream_usage: bool,
    /// Whether it has `/responses`.
    pub responses: bool,
    /// Whether it speaks all dialects of clients, as a LiteLLM proxy does.
    pub polyglot: bool,
    /// How its chat completions differ from OpenAI's.
    pub quirks: &'static [Quirk],
    /// How its addresses, and the names of its models, differ from OpenAI's.
    pub layout: Layout,
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// As the catalogue spells it, for example `groq/llama-3.3-70b-versatile`.
    pub name: &'static str,
    /// A [`Provider::name`], or a provider that has no row yet.
    pub provider: &'static str,
    /// `chat`, `embedding`, …
    pub mode: &'static str,
    /// Tokens that fit in, where known.
    pub max_input_tokens: Option<u32>,
    /// Tokens that can come out, where known.
    pub max_output_tokens: Option<u32>,
    /// What it charges for tokens.
    pub price: Price,
    /// What it charges for an image that it makes.
    pub image: Option<ImagePrice>,
    /// What it is known to be able to do.
    pub supports: Supports,
}

/// The `supports_*` flags of a model that are true.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Supports(u64);

impl std::fmt::Debug for Supports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
