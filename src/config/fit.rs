//! Requests that a provider cannot take as they are.
/// How requests are fitted to a provider that cannot take all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Whether what the provider lacks is left out (`drop_params`) instead of the call being
    /// refused. Where nobody says, calls in OpenAI's completions are refused, as LiteLLM does, and
    /// others go on.
    pub drop: Option<bool>,
    /// OpenAI's parameters that are sent all the same (`allowed_openai_params`).
    pub allowed: Vec<String>,
    /// Whether messages are mended until the provider takes them (`modify_params`).
    pub modify: bool,
    /// Whether thoughts are told as text (`merge_reasoning_content_in_choices`).
    pub merge_thoughts: bool,
}

impl Fit {
    /// These rules where they say something, and else those that hold for all.
    #[must_use]
    pub fn over(&self, all: &Self) -> Self {
        Self { drop: self.drop.or(all.drop), modify: self.modify || all.modify, ..self.clone() }
    }
}
