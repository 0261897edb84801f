//! How a row of the provider table is written.
use super::{AuthScheme, Provider, Wire};

/// A provider whose variables are `<PREFIX>_API_KEY` and `<PREFIX>_API_BASE`.
macro_rules! plain {
    ($name:literal, $title:literal, $prefix:literal, $base:expr) => {
        row($name, $title, &[concat!($prefix, "_API_KEY")], &[concat!($prefix, "_API_BASE")], $base)
    };
}
pub(super) use plain;

/// An OpenAI-compatible provider with a bearer key, without `/responses`.
pub(super) const fn row(
    name: &'static str,
    title: &'static str,
    key_env: &'static [&'static str],
    base_env: &'static [&'static str],
    base: &'static str,
) -> Provider {
    Provider {
        name,
        title,
        wire: Wire::OpenAi,
        key_env,
        base_env,
        base,
        openai_base: None,
        auth: AuthScheme::Bearer,
        key_optional: false,
        headers: &[],
        stream_usage: true,
        responses: false,
    }
}

impl Provider {
    pub(super) const fn responses(self) -> Self {
        Self { responses: true, ..self }
    }

    /// For those that refuse `stream_options`, or report usage without being asked.
    pub(super) const fn no_stream_usage(self) -> Self {
        Self { stream_usage: false, ..self }
    }

    pub(super) const fn key_optional(self) -> Self {
        Self { key_optional: true, ..self }
    }

    pub(super) const fn openai_at(self, base: &'static str) -> Self {
        Self { openai_base: Some(base), ..self }
    }

    pub(super) const fn speaks(
        self,
        wire: Wire,
        auth: AuthScheme,
        openai_base: &'static str,
    ) -> Self {
        Self { wire, auth, ..self }.openai_at(openai_base)
    }
}
