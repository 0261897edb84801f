//! Real traffic through the binary: what a provider's client and the provider say to each other
//! arrives byte for byte, but for the edits that have a name.
use crate::client::{Answer, post};
use crate::fixtures::{self, Exchange};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, Step, Upstream, piece};
use crate::wire::Message;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

/// The dialects that have a route now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    OpenAi,
    Anthropic,
    Gemini,
}

/// One recorded exchange as it is played again.
struct Replay {
    exchange: Exchange,
    spoken: Spoken,
    /// The path that the client asks for; `MODEL` stands for its model.
    target: String,
    /// Which of the config's names the client puts in front of the model.
    prefix: &'static str,
    /// What the provider read, and must read again.
    request: Value,
    model: String,
    answer: Bytes,
}

/// The names that clients use, the provider behind each, and what follows its address.
const DEPLOYMENTS: [(&str, &str, &str); 30] = [
    ("openai-", "openai", "/v1"),
    ("azure-", "azure", "/openai/v1"),
    ("azure_text-", "azure_text", "/openai/v1"),
    ("dashscope-", "dashscope", "/v1"),
    ("cerebras-", "cerebras", "/v1"),
    ("cloudflare-", "cloudflare", "/client/v4/accounts/0123456789abcdef0123456789abcdef/ai/v1"),
    ("crusoe-", "crusoe", "/v1"),
    ("databricks-", "databricks", "/serving-endpoints"),
    ("deepseek-", "deepseek", "/v1"),
    ("groq-", "groq", "/v1"),
    ("gpustack-", "gpustack", "/v1"),
    ("heroku-", "heroku", "/v1"),
    ("huggingface-", "huggingface", "/v1"),
    ("llamacpp-", "llamacpp", "/v1"),
    ("mistral-", "mistral", "/v1"),
    ("moonshot-", "moonshot", "/v1"),
    ("ollama-", "lm_studio", "/v1"),
    ("openrouter-", "openrouter", "/v1"),
    ("perplexity-", "perplexity", ""),
    ("snowflake-", "snowflake", "/api/v2"),
    ("together-", "together_ai", "/v1"),
    ("vercel-", "vercel_ai_gateway", "/v1"),
    ("vllm-", "hosted_vllm", "/v1"),
    ("voyage-", "voyage", "/v1"),
    ("writer-", "writer", "/v1"),
    ("xai-", "xai", "/v1"),
    ("zai-", "zai", "/v1"),
    ("anthropic-", "anthropic", ""),
    ("gemini-", "gemini", "/v1beta"),
    ("vertex-", "vertex_ai", "/v1/projects/p/locations/l/publishers"),
];

impl Replay {
    /// `Err` says why this exchange has no route yet.
    fn new(exchange: Exchange) -> Result<Self, String> {
        let endpoint = exchange.text("/endpoint").to_owned();
        let is_writers = exchange.text("/provider") == "writer" && endpoint == "POST /v1/chat";
        let openais = if is_writers { "POST /chat/completions" } else { &endpoint };
        let Some((spoken, target)) = route(openais) else {
            return Err(endpoint);
        };
        let mut request = exchange.file["request"]["body"].clone();
        if request.is_null() {
            request = stand_in(&exchange, &target);
        }
        let (Some(fields), Some(answer)) = (request.as_object_mut(), exchange.answer()) else {
            return Err(format!("{endpoint} (half of it was recorded)"));
        };
        let mut model = exchange.text("/model").to_owned();
        if model.starts_with(':') && exchange.text("/provider") == "vertex" {
            // Its name was left out of the address: the answer tells it.
            model = exchange.text("/response/body/model").to_owned();
        }
        if spoken != Spoken::Gemini {
            let named = fields.entry("model").or_insert_with(|| model.clone().into());
            model = named.as_str().unwrap_or_default().to_owned();
        }
        let query = exchange.text("/request/url").split_once('?').map_or("", |(_, query)| query);
        let query = query.split('&').filter(|part| part.starts_with("alt=")).collect::<String>();
        let target = if query.is_empty() { target } else { format!("{target}?{query}") };
        let prefix = prefix(exchange.text("/provider"), spoken, &target);
        Ok(Self { exchange, spoken, target, prefix, request, model, answer })
    }

    fn is_streamed(&self) -> bool {
        !self.exchange.text("/response/body_text").is_empty() && self.exchange.status() == 200
    }

