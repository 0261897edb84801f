//! The paths of Azure's resources.
use super::{Dialect, Endpoint};
use crate::config::{AzureApi, AzureAt};
use crate::data::AuthScheme;
use bartizan_layers::query::{Parameter, parameters, target, without};
use http::Uri;

/// The version of deployments' paths where none is told; LiteLLM's.
const VERSION: &str = "2025-02-01-preview";
/// The version of Foundry's models where none is told.
const OF_MODELS: &str = "2024-05-01-preview";
/// The version of realtime's WebSocket where none is told.
const OF_REALTIME: &str = "2024-10-01-preview";
/// What is asked of a deployment by its own path; all else is asked of the resource.
const OF_DEPLOYMENTS: [&str; 8] = [
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/images/generations",
    "/images/edits",
    "/audio/speech",
    "/audio/transcriptions",
    "/audio/translations",
];

/// Where a resource at `base` answers calls in `dialect`; `None` if it does not speak it.
#[must_use]
pub fn endpoint(at: &AzureAt, base: &Uri, dialect: Dialect) -> Option<Endpoint> {
    let base = base.to_string();
    let base = base.trim_end_matches('/');
    let (base, auth) = match (&at.api, dialect) {
        (AzureApi::Anthropic, Dialect::Anthropic) => {
            (format!("{base}/anthropic/v1"), AuthScheme::XApiKey)
        }
        (AzureApi::Anthropic, _) => return None,
        (AzureApi::Plain, Dialect::OpenAi) => (base.to_owned(), AuthScheme::Bearer),
        (_, Dialect::OpenAi) => (base.to_owned(), AuthScheme::ApiKey),
        _ => return None,
    };
    Some(Endpoint { base, auth })
}

/// OpenAI's path `uri` as this resource has it for its `model`; `None` if the model's name cannot
/// stand in a path.
#[must_use]
pub fn path(at: &AzureAt, model: &str, uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let told = at.version.as_deref();
    let (path, version) = match &at.api {
        AzureApi::Anthropic => return Some(uri.clone()),
        AzureApi::Plain => (path.to_owned(), told),
        // It has no versions but for what is not finished.
        AzureApi::V1 => {
            (format!("/openai/v1{path}"), told.filter(|it| matches!(*it, "preview" | "latest")))
        }
        AzureApi::Models if path == "/rerank" => ("/v1/rerank".to_owned(), told),
        AzureApi::Models => (format!("/models{path}"), told.or(Some(OF_MODELS))),
        AzureApi::Deployments(named) if OF_DEPLOYMENTS.contains(&path) => {
            let name = named.as_deref().unwrap_or(model);
            if !is_segment(name) {
                return None;
            }
            (format!("/openai/deployments/{name}{path}"), told.or(Some(VERSION)))
        }
        AzureApi::Deployments(_) if path.starts_with("/responses") && told.is_none() => {
            (format!("/openai/v1{path}"), Some("preview"))
        }
        AzureApi::Deployments(_) if path == "/realtime" => {
            ("/openai/realtime".to_owned(), told.or(Some(OF_REALTIME)))
        }
        AzureApi::Deployments(_) => (format!("/openai{path}"), told.or(Some(VERSION))),
    };
    target(&path, &query(at, uri, version)).parse().ok()
}

/// The client's query, with our version in place of its own.
fn query(at: &AzureAt, uri: &Uri, version: Option<&str>) -> String {
    let query = uri.query().unwrap_or_default();
    let mut query = without(query, |it| it.name == "api-version" || it.whole.is_empty());
    if matches!(at.api, AzureApi::Deployments(_)) && uri.path() == "/realtime" {
        let named = |Parameter { whole, name, value }| match name {
            "model" => format!("deployment={value}"),
            _ => whole.to_owned(),
        };
        query = parameters(&query).map(named).collect::<Vec<_>>().join("&");
    }
    let between = if query.is_empty() { "" } else { "&" };
    match version {
        Some(version) => format!("api-version={version}{between}{query}"),
        None => query,
    }
}

/// Whether a name stays one part of a path.
fn is_segment(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    !matches!(name, "" | "." | "..") && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{AzureApi, AzureAt, path};

    fn at(api: AzureApi, version: Option<&str>) -> AzureAt {
        AzureAt { api, version: version.map(str::to_owned), like: None }
    }

    fn told(at: &AzureAt, uri: &str) -> String {
        path(at, "dep", &uri.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_deployment_has_a_path_of_its_own() {
        let deployments = at(AzureApi::Deployments(None), None);
        for (uri, wanted) in [
            (
                "/chat/completions",
                "/openai/deployments/dep/chat/completions?api-version=2025-02-01-preview",
            ),
            (
                "/embeddings?a=b&api-version=1",
                "/openai/deployments/dep/embeddings?api-version=2025-02-01-preview&a=b",
            ),
            ("/files/f", "/openai/files/f?api-version=2025-02-01-preview"),
            ("/responses", "/openai/v1/responses?api-version=preview"),
            ("/responses/resp_1", "/openai/v1/responses/resp_1?api-version=preview"),
            (
                "/realtime?model=dep&intent=x",
                "/openai/realtime?api-version=2024-10-01-preview&deployment=dep&intent=x",
            ),
        ] {
            assert_eq!(told(&deployments, uri), wanted);
        }
        let named = at(AzureApi::Deployments(Some("own".to_owned())), Some("2024-10-21"));
        let wanted = "/openai/deployments/own/audio/speech?api-version=2024-10-21";
        assert_eq!(told(&named, "/audio/speech"), wanted);
        assert_eq!(told(&named, "/responses"), "/openai/responses?api-version=2024-10-21");
    }

    #[test]
    fn the_other_apis_take_the_model_in_the_body() {
        let v1 = at(AzureApi::V1, Some("v1"));
        assert_eq!(told(&v1, "/chat/completions"), "/openai/v1/chat/completions");
        let preview = at(AzureApi::V1, Some("preview"));
        assert_eq!(told(&preview, "/responses"), "/openai/v1/responses?api-version=preview");
        let models = at(AzureApi::Models, None);
        let wanted = "/models/chat/completions?api-version=2024-05-01-preview";
        assert_eq!(told(&models, "/chat/completions"), wanted);
        assert_eq!(told(&models, "/rerank"), "/v1/rerank");
        assert_eq!(told(&at(AzureApi::Plain, None), "/chat/completions"), "/chat/completions");
        assert_eq!(told(&at(AzureApi::Anthropic, None), "/messages"), "/messages");
    }

    #[test]
    fn no_name_leads_out_of_its_path() {
        let deployments = at(AzureApi::Deployments(None), None);
        for name in ["..", "", "a/b", "a?b", "a%2fb", "a b"] {
            let uri = "/chat/completions".parse().unwrap();
            assert_eq!(path(&deployments, name, &uri), None, "{name}");
        }
    }
}
