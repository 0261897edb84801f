//! What Ollama's clients ask of a server besides answers: which models it has, and what each can do.
use super::{Handles, json};
use crate::data::Model;
use crate::edge::answer;
use crate::providers::{Dialect, Problem};
use crate::router::Listed;
use bartizan_layers::body::Body;
use bartizan_layers::facts::Principal;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The version of Ollama whose API this is: some clients want to know that it is not older than they.
const VERSION: &str = "0.12.6";

/// When each model was changed: the moment that `/models` tells.
const MODIFIED: &str = "2023-02-28T18:56:42Z";

/// No name is longer, nor what stands around it, in bytes.
const LONGEST: usize = 64 << 10;

/// `/api/version`.
pub(super) fn version() -> Response<Body> {
    json(&json!({"version": VERSION}))
}

/// `/api/tags`: all names that may be asked for.
pub(super) fn list(handles: &Handles, who: &Principal) -> Response<Body> {
    let mut names = handles.router.listed(false);
    names.retain(|listed| handles.shows(who, &listed.name));
    let models: Vec<Value> = names.iter().map(|listed| item(handles, listed)).collect();
    json(&json!({"models": models}))
}

/// `/api/ps`: nothing is loaded here.
pub(super) fn loaded() -> Response<Body> {
    json(&json!({"models": []}))
}

/// `/api/show`: one of them.
pub(super) async fn show(handles: &Handles, who: &Principal, body: Body) -> Response<Body> {
    let body = Limited::new(body, LONGEST).collect().await.map(|body| body.to_bytes());
    let asked: Option<Map<String, Value>> =
        body.ok().and_then(|body| serde_json::from_slice(&body).ok());
    // Older clients call it `name`.
    let name = asked.as_ref().and_then(|asked| asked.get("model").or_else(|| asked.get("name")));
    let Some(name) = name.and_then(Value::as_str) else {
        let problem = Problem::bad_request("The request must be a JSON object with a `model`.");
        return answer(Dialect::Ollama, &problem);
    };
    let name = handles.router.untagged(name.into());
    match handles.router.look_up(&name).filter(|_| handles.shows(who, &name)) {
        Some(listed) => json(&shown(handles, &listed)),
        None => {
            let message = format!("model '{name}' not found");
            answer(Dialect::Ollama, &Problem::new(StatusCode::NOT_FOUND, message))
        }
    }
}

fn item(handles: &Handles, listed: &Listed) -> Value {
    // Clients compare models by it, and show its beginning.
    let digest = Sha256::digest(listed.name.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "name": listed.name,
        "model": listed.name,
        "modified_at": MODIFIED,
        "size": 0,
        "digest": digest,
        "details": details(family(handles, listed)),
    })
}

fn shown(handles: &Handles, listed: &Listed) -> Value {
    let family = family(handles, listed);
    let mut info = Map::from_iter([("general.architecture".to_owned(), Value::from(family))]);
    let context = listed.model.as_ref().and_then(|model| model.max_input_tokens);
    context.map(|tokens| info.insert(format!("{family}.context_length"), tokens.into()));
    json!({
        "license": "",
        "modelfile": "",
        "parameters": "",
        "template": "",
        "modified_at": MODIFIED,
        "details": details(family),
        "model_info": info,
        "capabilities": capabilities(listed.model.as_ref()),
    })
}

/// The provider's name stands for the family.
fn family(handles: &Handles, listed: &Listed) -> &'static str {
    handles.router.known(&listed.name).map_or("unknown", |(provider, _)| provider)
}

fn details(family: &str) -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family],
        "parameter_size": "",
        "quantization_level": "",
    })
}

/// What a model can do, in Ollama's words. Of one that nobody knows tools are promised: a client
/// would never ask it for some, else.
fn capabilities(model: Option<&Model>) -> Vec<&'static str> {
    let Some(model) = model else { return vec!["completion", "tools"] };
    if model.mode == "embedding" {
        return vec!["embedding"];
    }
    let words = [("function_calling", "tools"), ("vision", "vision"), ("reasoning", "thinking")];
    let able = words.into_iter().filter(|(name, _)| model.supports.has(name));
    std::iter::once("completion").chain(able.map(|(_, word)| word)).collect()
}