    /// Whether this is a stream for OpenAI itself whose client did not ask for usage.
    fn wants_usage(&self) -> bool {
        let path = ["/v1/chat/completions", "/v1/completions"].contains(&self.target.as_str());
        let silent = self.request.pointer("/stream_options/include_usage").is_none();
        path && silent && self.prefix == "openai-" && self.request["stream"] == true
    }

    /// Whether the recorded stream itself reports a failure.
    fn is_broken_stream(&self) -> bool {
        let text = String::from_utf8_lossy(&self.answer);
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        self.is_streamed() && events.any(|event| event["error"].is_object())
    }

    fn play(&self) -> Vec<Step> {
        let headers = self.exchange.headers();
        if !self.is_streamed() {
            return upstream::answer(self.exchange.status(), &headers, &self.answer);
        }
        let pieces = self.exchange.pieces(self.answer.clone()).into_iter().map(piece);
        let head = upstream::chunked_head(self.exchange.status(), &headers);
        std::iter::once(head).chain(pieces).chain([Step::End]).collect()
    }

    async fn ask(&self, proxy: &Proxy) -> Answer {
        let named = format!("{}{}", self.prefix, self.model);
        let mut body = self.request.clone();
        if self.spoken != Spoken::Gemini {
            body["model"] = named.clone().into();
        }
        let target = self.target.replace("MODEL", &named.replace(' ', "%20"));
        let body = serde_json::to_vec(&body).expect("JSON");
        let mut call = post(target, body).key(KEY);
        for name in ["anthropic-version", "anthropic-beta", "openai-beta"] {
            if let Some(value) = self.exchange.file["request"]["headers"][name].as_str() {
                call = call.header(name, value);
            }
        }
        call.send(proxy.addr()).await
    }

    /// The path and the query are the provider's own, with its own name of the model.
    fn arrives_at_its_place(&self, arrived: &Message) -> Result<(), String> {
        let row = DEPLOYMENTS.iter().find(|(prefix, ..)| *prefix == self.prefix);
        let (_, provider, base) = row.expect("each prefix has a row");
        if *provider == "vertex_ai" && self.spoken == Spoken::Anthropic {
            let action = if self.is_streamed() { "streamRawPredict" } else { "rawPredict" };
            let path = format!("{base}/anthropic/models/{}:{action}", self.model);
            return equal("path", arrived.head.word().as_bytes(), path.as_bytes());
        }
        let base = match *provider {
            "anthropic" => "/v1",
            "vertex_ai" => &format!("{base}/google"),
            _ => base,
        };
        let (_, path) = self.target.split_once("/v1").expect("each target is versioned");
        let path = path.strip_prefix("beta").unwrap_or(path).replace("MODEL", &self.model);
        let path = match (*provider, path.as_str()) {
            ("perplexity", "/embeddings") => "/v1/embeddings".to_owned(),
            ("snowflake", _) => format!("/cortex/v1{path}"),
            ("writer", _) => "/chat".to_owned(),
            _ => path,
        };
        equal("path", arrived.head.word().as_bytes(), format!("{base}{path}").as_bytes())
    }

    /// What the provider read when it was recorded.
    fn must_arrive(&self) -> Vec<u8> {
        let mut request = self.request.clone();
        if self.prefix == "vertex-" && self.spoken == Spoken::Anthropic {
            // Its path names it.
            request.as_object_mut().expect("an object").shift_remove("model");
        }
        serde_json::to_vec(&request).expect("JSON")
    }
}

/// A small request for an answer whose own request was not recorded.
fn stand_in(exchange: &Exchange, target: &str) -> Value {
    let said = serde_json::json!([{"role": "user", "content": "hi"}]);
    let field = match target {
        "/v1/embeddings" | "/v1/responses" => "input",
        "/v1/completions" => "prompt",
        _ => "messages",
    };
    let said = if field == "messages" { said } else { "hi".into() };
    let stream = !exchange.text("/response/body_text").is_empty();
    serde_json::json!({"model": exchange.text("/model"), field: said, "stream": stream})
}

/// The dialect and the path of ours that stand for a recorded endpoint.
fn route(endpoint: &str) -> Option<(Spoken, String)> {
    let path = endpoint.strip_prefix("POST ")?;
    for (end, spoken) in [
        ("/chat/completions", Spoken::OpenAi),
        ("/completions", Spoken::OpenAi),
        ("/embeddings", Spoken::OpenAi),
        ("/responses", Spoken::OpenAi),
        ("/messages", Spoken::Anthropic),
        ("/messages/count_tokens", Spoken::Anthropic),
    ] {
        if path.ends_with(end) {
            return Some((spoken, format!("/v1{end}")));
        }
    }
    let (_, action) = path.rsplit_once("{model}:")?;
    if matches!(action, "rawPredict" | "streamRawPredict") && path.contains("/anthropic/") {
        return Some((Spoken::Anthropic, "/v1/messages".to_owned()));
    }
    let spoken = [
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
    ];
    spoken.contains(&action).then(|| (Spoken::Gemini, format!("/v1beta/models/MODEL:{action}")))
}

