//! Rows of gateways, which have other providers behind them.
use super::quirks;
use super::row::row;
use super::{AuthScheme, Provider};

const AZURE_KEYS: &[&str] = &["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"];
const AZURE_BASES: &[&str] = &["AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"];

/// OpenAI's models in Azure.
pub(super) const AZURE: Provider =
    Provider { auth: AuthScheme::ApiKey, ..row("azure", "Azure", AZURE_KEYS, AZURE_BASES, "") }
        .responses()
        .quirks(quirks::OPENAI);

/// The models of others in Azure.
pub(super) const AZURE_AI: Provider = Provider {
    auth: AuthScheme::ApiKey,
    ..row("azure_ai", "Azure_ai", &["AZURE_AI_API_KEY"], &["AZURE_AI_API_BASE"], "")
};

/// Deployments in Azure that complete text.
pub(super) const AZURE_TEXT: Provider = Provider {
    auth: AuthScheme::ApiKey,
    ..row("azure_text", "Azure_text", AZURE_KEYS, AZURE_BASES, "")
}
.quirks(quirks::OPENAI);

/// Another LiteLLM proxy, or what speaks like one.
pub(super) const LITELLM_PROXY: Provider = row(
    "litellm_proxy",
    "Litellm_proxy",
    &["LITELLM_PROXY_API_KEY", "litellm.apiKey", "LITELLM_API_KEY", "LITELLM_MASTER_KEY"],
    &["LITELLM_PROXY_API_BASE", "LITELLM_URL", "LITELLM_PROXY_URL"],
    "",
)
.key_optional()
.responses()
.polyglot()
.quirks(quirks::LITELLM);

pub(super) const OPENROUTER: Provider = row(
    "openrouter",
    "Openrouter",
    &["OPENROUTER_API_KEY", "OR_API_KEY"],
    &["OPENROUTER_API_BASE"],
    "https://openrouter.ai/api/v1",
)
.responses()
.env_headers(&[("http-referer", "OR_SITE_URL"), ("x-title", "OR_APP_NAME")])
.quirks(quirks::OPENROUTER);

pub(super) const VERCEL: Provider = row(
    "vercel_ai_gateway",
    "Vercel_ai_gateway",
    &["VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"],
    &["VERCEL_AI_GATEWAY_API_BASE"],
    "https://ai-gateway.vercel.sh/v1",
)
.quirks(quirks::VERCEL);
