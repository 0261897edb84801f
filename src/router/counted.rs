//! Counts of a prompt's tokens for clients whose words the provider does not speak: the provider's
//! own where it counts, else guessed by what the prompt's group has taken so far.
use super::deployment::Deployment;
use super::leaf::{Leaf, LeafBody, Sending};
use super::made::Bound;
use super::outgoing::is_segments;
use super::translating::fit_headers;
use super::way::Way;
use super::whole::collect_all;
use crate::providers::chat::Target;
use crate::providers::translate::{Count, Protocol};
use crate::providers::{Dialect, Operation, Prompt};
use bartizan_layers::body::Body;
use bartizan_layers::query::parameters;
use bartizan_layers::wire::estimate::Expected;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::Either;
use serde_json::{Value, json};
use std::future::ready;

/// Counts the prompt of `bound` for the `model`: as is `expected` where no provider does, or it
/// fails.
pub(super) fn count(
    model: &str,
    expected: &Expected,
    client: &Parts,
    headers: HeaderMap,
    own: &[(HeaderName, HeaderValue)],
    bound: Bound<'_>,
) -> Sending {
    let Bound { deployment, operation, prompt, deadlines, .. } = bound;
    let guess = expected.input();
    let asked = asked(deployment, operation, model, prompt, &client.uri);
    let (operation, prompt, model) = (operation.clone(), prompt.clone(), model.to_owned());
    let Some((leaf, protocol, Count { path, body, headers: needed })) = asked else {
        let rsp = answer(&operation, &prompt, &model, Told::Guess(guess));
        return Sending::Made(Box::pin(ready(Ok(rsp))));
    };
    let mut req = Request::new(Body::Full(body));
    (*req.method_mut(), *req.uri_mut(), *req.headers_mut()) = (Method::POST, path, headers);
    fit_headers(req.headers_mut(), own, protocol, &needed);
    let sending = leaf.send(req, deadlines, &operation, &prompt);
    Sending::Made(Box::pin(async move {
        let told = told(sending, &prompt).await;
        let count = told.as_ref().and_then(|told| protocol.counted(told));
        let told = match (count, &told) {
            (Some(count), Some(told)) => Told::Count(count, protocol, told),
            _ => Told::Guess(guess),
        };
        Ok(answer(&operation, &prompt, &model, told))
    }))
}

/// Whom this is asked, and how; `None` where the proxy tells.
fn asked<'a>(
    deployment: &'a Deployment,
    operation: &Operation,
    model: &str,
    prompt: &Prompt,
    uri: &Uri,
) -> Option<(&'a Leaf, Protocol, Count)> {
    // As LiteLLM, which asks nobody on its own path unless it is told to.
    let wanted = *operation != Operation::TokenCounter || calls_endpoint(uri);
    let way = deployment.way(operation, model).filter(|_| wanted);
    let Some(Way::Counted(Some((leaf, protocol)))) = way else { return None };
    let config = deployment.config();
    let target = Target {
        provider: config.provider.name,
        row: None,
        model,
        like: deployment.like(model),
        max_output: None,
        thinks: None,
        // Of a prompt that has to be mended, too, the count is better than a guess.
        modify: true,
    };
    let whole = prompt.text.whole();
    // Taken apart and written.
    if !is_segments(model) || !prompt.held.hold_more(2 * whole.len()) {
        return None;
    }
    Some((leaf, protocol, protocol.count(operation, &whole, &target).ok()?))
}

fn calls_endpoint(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    let wanted = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "true" | "1");
    parameters(query).any(|it| it.name == "call_endpoint" && wanted(it.value))
}

/// What the provider answers, if it counted.
async fn told(sending: Sending, prompt: &Prompt) -> Option<Bytes> {
    let (parts, body) = sending.await.ok()?.into_parts();
    let body = collect_all(body, &*prompt.held).await.ok()??;
    parts.status.is_success().then_some(body)
}

/// A number of tokens, and whose it is.
#[derive(Clone, Copy)]
enum Told<'a> {
    Guess(i64),
    /// With what its provider answered.
    Count(i64, Protocol, &'a Bytes),
}

/// The answer that the client of `operation` expects.
fn answer(
    operation: &Operation,
    prompt: &Prompt,
    model: &str,
    told: Told<'_>,
) -> Response<LeafBody> {
    let (tokens, by, original) = match told {
        Told::Guess(tokens) => (tokens, "local_estimate", Value::Null),
        Told::Count(tokens, protocol, original) => {
            let by = match protocol {
                Protocol::Gemini => "gemini",
                Protocol::Converse => "bedrock_api",
                _ => "anthropic_api",
            };
            (tokens, by, serde_json::from_slice(original).unwrap_or_default())
        }
    };
    let told = match operation.dialect() {
        Dialect::Anthropic if original.is_null() => {
            json!({"input_tokens": tokens, "litellm_count_source": by})
        }
        Dialect::Anthropic => json!({"input_tokens": tokens}),
        Dialect::Gemini => json!({"totalTokens": tokens}),
        Dialect::OpenAi | Dialect::Cohere | Dialect::Ollama => json!({
            "total_tokens": tokens,
            "request_model": prompt.model.as_deref().unwrap_or_default(),
            "model_used": model,
            "tokenizer_type": by,
            "original_response": original,
            "error": false,
            "error_message": null,
            "status_code": null,
        }),
    };
    let mut rsp = Response::new(Either::Right(Body::Full(told.to_string().into())));
    let json = HeaderValue::from_static("application/json");
    rsp.headers_mut().insert(header::CONTENT_TYPE, json);
    rsp
}
