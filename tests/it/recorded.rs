//! Real traffic on the paths where nothing is translated: below providers' own names, and of
//! uploads, images, audio and objects of an account.
use crate::client::{Answer, request, with_body};
use crate::fixtures::{self, Exchange};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, Step, Upstream, piece};
use crate::wire::Message;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use memchr::memmem::find;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// The providers whose APIs are passed on below their name, their rows, and what their bases end in.
const RAW: [(&str, &str, &str); 6] = [
    ("openai", "openai", "/v1"),
    ("anthropic", "anthropic", ""),
    ("gemini", "gemini", "/v1beta"),
    ("cohere", "cohere", ""),
    ("mistral", "mistral", "/v1"),
    ("vllm", "hosted_vllm", "/v1"),
];

/// One recorded exchange as it is played again.
struct Replay {
    exchange: Exchange,
    method: &'static str,
    /// The path and the query that the provider heard.
    target: String,
    request: Bytes,
    answer: Bytes,
}

impl Replay {
    /// Nothing for exchanges of which one half was not recorded.
    fn new(exchange: Exchange) -> Option<Self> {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let method = methods.into_iter().find(|one| *one == exchange.text("/request/method"))?;
        let url = exchange.text("/request/url");
        let target = url.split_once("://")?.1.split_once('/')?.1;
        let (request, answer) = (body(&exchange, "request")?, body(&exchange, "response")?);
        Some(Self { method, target: format!("/{target}"), request, answer, exchange })
    }

    fn play(&self) -> Vec<Step> {
        let (status, headers) = (self.exchange.status(), self.exchange.headers());
        if self.exchange.text("/response/body_text").is_empty() {
            return upstream::answer(status, &headers, &self.answer);
        }
        let pieces = self.exchange.pieces(self.answer.clone()).into_iter().map(piece);
        let head = upstream::chunked_head(status, &headers);
        std::iter::once(head).chain(pieces).chain([Step::End]).collect()
    }

    async fn ask(&self, proxy: &Proxy, before: &str) -> Answer {
        let target = format!("{before}{}", self.target);
        let kind = self.exchange.file["request"]["headers"]["content-type"].as_str();
        let call = if self.request.is_empty() {
            request(self.method, target)
        } else {
            with_body(self.method, target, kind.unwrap_or("application/json"), &self.request)
        };
        call.key(KEY).send(proxy.addr()).await
    }

    fn check(&self, arrived: Option<Message>, answer: &Answer) -> Result<(), String> {
        let told = || String::from_utf8_lossy(&answer.message.body).chars().take(300).collect();
        let told: Box<dyn Fn() -> String> = Box::new(told);
        let arrived = arrived.ok_or_else(|| format!("nothing arrived: {}", told()))?;
        let line = format!("{} {}", self.method, self.target);
        if !arrived.head.first.starts_with(&line) {
            return Err(format!("{} is not {line}", arrived.head.first));
        }
        if arrived.body != self.request {
            return Err("another request".to_owned());
        }
        let status = self.exchange.status();
        if answer.status != status || !answer.is_whole() || answer.message.body != self.answer {
            return Err(format!("another answer: {} for {status}: {}", answer.status, told()));
        }
        Ok(())
    }
}

/// One half's body; `None` if it was not recorded.
fn body(exchange: &Exchange, half: &str) -> Option<Bytes> {
    let half = &exchange.file[half];
    if let Some(bytes) = half["body_base64"].as_str() {
        return Some(STANDARD.decode(bytes).expect("base64").into());
    }
    match (&half["body_text"], &half["body"]) {
        (Value::String(text), _) => Some(Bytes::copy_from_slice(text.as_bytes())),
        (_, Value::String(text)) if text.contains("omitted]") => None,
        // Ruby's strings have one character for each byte.
        (_, Value::String(text)) => Some(Bytes::copy_from_slice(text.as_bytes())),
        (_, Value::Null) => Some(Bytes::new()),
        (_, body) => Some(serde_json::to_vec(body).expect("JSON").into()),
    }
}

/// Plays what `wanted` takes, each below the path that it names.
async fn replay_all(
    test: &str,
    config: impl Fn(&str) -> String,
    wanted: impl Fn(&Replay) -> Option<String>,
) {
    let Some(root) = fixtures::root(test) else { return };
    let script = Arc::new(Mutex::new(Vec::new()));
    let playing = Arc::clone(&script);
    let upstream = Upstream::start(move |_| playing.lock().expect("not poisoned").clone()).await;
    let models = config(&upstream.origin());
    let once = "router_settings: {num_retries: 0, disable_cooldowns: true}";
    let config = format!("model_list:\n{models}{once}\ngeneral_settings:\n  master_key: {KEY}\n");
    let proxy = proxy::with(&config).start().await;
    let (mut played, mut wrong) = (0, Vec::new());
    for replay in fixtures::all(&root).into_iter().filter_map(Replay::new) {
        let Some(before) = wanted(&replay) else { continue };
        *script.lock().expect("not poisoned") = replay.play();
        let seen = upstream.seen().begun;
        let answer = replay.ask(&proxy, &before).await;
        let found = replay.check(upstream.request(seen), &answer);
        wrong.extend(found.err().map(|why| format!("{}: {why}", replay.exchange.name)));
        played += 1;
    }
    eprintln!("{test}: {} of {played} exchanges passed", played - wrong.len());
    assert!(played > 0 && wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A deployment of all models of a row of [`RAW`], whose key raw calls use too.
fn deployment(name: &str, (_, provider, base): (&str, &str, &str), origin: &str) -> String {
    format!(
        "  - model_name: \"{name}\"
    litellm_params:
      model: \"{provider}/*\"
      api_base: {origin}{base}
      api_key: {CREDENTIAL}
      use_in_pass_through: true
"
    )
}

#[tokio::test]
async fn below_its_name_a_providers_traffic_passes_byte_for_byte() {
    let deployments = |origin: &str| RAW.map(|row| deployment(row.0, row, origin)).concat();
    replay_all("raw", deployments, |replay| {
        let provider = replay.exchange.text("/provider");
        // `/openai/v1/responses` is a path of the proxy's own, which needs the models' names.
        let own = provider == "openai" && replay.target == "/v1/responses";
        (!own && RAW.iter().any(|row| row.0 == provider)).then(|| format!("/{provider}"))
    })
    .await;
}

#[tokio::test]
async fn media_and_objects_of_openai_pass_byte_for_byte() {
    let routes = [
        "images",
        "audio",
        "moderations",
        "files",
        "batches",
        "vector_stores",
        "fine_tuning",
        "threads",
        "assistants",
        "conversations",
        "uploads",
        "containers",
        "evals",
    ];
    replay_all(
        "media and objects",
        |origin| deployment("*", RAW[0], origin),
        |replay| {
            let openai = replay.exchange.text("/provider") == "openai";
            let kind = replay.target.split(['/', '?']).nth(2)?;
            // A form without a model would need a default one.
            let form = replay.request.starts_with(b"--");
            let named =
                !form || kind == "files" || find(&replay.request, b"name=\"model\"").is_some();
            (openai && routes.contains(&kind) && named).then(String::new)
        },
    )
    .await;
}
