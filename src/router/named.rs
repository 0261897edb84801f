//! What a deployment is called: in metrics, and in the headers of its answers.
use crate::config;
use crate::telemetry::DeploymentLabels;
use http::{HeaderName, HeaderValue, Uri};

/// What metrics and records call a deployment.
pub(super) fn labels(config: &config::Deployment) -> DeploymentLabels {
    let provider = config.provider.name;
    DeploymentLabels {
        model_id: config.id.as_str().into(),
        model_group: config.group.as_str().into(),
        model: config.model.as_str().into(),
        litellm_model_name: format!("{provider}/{}", config.model).into(),
        api_provider: provider,
        api_base: config.api_base.as_ref().map_or_else(String::new, Uri::to_string).into(),
    }
}

/// The headers of contract 8.1 that are the same for each answer of a deployment.
pub(super) fn answer_headers(labels: &DeploymentLabels) -> Vec<(HeaderName, HeaderValue)> {
    let texts = [
        ("x-litellm-model-id", &*labels.model_id),
        ("x-litellm-model-group", &labels.model_group),
        ("x-litellm-model-name", &labels.litellm_model_name),
        ("x-litellm-model-api-base", &labels.api_base),
        ("x-litellm-version", env!("CARGO_PKG_VERSION")),
        ("x-litellm-attempted-retries", "0"),
        ("x-litellm-attempted-fallbacks", "0"),
    ];
    let filled = texts.into_iter().filter(|(_, text)| !text.is_empty());
    filled
        .filter_map(|(name, text)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(text).ok()?))
        })
        .collect()
}
