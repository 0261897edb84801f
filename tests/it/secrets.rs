//! Secrets are planted wherever a config, an environment, a file or a call can hold one, and looked
//! for in everything that the proxy says. All begin with one mark, so that none is forgotten.
use crate::client::{Answer, Call, chat_stream, get, post, with_body};
use crate::proxy::{self, Proxy, Setup};
use crate::upstream::{self, Step, Upstream, piece, stream_head};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What every secret here begins with.
const MARK: &str = "s3cret+";
const MASTER_KEY: &str = "s3cret+master-key";
/// What clients ask and are answered; both are content, which is nobody's business either.
const PROMPT: &str = "s3cret+prompt";
const ANSWER: &str = "s3cret+answer";

/// The mark as it stands in a text, percent-encoded, and in base64 at each of its three offsets.
fn disguises() -> Vec<String> {
    let whole = |padding: usize| {
        let text = STANDARD.encode([&b"..."[..padding], MARK.as_bytes()].concat());
        let (from, to) = ((padding * 8).div_ceil(6), (padding + MARK.len()) * 8 / 6);
        text.get(from..to).expect("base64 is ASCII").to_owned()
    };
    let plain = [MARK.to_owned(), "s3cret%2B".to_owned(), "s3cret%2b".to_owned()];
    plain.into_iter().chain((0..3).map(whole)).collect()
}

/// Fails with the first line of `said` that holds a secret.
#[track_caller]
fn tells_nothing(place: &str, said: &str) {
    for disguise in disguises() {
        if let Some(line) = said.lines().find(|line| line.contains(&disguise)) {
            panic!("a secret ({disguise}…) is told by {place}: {line}");
        }
    }
}