fn prefix(provider: &str, spoken: Spoken, target: &str) -> &'static str {
    let wanted = match (spoken, provider) {
        (Spoken::Anthropic | Spoken::Gemini, "vertex") => "vertex-",
        (Spoken::Anthropic, _) => "anthropic-",
        (Spoken::Gemini, _) => "gemini-",
        (Spoken::OpenAi, "azure") if target == "/v1/completions" => "azure_text-",
        (Spoken::OpenAi, "azure") => "azure-",
        // Native responses of platforms that have no row of their own, or none with responses.
        (Spoken::OpenAi, _) if target == "/v1/responses" => "openai-",
        (Spoken::OpenAi, "alibaba") => "dashscope-",
        (Spoken::OpenAi, "vercel-gateway") => "vercel-",
        (Spoken::OpenAi, "gemini" | "anthropic") => "openai-",
        (Spoken::OpenAi, provider) => provider,
    };
    let known = DEPLOYMENTS.iter().map(|(prefix, ..)| *prefix);
    known
        .into_iter()
        .find(|known| known.trim_end_matches('-') == wanted.trim_end_matches('-'))
        .unwrap_or("openai-")
}

fn config(origin: &str) -> String {
    let mut config = "model_list:\n".to_owned();
    for (prefix, provider, path) in DEPLOYMENTS {
        write!(
            config,
            "  - model_name: \"{prefix}*\"
    litellm_params:
      model: \"{provider}/*\"
      api_key: {CREDENTIAL}
      api_base: {origin}{path}
      num_retries: 0
      cooldown_time: 0
"
        )
        .expect("strings take everything");
    }
    config + &format!("general_settings:\n  master_key: {KEY}\n")
}

/// Every exchange that has a route, and how many of each other endpoint there are.
fn replays(root: &std::path::Path) -> (Vec<Replay>, BTreeMap<String, usize>) {
    let mut replays = Vec::new();
    let mut skipped = BTreeMap::new();
    for exchange in fixtures::all(root) {
        match Replay::new(exchange) {
            Ok(replay) => replays.push(replay),
            Err(endpoint) => *skipped.entry(endpoint).or_insert(0) += 1,
        }
    }
    (replays, skipped)
}

/// Plays everything, and returns what `check` finds wrong.
async fn replay_all(
    test: &str,
    extra: &str,
    check: impl Fn(&Replay, &Message, &Answer) -> Result<(), String>,
) {
    let Some(root) = fixtures::root(test) else { return };
    let (replays, skipped) = replays(&root);
    let script = Arc::new(Mutex::new(Vec::new()));
    let playing = Arc::clone(&script);
    let upstream = Upstream::start(move |_| playing.lock().expect("not poisoned").clone()).await;
    let proxy = proxy::with(&(config(&upstream.origin()) + extra)).start().await;
    let mut wrong = Vec::new();
    for replay in &replays {
        *script.lock().expect("not poisoned") = replay.play();
        let before = upstream.seen().begun;
        let answer = replay.ask(&proxy).await;
        let arrived = upstream.request(before);
        let found = match arrived {
            Some(request) => check(replay, &request, &answer),
            None => Err(format!("nothing arrived: {} {}", answer.status, lossy(&answer))),
        };
        wrong.extend(found.err().map(|why| format!("{}: {why}", replay.exchange.name)));
    }
    report(test, replays.len(), &skipped, &wrong);
}

fn report(test: &str, played: usize, skipped: &BTreeMap<String, usize>, wrong: &[String]) {
    let passed = played - wrong.len();
    eprintln!("{test}: {passed} of {played} exchanges passed");
    let total: usize = skipped.values().sum();
    eprintln!("{test}: {total} skipped, because they have no route of the same dialect yet:");
    for (endpoint, count) in skipped {
        eprintln!("  {count} {endpoint}");
    }
    assert!(wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn lossy(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.message.body).chars().take(300).collect()
}

fn equal(what: &str, found: &[u8], wanted: &[u8]) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let same = found.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let near = |bytes: &[u8]| {
        let part: Vec<u8> = bytes.iter().skip(same.saturating_sub(30)).take(120).copied().collect();
        String::from_utf8_lossy(&part).into_owned()
    };
    Err(format!("{what} at byte {same}: {:?} is not {:?}", near(found), near(wanted)))
}

