//! How a row of the provider table is written.
use super::{AuthScheme, Layout, Provider, Quirk, Wire};

// What stands in more than one row.
pub(super) const AI21: &str = "https://api.ai21.com/studio/v1";
pub(super) const AWS: &str = "https://bedrock-runtime.us-west-2.amazonaws.com";
pub(super) const AWS_BASES: &[&str] =
    &["AWS_BEDROCK_RUNTIME_ENDPOINT", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"];
pub(super) const AWS_KEYS: &[&str] = &["AWS_BEARER_TOKEN_BEDROCK"];
pub(super) const AWS_MANTLE: &str = "https://bedrock-mantle.us-east-1.api.aws/v1";
pub(super) const COHERE: &str = "https://api.cohere.ai/compatibility/v1";
pub(super) const COHERE_KEYS: &[&str] = &["COHERE_API_KEY", "CO_API_KEY"];
pub(super) const GEMINI_OPENAI: &str = "https://generativelanguage.googleapis.com/v1beta/openai";
pub(super) const OLLAMA: &str = "http://localhost:11434";
pub(super) const OLLAMA_OPENAI: &str = "http://localhost:11434/v1";
pub(super) const OPENAI: &str = "https://api.openai.com/v1";
pub(super) const OPENAI_BASES: &[&str] = &["OPENAI_BASE_URL", "OPENAI_API_BASE"];

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
        env_headers: &[],
        stream_usage: true,
        responses: false,
        polyglot: false,
        quirks: &[],
        layout: Layout::OPENAI,
    }
}

impl Provider {
    pub(super) const fn responses(self) -> Self {
        Self { responses: true, ..self }
    }

    pub(super) const fn polyglot(self) -> Self {
        Self { polyglot: true, ..self }
    }

    pub(super) const fn env_headers(
        self,
        env_headers: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { env_headers, ..self }
    }

    pub(super) const fn quirks(self, quirks: &'static [Quirk]) -> Self {
        Self { quirks, ..self }
    }

    pub(super) const fn layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// For those that know the bound of an answer by its older name alone.
    pub(super) const fn max_tokens(self) -> Self {
        self.quirks(super::quirks::MAX_TOKENS)
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

    /// Google's cloud, where a key is the exception: mostly a login gives the credential.
    pub(super) const fn at_google(self) -> Self {
        Self { wire: Wire::Vertex, auth: AuthScheme::XGoogApiKey, key_optional: true, ..self }
    }

    /// For Bedrock: without a key its requests are signed.
    pub(super) const fn of_aws(self) -> Self {
        Self { wire: Wire::Converse, stream_usage: false, ..self }.key_optional()
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