/// Upstreams that answer well, tell the caller's credential, break off, and say nothing.
struct Upstreams {
    good: Upstream,
    telling: Upstream,
    cut: Upstream,
    silent: Upstream,
    tunnel: Upstream,
    /// What begins here ends at once, be it TLS.
    no_tls: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Upstreams {
    async fn new() -> Self {
        let completion = upstream::COMPLETION.replace("\"ok\"", &format!("\"{ANSWER}\""));
        let telling = |request: &crate::wire::Message| {
            let told = request.head.get("authorization").unwrap_or_default().to_owned();
            upstream::json(401, format!(r#"{{"error":{{"message":"bad key: {told}"}}}}"#))
        };
        let refusing = |request: &crate::wire::Message| {
            let told = request.head.get("proxy-authorization").unwrap_or_default().to_owned();
            upstream::answer(407, &[], told)
        };
        let event =
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{ANSWER}\"}}}}]}}\n\n");
        // A probe would wait for a minute.
        let silent = |request: &crate::wire::Message| {
            let asked = memchr::memmem::find(&request.body, PROMPT.as_bytes()).is_some();
            if asked { vec![Step::Hang] } else { upstream::json(500, "{}") }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let no_tls = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((mut io, _)) = listener.accept().await {
                io.write_all(b"HTTP/1.1 400 No\r\n\r\n").await.ok();
            }
        });
        Self {
            no_tls,
            _tasks: tasks,
            good: Upstream::playing(upstream::json(200, completion)).await,
            telling: Upstream::start(telling).await,
            cut: Upstream::playing(vec![stream_head(), piece(event), Step::Reset]).await,
            silent: Upstream::start(silent).await,
            tunnel: Upstream::start(refusing).await,
        }
    }

    /// A config with a secret at each place that can hold one.
    fn config(&self) -> String {
        let (good, telling) = (self.good.base(), self.telling.base());
        let (cut, silent, origin) = (self.cut.base(), self.silent.base(), self.good.origin());
        let (closed, tls) = (proxy::free_port(), self.no_tls);
        format!(
            "model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt
      api_base: {good}
      api_key: s3cret+literal
      organization: an-organization
      extra_headers: {{X-Tenant: s3cret+extra-header, Authorization2: Bearer s3cret+bearer}}
      extra_body: {{user_token: s3cret+extra-body}}
      aws_secret_access_key: s3cret+aws
      vertex_credentials: {{private_key: s3cret+vertex, client: s3cret+vertex-client}}
      some_api_key: s3cret+unknown-parameter
      configurable_clientside_auth_params: [api_key]
      vertex_ai_credentials: s3cret+vertex-ai
    model_info: {{id: one, internal_token: s3cret+info}}
  - {{model_name: tells, litellm_params: {{model: openai/t, api_base: {telling}, api_key: os.environ/TELLING}}}}
  - {{model_name: tells-file, litellm_params: {{model: openai/f, api_base: {telling}, api_key: os.file/key.txt}}}}
  - {{model_name: tells-variable, litellm_params: {{model: openai/v, api_base: {telling}, api_key: os.environ/BESIDE}}}}
  - {{model_name: tells-named, litellm_params: {{model: openai/n, api_base: {telling}, litellm_credential_name: named}}}}
  - {{model_name: closed, litellm_params: {{model: openai/c, api_base: 'http://127.0.0.1:{closed}/v1', api_key: s3cret+closed}}}}
  - {{model_name: no-tls, litellm_params: {{model: openai/c, api_base: 'https://{tls}/v1', api_key: s3cret+tls}}}}
  - {{model_name: silent, litellm_params: {{model: openai/s, api_base: {silent}, api_key: s3cret+silent, timeout: 0.2}}}}
  - {{model_name: cut, litellm_params: {{model: openai/s, api_base: {cut}, api_key: s3cret+cut}}}}
  - {{model_name: far, litellm_params: {{model: openai/s, api_base: 'https://far.test/v1', api_key: s3cret+far}}}}
credential_list:
  - credential_name: named
    credential_values: {{api_key: s3cret+named, aws_session_token: s3cret+session}}
    credential_info: {{description: of a team}}
environment_variables:
  ANYTHING: s3cret+anything
  LANGFUSE_SECRET_KEY: s3cret+langfuse
files_settings:
  - {{custom_llm_provider: openai, api_base: {telling}, api_key: s3cret+files}}
general_settings:
  master_key: {MASTER_KEY}
  database_url: postgres://me:s3cret+config-database@127.0.0.1/db
  alert_to_webhook_url: {{llm_exceptions: https://hooks.test/s3cret+webhook}}
  pass_through_endpoints:
    - {{path: /through, target: '{origin}/there', headers: {{X-Key: s3cret+through, Authorization: bearer os.environ/TELLING}}}}
litellm_settings:
  success_callback: [langfuse]
  cache: true
  cache_params: {{type: redis, host: 127.0.0.1, password: s3cret+cache}}
router_settings:
  redis_password: s3cret+redis
"
        )
    }

    /// The config and the rest of what a deployment brings along.
    fn setup(&self, config: &str) -> Setup {
        let tunnel = format!("http://me:s3cret+tunnel@{}", self.tunnel.addr());
        let setup = proxy::with(config).file("key.txt", "s3cret+file\n");
        let beside = setup.home().join("beside.txt");
        let setup = setup.file("beside.txt", "s3cret+beside\n");
        let setup = setup.file(".env", "OF_DOTENV_API_KEY=s3cret+dotenv\nnot s3cret+a-line\n");
        let beside = beside.to_str().unwrap().to_owned();
        setup
            .env("TELLING", "s3cret+environment")
            .env("BESIDE_FILE", &beside)
            .env("GROQ_API_KEY", "s3cret+groq")
            .env("OPENAI_API_KEY", "s3cret+openai")
            .env("OPENAI_BASE_URL", &self.telling.base())
            .env("LITELLM_SALT_KEY", "s3cret+salt")
            .env("DATABASE_URL", "postgres://me:s3cret+database@127.0.0.1/db")
            .env("REDIS_PASSWORD", "s3cret+redis-variable")
            .env("LANGFUSE_PUBLIC_KEY", "s3cret+langfuse-public")
            .env("UI_PASSWORD", "s3cret+ui")
            .env("HTTPS_PROXY", &tunnel)
            .env("NO_PROXY", "127.0.0.1")
    }
}

fn asking(model: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"{PROMPT}"}}]}}"#)
}

