//! Asks each deployment whether it answers (contract 9.2).
use super::Router;
use super::deployment::Deployment;
use super::leaf::Leaf;
use super::outgoing::target_at;
use super::stars::capture;
use super::way::Way;
use crate::config::{Deployment as Config, Fit};
use crate::data;
use crate::forward::Deadlines;
use crate::providers::chat::{Client, Target};
use crate::providers::translate::Edits;
use crate::providers::{Operation, Prompt};
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a deployment may take to answer a probe.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an error answer that are shown.
const SHOWN: usize = 2000;

/// What came of probing one deployment.
#[derive(Debug)]
pub struct Probe {
    /// Its id.
    pub model_id: Arc<str>,
    /// Its model group.
    pub group: Arc<str>,
    /// The model as the config writes it.
    pub model: Arc<str>,
    /// Its base URL; empty for the built-in model.
    pub api_base: Arc<str>,
    /// How long it took.
    pub latency: Duration,
    /// Why it is unhealthy; `None` if it is well.
    pub error: Option<String>,
}

impl Router {
    /// Calls each deployment that is `wanted` once, all at the same time.
    pub async fn probes(&self, wanted: impl Fn(&Probe) -> bool) -> Vec<Probe> {
        let blank = self.0.deployments.iter().map(|deployment| (deployment, blank(deployment)));
        let wanted: Vec<_> = blank.filter(|(_, probe)| wanted(probe)).collect();
        let probes = wanted.into_iter().map(|(deployment, probe)| self.probe(deployment, probe));
        futures_util::future::join_all(probes).await
    }

    async fn probe(&self, deployment: &Deployment, probe: Probe) -> Probe {
        let started = Instant::now();
        let error = self.ask(deployment).await.err();
        Probe { latency: started.elapsed(), error, ..probe }
    }

    async fn ask(&self, deployment: &Deployment) -> Result<(), String> {
        let config = deployment.config();
        let (operation, model, body) = question(deployment)?;
        let (leaf, path, body) = placed(deployment, &operation, &model, body)?;
        let mut req = Request::new(Body::Full(body.clone()));
        *req.method_mut() = Method::POST;
        *req.uri_mut() = path;
        let headers = req.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(config.headers.iter().cloned());
        headers.extend([self.0.rules.hop.clone()]);
        let deadlines = Deadlines { first_byte: TIMEOUT, idle: TIMEOUT, total: Some(TIMEOUT) };
        let prompt = Prompt::of(body);
        let sending = leaf.send(req, deadlines, &operation, &prompt);
        let rsp = sending.await.map_err(|error| error.to_string())?;
        match rsp.status() {
            status if status.is_success() => Ok(()),
            status => Err(refusal(status, rsp.into_body(), config).await),
        }
    }
}

/// A question that costs next to nothing, of the kind that the model takes.
fn question(deployment: &Deployment) -> Result<(Operation, String, Bytes), String> {
    let config = deployment.config();
    let text = |key: &str| config.info.get(key).and_then(serde_json::Value::as_str);
    let model = match text("health_check_model") {
        Some(model) => model.split_once('/').map_or(model, |(_, model)| model).to_owned(),
        None if config.model.contains('*') => {
            let mut models = data::models_of(config.provider.name);
            let fits = models.find(|model| {
                let known = deployment.catalogued_as(model);
                known.is_some_and(|known| known.mode == "chat")
                    && capture(&config.model, model).is_some()
            });
            fits.ok_or("set model_info.health_check_model to probe a wildcard")?.to_owned()
        }
        None => config.model.clone(),
    };
    let mode = text("mode").or_else(|| deployment.catalogued().map(|model| model.mode));
    let (operation, body) = match mode.unwrap_or("chat") {
        "embedding" => {
            (Operation::Embeddings, json!({"model": model, "input": ["test from litellm"]}))
        }
        "completion" => {
            let body = json!({"model": model, "prompt": "test from litellm", "max_tokens": 1});
            (Operation::Completions, body)
        }
        "chat" => {
            let messages = json!([{"role": "user", "content": "Say yes."}]);
            (Operation::ChatCompletions, json!({"model": model, "messages": messages}))
        }
        mode => return Err(format!("models of the mode {mode} are not probed")),
    };
    Ok((operation, model, body.to_string().into()))
}

/// Where the question is asked, and in whose words: OpenAI's, if there is such an endpoint.
fn placed<'a>(
    deployment: &'a Deployment,
    operation: &Operation,
    model: &str,
    body: Bytes,
) -> Result<(&'a Leaf, Uri, Bytes), String> {
    let config = deployment.config();
    let straight = || {
        let path = target_at(config, operation, (model, false), &Uri::default());
        path.map_err(|error| error.to_string())
    };
    if let Some(leaf) = deployment.leaf(operation.dialect()) {
        return Ok((leaf, straight()?, body));
    }
    let nowhere = "the provider has no endpoint for probes";
    match deployment.way(operation, model).ok_or(nowhere)? {
        Way::Straight(leaf) => Ok((leaf, straight()?, body)),
        Way::Translated(leaf, translation) => {
            let edits = Edits {
                defaults: &[],
                forced: &[],
                extra_body: &config.extra_body,
                drop: &[],
                stream_usage: false,
            };
            let target = Target {
                provider: config.provider.name,
                row: Some(config.provider),
                model,
                like: deployment.like(model),
                max_output: Some(16),
                thinks: None,
                modify: true,
            };
            let draft = translation.read(&body, &edits, Fit::default());
            let written = draft.and_then(|draft| draft.write(&target, &edits, Client::default()));
            let body = written.map_err(|error| error.to_string())?.body;
            let path = translation.path(config.provider, model, false);
            Ok((leaf, path.map_err(|_| "the path is not valid")?, body))
        }
        Way::Counted(_) => Err(nowhere.to_owned()),
    }
}

/// LiteLLM's class and the beginning of what the upstream said.
async fn refusal(status: StatusCode, body: super::leaf::LeafBody, config: &Config) -> String {
    let said = Limited::new(body, 64 * 1024).collect().await;
    let said = said.map(|said| said.to_bytes()).unwrap_or_default();
    let said = without_credentials(String::from_utf8_lossy(&said).into_owned(), config);
    let class = crate::providers::Class::of(status).name();
    format!("litellm.{class}: {status} - {}", said.chars().take(SHOWN).collect::<String>())
}

/// Some upstreams quote the credential that they refuse.
fn without_credentials(said: String, config: &Config) -> String {
    let headers = config.headers.iter().map(|(_, value)| value);
    let secret =
        headers.filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
    // The word behind `Bearer` is one of its own.
    let parts = secret.flat_map(|value| [value, value.rsplit(' ').next().unwrap_or(value)]);
    let key = config.api_key.iter().map(|key| key.expose().as_str());
    let all = key.chain(parts).filter(|secret| !secret.trim().is_empty());
    all.fold(said, |said, secret| said.replace(secret, "[hidden]"))
}

fn blank(deployment: &Deployment) -> Probe {
    let labels = deployment.labels();
    let written = deployment.config().params.get("model").and_then(serde_json::Value::as_str);
    Probe {
        model_id: labels.model_id.clone(),
        group: labels.model_group.clone(),
        model: written.map_or_else(|| labels.litellm_model_name.clone(), Into::into),
        api_base: labels.api_base.clone(),
        latency: Duration::ZERO,
        error: None,
    }
}