/// A stream that began with an error is an error: it has a status, and never looks complete.
fn failure_is_told(answer: &Answer) -> Result<(), String> {
    let text = String::from_utf8_lossy(&answer.message.body);
    if text.contains("[DONE]") || !text.contains("\"error\"") || !answer.is_whole() {
        return Err(format!("a failed stream looks complete: {text}"));
    }
    Ok(())
}

/// An error whose body is a page, not JSON, is told in the client's dialect.
fn is_foreign_error(replay: &Replay) -> bool {
    let body = serde_json::from_slice::<Value>(&replay.answer).ok();
    let page = !replay.answer.is_empty() && body.is_none_or(|body| !body.is_object());
    replay.exchange.status() >= 400 && page
}

fn envelope(replay: &Replay, answer: &Answer) -> Result<(), String> {
    let told = serde_json::from_slice::<Value>(&answer.message.body).unwrap_or_default();
    if answer.status == replay.exchange.status() && told["error"]["message"].is_string() {
        return Ok(());
    }
    Err(format!("{} {}", answer.status, lossy(answer)))
}

/// The answer's status, type and body are the recorded ones.
fn answer_is_kept(replay: &Replay, answer: &Answer, body: &[u8]) -> Result<(), String> {
    if replay.is_broken_stream() {
        return failure_is_told(answer);
    }
    if is_foreign_error(replay) {
        return envelope(replay, answer);
    }
    type_is_kept(replay, answer)?;
    equal("answer", &answer.message.body, body)
}

fn type_is_kept(replay: &Replay, answer: &Answer) -> Result<(), String> {
    let headers = replay.exchange.headers();
    let wanted = headers.iter().find(|(name, _)| *name == "content-type").map(|(_, value)| *value);
    if answer.status == replay.exchange.status() && answer.is_whole() {
        let found = answer.header("content-type");
        return equal(
            "content-type",
            found.unwrap_or("").as_bytes(),
            wanted.unwrap_or("").as_bytes(),
        );
    }
    Err(format!("{} {}", answer.status, lossy(answer)))
}

#[tokio::test]
async fn every_same_dialect_exchange_passes_byte_for_byte() {
    let extra = "  always_include_stream_usage: false\n";
    replay_all("lossless", extra, |replay, arrived, answer| {
        replay.arrives_at_its_place(arrived)?;
        equal("request", &arrived.body, &replay.must_arrive())?;
        answer_is_kept(replay, answer, &replay.answer)
    })
    .await;
}

#[tokio::test]
async fn asking_for_usage_changes_that_option_and_that_event_only() {
    replay_all("lossless with usage", "", |replay, arrived, answer| {
        let wanted = replay.must_arrive();
        let asked = arrived.body != wanted;
        if replay.wants_usage() && !asked {
            return Err("usage was not asked for".to_owned());
        }
        if asked {
            equal("request", &without_option(&arrived.body), &without_option(&wanted))?;
        }
        let body = if asked { without_usage(&replay.answer) } else { replay.answer.to_vec() };
        answer_is_kept(replay, answer, &body)
    })
    .await;
}

/// The request without `stream_options.include_usage`, which is the only thing spliced in.
fn without_option(body: &[u8]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).expect("JSON");
    let fields = body.as_object_mut().expect("an object");
    if let Some(options) = fields.get_mut("stream_options").and_then(Value::as_object_mut) {
        options.shift_remove("include_usage");
        if options.is_empty() {
            fields.shift_remove("stream_options");
        }
    }
    serde_json::to_vec(&body).expect("JSON")
}

/// The stream without its one event that has usage and no choice.
fn without_usage(stream: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(stream).expect("UTF-8");
    let end = if text.contains("\r\n\r\n") { "\r\n\r\n" } else { "\n\n" };
    let kept = text.split_inclusive(end).filter(|event| !is_usage_only(event));
    kept.collect::<String>().into_bytes()
}

fn is_usage_only(event: &str) -> bool {
    let data = event.lines().find_map(|line| line.strip_prefix("data:"));
    let data: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
    data.is_some_and(|data| {
        data["usage"].is_object() && data["choices"].as_array().is_some_and(Vec::is_empty)
    })
}