/// Calls whose answer is an upstream's own, which may tell what it likes.
fn answered_by_upstreams() -> Vec<Call> {
    let chat = |model| post("/v1/chat/completions", asking(model)).key(MASTER_KEY);
    let own = asking("gpt").replacen('{', r#"{"api_key":"s3cret+body-key","#, 1);
    let untimed = asking("gpt").replacen('{', r#"{"timeout":"s3cret+timeout","#, 1);
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt\r\n--x\r\n\
         Content-Disposition: form-data; name=\"prompt\"\r\n\r\n{MARK}field\r\n--x\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{MARK}name.wav\"\r\n\r\n{MARK}sound\r\n--x--\r\n"
    );
    let upload = |body: &str| {
        let kind = "multipart/form-data; boundary=x";
        with_body("POST", "/v1/audio/transcriptions", kind, body).key(MASTER_KEY)
    };
    vec![
        chat("gpt"),
        chat("tells"),
        chat("tells-file"),
        chat("tells-variable"),
        chat("tells-named"),
        chat_stream("cut").key(MASTER_KEY),
        post("/v1/chat/completions", own).key(MASTER_KEY),
        post("/v1/messages", asking("tells").replacen('{', r#"{"max_tokens":5,"#, 1))
            .key(MASTER_KEY),
        post("/v1/chat/completions", untimed).key(MASTER_KEY),
        upload(&form),
        get("/v1/files").key(MASTER_KEY),
        get("/openai/v1/models?key=s3cret+raw-query").key(MASTER_KEY),
        get("/through?key=s3cret+through-query").key(MASTER_KEY),
        post(format!("/v1beta/models/tells:generateContent?key={MASTER_KEY}"), "{\"contents\":[]}"),
    ]
}

/// Calls that the proxy answers itself.
fn answered_by_the_proxy() -> Vec<Call> {
    let chat = |model| post("/v1/chat/completions", asking(model));
    let mut calls: Vec<_> = ["nope", "closed", "no-tls", "silent", "far"]
        .map(|model| chat(model).key(MASTER_KEY))
        .into_iter()
        .collect();
    for (name, value) in [
        ("authorization", "Bearer s3cret+wrong"),
        ("authorization", "s3cret+bare"),
        ("authorization", "Basic czNjcmV0K2Jhc2ljOng="),
        ("x-api-key", "s3cret+wrong"),
        ("api-key", "s3cret+wrong"),
        ("x-goog-api-key", "s3cret+wrong"),
        ("x-litellm-api-key", "s3cret+wrong"),
        ("ocp-apim-subscription-key", "s3cret+wrong"),
        ("cookie", "token=s3cret+cookie"),
    ] {
        calls.push(chat("gpt").header(name, value));
        calls.push(get("/model/info").header(name, value));
    }
    for body in [
        format!("{{\"{PROMPT}\""),
        format!("{{\"model\":\"gpt\",\"messages\":\"{PROMPT}\",}}"),
        format!("{{\"model\":[\"{PROMPT}\"]}}"),
        format!("\"{PROMPT}\""),
        asking("gpt").replacen('{', r#"{"api_base":"http://me:s3cret+base@10.0.0.1/","#, 1),
        asking("closed").replacen('{', r#"{"api_key":"s3cret+not-allowed","#, 1),
    ] {
        calls.push(post("/v1/chat/completions", body).key(MASTER_KEY));
    }
    for path in [
        "/nope?key=s3cret+query",
        "/v1/models?api_key=s3cret+query",
        "/v1/realtime?model=gpt&key=s3cret+query",
        "/v1/models/none",
    ] {
        calls.push(get(path));
        calls.push(get(path).key(MASTER_KEY));
    }
    let socket = get("/v1/realtime?model=gpt")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    calls.push(
        socket.clone().header("sec-websocket-protocol", "openai-insecure-api-key.s3cret+sub"),
    );
    calls.push(socket.key("s3cret+wrong"));
    calls.push(
        with_body("POST", "/v1/audio/transcriptions", "multipart/form-data", PROMPT)
            .key(MASTER_KEY),
    );
    calls.extend(SHOWN.iter().map(|path| get(*path)));
    calls.extend(SHOWN.iter().map(|path| get(*path).key(MASTER_KEY)));
    calls
}

/// What the proxy tells of itself.
const SHOWN: [&str; 14] = [
    "/",
    "/health",
    "/health/liveliness",
    "/health/readiness",
    "/metrics",
    "/v1/models",
    "/model/info",
    "/v1/model/info",
    "/model_group/info",
    "/utils/supported_openai_params?model=gpt",
    "/routes",
    "/openapi.json",
    "/config/yaml",
    "/test",
];

fn head(answer: &Answer) -> String {
    format!("{:#?}", answer.message.head)
}

/// Asks everything, and looks into each answer and all that was printed.
async fn is_silent(proxy: &Proxy, ops: SocketAddr) {
    let mut told = false;
    for call in answered_by_upstreams() {
        let answer = call.send(proxy.addr()).await;
        tells_nothing(&format!("the head of the answer to {call:?}"), &head(&answer));
        told |= String::from_utf8_lossy(&answer.message.body).contains(MARK);
    }
    assert!(told, "bodies of upstreams pass as they are");
    for call in answered_by_the_proxy() {
        let answer = call.send(proxy.addr()).await;
        let body = String::from_utf8_lossy(&answer.message.body);
        tells_nothing(&format!("the answer to {call:?}"), &format!("{}\n{body}", head(&answer)));
    }
    for path in ["/metrics", "/health", "/health/readiness", "/nope?key=s3cret+ops"] {
        let answer = get(path).send(ops).await;
        tells_nothing(path, answer.text());
    }
    tells_nothing("the log", &proxy.output());
}

#[tokio::test]
async fn no_secret_is_told_in_logs_answers_metrics_or_the_config_that_is_shown() {
    let upstreams = Upstreams::new().await;
    for (name, value) in [("LITELLM_LOG", "INFO"), ("DEBUG", "true"), ("LITELLM_LOG", "TRACE")] {
        let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
        let setup = upstreams.setup(&upstreams.config()).env(name, value);
        let proxy = setup.arg("--ops-listen").arg(&ops.to_string()).start().await;
        is_silent(&proxy, ops).await;
        let shown = get("/config/yaml").key(MASTER_KEY).send(proxy.addr()).await.expect(200).json();
        assert_eq!(shown["file"], "config.yaml");
        let params = &shown["config"]["model_list"][0]["litellm_params"];
        assert_eq!(
            (&params["api_key"], &params["model"]),
            (&"[hidden]".into(), &"openai/gpt".into())
        );
        let reference = &shown["config"]["model_list"][1]["litellm_params"]["api_key"];
        assert_eq!(reference, "os.environ/TELLING");
        tells_nothing("its command line", &proxy.command_line());
    }
}

/// Configs that cannot be taken, with secrets on the broken line and beside it.
fn broken(config: &str) -> Vec<String> {
    let lines = [
        "general_settings: {master_key: s3cret+unclosed",
        "\tapi_key: s3cret+tab",
        "general_settings:\n  master_key: [s3cret+list, s3cret+list]\n",
        "general_settings:\n  master_key: {s3cret+map: s3cret+map}\n",
        "credential_list: [{credential_name: a, credential_values: s3cret+text}]\nmodel_list: 5",
        "environment_variables: [s3cret+list]\nmodel_list: s3cret",
        "general_settings:\n  master_key: \"s3cret+open\n",
        "general_settings:\n  master_key: 's3cret+a' 's3cret+b'\n",
        "general_settings:\n  master_key: !tag s3cret+tagged\n  <<: s3cret",
        "general_settings:\n  master_key: s3cret+key: s3cret+value\n",
        "general_settings:\n  pass_through_endpoints: [{headers: {a: s3cret+through}, path: 5}]\n",
        "files_settings: [{api_key: s3cret+files}]\nmodel_list: 5\n",
        "litellm_settings: {cache_params: {password: s3cret+cache, ttl: s}}\nmodel_list: 5\n",
        "general_settings: {database_url: 'postgres://me:s3cret+db@h/d', master_key: [1]}\n",
        "general_settings:\n  master_key: |\n    s3cret+block\n   s3cret+less\n",
        "general_settings:\n  master_key: >-\n    s3cret+folded\n  : s3cret+no-key\n",
    ];
    let alone = lines.iter().map(|line| (*line).to_owned());
    let beside = lines.iter().map(|line| format!("{config}{line}\n"));
    alone.chain(beside).collect()
}

#[tokio::test]
async fn a_broken_config_is_reported_without_its_secrets() {
    let upstreams = Upstreams::new().await;
    for config in broken(&upstreams.config()) {
        let setup = upstreams.setup(&config);
        let path = setup.home().join("config.yaml");
        let check = proxy::bare().arg("check").arg(path.to_str().unwrap()).finish();
        tells_nothing(&format!("check of {config}"), &check.output);
    }
}

#[tokio::test]
async fn a_refused_reload_tells_no_secret() {
    let upstreams = Upstreams::new().await;
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = upstreams.setup(&upstreams.config()).arg("--ops-listen").arg(&ops.to_string());
    let proxy = setup.env("DEBUG", "true").start().await;
    let config = "model_list:\n  - {model_name: [s3cret, litellm_params: {api_key: s3cret+new\n\
                  general_settings:\n  master_key: s3cret+new\n";
    proxy.replace_file("config.yaml", config);
    proxy.hang_up();
    proxy.line(|line| line.contains("Reload refused")).await;
    is_silent(&proxy, ops).await;
}

#[test]
fn a_start_that_fails_tells_no_secret() {
    let key = "-----BEGIN PRIVATE KEY-----\ns3cret+key-of-tls\n-----END PRIVATE KEY-----\n";
    let setup = proxy::with(&format!("general_settings:\n  master_key: {MASTER_KEY}\n"));
    let setup = setup.file("tls.key", key).file("tls.pem", key).arg("--port").arg("0");
    let setup = setup.arg("--ssl_keyfile_path").arg("tls.key");
    let ended = setup.arg("--ssl_certfile_path").arg("tls.pem").finish();
    assert!(!ended.status.success());
    tells_nothing("a start with a broken key", &ended.output);
    let setup = proxy::bare().arg("--model").arg("openai/x").arg("--headers").arg("{s3cret+header");
    let ended = setup.arg("--host").arg("nowhere").arg("--port").arg("0").finish();
    assert!(!ended.status.success());
    tells_nothing("a start with broken headers", &ended.output);
    let named = proxy::bare().env("LITELLM_MASTER_KEY_FILE", "s3cret+not-a-path").finish();
    assert!(!named.status.success());
    tells_nothing("a start whose key's file is the key", &named.output);
}

#[tokio::test]
async fn a_command_gets_its_key_by_its_environment_alone() {
    let upstreams = Upstreams::new().await;
    let config = upstreams.config();
    let script = "tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline; echo; \
                  echo key=$OPENAI_API_KEY";
    let setup = upstreams.setup(&config).env("DEBUG", "true");
    let path = setup.home().join("config.yaml").to_str().unwrap().to_owned();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bartizan"));
    command.args(["exec", "--config", &path, "--", "sh", "-c", script]);
    command.env_clear().current_dir(setup.home());
    command.env("TELLING", "s3cret+environment").env("PATH", std::env::var_os("PATH").unwrap());
    let ran = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let (lines, key) = out.rsplit_once("key=").expect("the command ran");
    tells_nothing("standard error beside a command", &err);
    tells_nothing("the command lines", lines);
    assert!(!key.trim().is_empty() && !lines.contains(key.trim()), "{out}");
    assert!(!err.contains(key.trim()), "{err}");
}
