//! A changed config is taken into use without dropping a call; a bad one changes nothing.
use crate::client::{Call, chat, chat_stream, get};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream, piece, stream_head};
use serde_json::Value;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tokio::task::JoinSet;

const EVENT: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;

/// A config whose group `gpt` has the model `gpt-N`, and whose alias is `now-N`.
fn version(base: &str, number: usize) -> String {
    let config = proxy::config(base).replace("gpt-4o-mini", &format!("gpt-{number}"));
    format!("{config}router_settings:\n  model_group_alias:\n    now-{number}: gpt\n")
}

/// Whether the proxy knows the alias of this version.
async fn knows(proxy: &Proxy, key: &str, number: usize) -> bool {
    let models = get("/v1/models").key(key).send(proxy.addr()).await;
    models.status == 200 && models.text().contains(&format!("\"now-{number}\""))
}

/// Waits until something holds that the proxy does in its own time.
async fn until(proxy: &Proxy, what: &str, mut met: impl AsyncFnMut() -> bool) {
    let mut ticks = proxy::ticks();
    for _ in 0..2000 {
        if met().await {
            return;
        }
        ticks.tick().await;
    }
    panic!("not seen: {what}\n{}", proxy.output());
}

async fn until_it_knows(proxy: &Proxy, key: &str, number: usize) {
    until(proxy, &format!("version {number}"), async || knows(proxy, key, number).await).await;
}

async fn readiness(proxy: &Proxy) -> Value {
    get("/health/readiness").send(proxy.addr()).await.expect(200).json()
}

/// Readiness once it says `status` of the config.
async fn until_refused(proxy: &Proxy) -> Value {
    let refused = async || readiness(proxy).await["config"]["status"] == "error";
    until(proxy, "a refusal", refused).await;
    readiness(proxy).await
}

async fn metrics(proxy: &Proxy, key: &str) -> String {
    get("/metrics").key(key).send(proxy.addr()).await.expect(200).text().to_owned()
}

fn count(metrics: &str, begin: &str) -> usize {
    metrics.lines().filter(|line| line.starts_with(begin)).count()
}

/// The value of the one sample that begins like this.
fn value(metrics: &str, begin: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(begin)).expect("a sample");
    line.trim().parse().expect("a number")
}

/// Answers calls at once, and streams in many pieces.
async fn busy_upstream() -> Upstream {
    Upstream::start(|request| {
        if memchr::memmem::find(&request.body, b"\"stream\":true").is_none() {
            return upstream::json(200, COMPLETION);
        }
        let event = format!("data: {EVENT}\n\n");
        let pieces = Step::Chunks(event.into(), 50);
        vec![stream_head(), pieces, piece("data: [DONE]\n\n"), Step::End]
    })
    .await
}

/// Makes one call after the other on one connection; every answer must be whole.
async fn call_on(addr: SocketAddr, call: Call, events: usize, stop: Arc<AtomicBool>) -> usize {
    let mut wire = crate::client::connect(addr).await;
    let mut calls = 0;
    while !stop.load(Relaxed) {
        wire.send(call.bytes(addr)).await.expect("the connection is kept");
        let answer = wire.answer().await.expect(200);
        assert!(answer.is_whole());
        match events {
            0 => assert_eq!(answer.json()["choices"][0]["message"]["content"], "ok"),
            events => assert_eq!(answer.events().len(), events),
        }
        calls += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_load_drop_nothing_and_keep_no_memory() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    let mixed = [(chat("gpt"), 0), (chat_stream("gpt"), 51)];
    for (call, events) in mixed.clone().into_iter().chain(mixed) {
        load.spawn(call_on(proxy.addr(), call.key(KEY), events, stop.clone()));
    }
    let mut memory = 0;
    for number in 1..=200 {
        proxy.replace_file("config.yaml", &version(&upstream.base(), number));
        proxy.hang_up();
        until_it_knows(&proxy, KEY, number).await;
        assert!(!knows(&proxy, KEY, number - 1).await, "the alias before is gone");
        if number == 100 {
            memory = proxy.memory();
        }
    }
    let grown = proxy.memory().saturating_sub(memory);
    stop.store(true, Relaxed);
    let calls = load.join_all().await;
    assert!(calls.iter().all(|calls| *calls > 0), "{calls:?}");
    assert!(grown < 8 << 20, "{grown} bytes more after 100 reloads");
    let metrics = metrics(&proxy, KEY).await;
    // The files are watched besides: a change may be taken before the signal comes.
    let reloads = value(&metrics, "bartizan_config_reloads_total{result=\"success\"}");
    assert!(reloads >= 200.0, "{reloads}");
    assert_eq!(value(&metrics, "bartizan_config_reloads_total{result=\"failure\"}"), 0.0);
    assert_eq!(count(&metrics, "litellm_deployment_state{"), 1, "{metrics}");
    assert!(count(&metrics, "litellm_requests_metric_total{") <= 2, "{metrics}");
}

#[tokio::test]
async fn an_open_stream_ends_with_the_config_it_began_with() {
    let gate = Gate::new();
    let event = format!("data: {EVENT}\n\n");
    let end = [piece(event.clone()), piece("data: [DONE]\n\n"), Step::End];
    let script = [&[stream_head(), piece(event), Step::Wait(gate.clone())], &end[..]].concat();
    let upstream = Upstream::playing(script).await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    let mut wire = chat_stream("now-0").key(KEY).open(proxy.addr()).await;
    assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
    let other = version("http://127.0.0.1:9/v1", 1).replace(KEY, "sk-the-next-key");
    proxy.replace_file("config.yaml", &other);
    proxy.hang_up();
    until_it_knows(&proxy, "sk-the-next-key", 1).await;
    gate.open();
    let answer = wire.answer().await.expect(200);
    assert!(answer.is_whole());
    assert_eq!(answer.events(), [EVENT, EVENT, "[DONE]"]);
    // What the old deployment counted at last ends with it.
    let ended = async || !metrics(&proxy, "sk-the-next-key").await.contains(&upstream.base());
    until(&proxy, "the end of the old series", ended).await;
}

#[tokio::test]
async fn upstream_connections_live_on_when_only_models_change() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    for number in 1..=5 {
        proxy.call(chat("gpt")).await.expect(200);
        proxy.replace_file("config.yaml", &version(&upstream.base(), number));
        proxy.hang_up();
        until_it_knows(&proxy, KEY, number).await;
    }
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(upstream.seen().connections, 1);
    assert_eq!(upstream.requests().len(), 6);
    let models: Vec<_> = upstream.requests().iter().map(|one| one.body.clone()).collect();
    assert!(models.last().unwrap().starts_with(b"{\"model\":\"gpt-5\""), "{models:?}");
}

#[tokio::test]
async fn an_upstream_that_has_vanished_is_let_go() {
    let (one, two) = (busy_upstream().await, busy_upstream().await);
    let proxy = proxy::with(&version(&one.base(), 0)).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.replace_file("config.yaml", &version(&two.base(), 1));
    proxy.hang_up();
    until_it_knows(&proxy, KEY, 1).await;
    let none = "upstream_connections{state=\"open\"} 0.0";
    until(&proxy, none, async || metrics(&proxy, KEY).await.contains(none)).await;
}

#[tokio::test]
async fn a_file_that_is_written_is_taken_without_a_signal() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    std::fs::write(proxy.home().join("config.yaml"), version(&upstream.base(), 1)).unwrap();
    until_it_knows(&proxy, KEY, 1).await;
    proxy.replace_file("config.yaml", &version(&upstream.base(), 2));
    until_it_knows(&proxy, KEY, 2).await;
}

#[tokio::test]
async fn a_swapped_config_map_is_taken() {
    let upstream = busy_upstream().await;
    let setup = proxy::bare();
    let mount = setup.home().join("etc");
    let publish = |number: usize| {
        let data = mount.join(format!("..data-{number}"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("config.yaml"), version(&upstream.base(), number)).unwrap();
        symlink(&data, mount.join("..data_tmp")).unwrap();
        std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
        if number > 0 {
            std::fs::remove_dir_all(mount.join(format!("..data-{}", number - 1))).unwrap();
        }
    };
    publish(0);
    let config = mount.join("config.yaml");
    symlink("..data/config.yaml", &config).unwrap();
    let proxy = setup.arg("--config").arg(config.to_str().unwrap()).start().await;
    for number in 1..=3 {
        publish(number);
        until_it_knows(&proxy, KEY, number).await;
    }
}

#[tokio::test]
async fn a_dotenv_file_that_changes_counts() {
    let upstream = busy_upstream().await;
    let config = version(&upstream.base(), 0).replace(KEY, "os.environ/THE_KEY");
    let proxy = proxy::with(&config).file(".env", "THE_KEY=sk-one\n").start().await;
    assert!(knows(&proxy, "sk-one", 0).await);
    proxy.replace_file(".env", "THE_KEY=sk-two\n");
    until_it_knows(&proxy, "sk-two", 0).await;
    assert!(!knows(&proxy, "sk-one", 0).await);
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told_in_three_places() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    assert_eq!(readiness(&proxy).await["config"], Value::Null);
    let before = metrics(&proxy, KEY).await;
    assert!(before.contains("bartizan_config_last_reload_successful 1.0"), "{before}");
    let broken = version(&upstream.base(), 1) + "general_settings: {{\n";
    proxy.replace_file("config.yaml", &broken);
    let ready = until_refused(&proxy).await;
    assert_eq!(ready["status"], "healthy");
    assert!(ready["config"]["since"].as_str().unwrap().ends_with('Z'), "{ready}");
    let message = ready["config"]["message"].as_str().unwrap();
    assert!(message.contains("refused") && message.contains("line "), "{ready}");
    let log = proxy.line(|line| line.contains("Reload refused")).await;
    assert!(log.contains("ERROR"), "{log}");
    proxy.line(|line| line.contains("config.yaml:")).await;
    for secret in [KEY, CREDENTIAL] {
        assert!(!proxy.output().contains(secret) && !ready.to_string().contains(secret));
    }
    let metrics_now = metrics(&proxy, KEY).await;
    assert!(metrics_now.contains("bartizan_config_last_reload_successful 0.0"), "{metrics_now}");
    assert!(metrics_now.contains("bartizan_config_reloads_total{result=\"failure\"} 1.0"));
    assert!(knows(&proxy, KEY, 0).await && !knows(&proxy, KEY, 1).await);
    proxy.call(chat("gpt")).await.expect(200);

    proxy.replace_file("config.yaml", &version(&upstream.base(), 2));
    until_it_knows(&proxy, KEY, 2).await;
    let mended = async || readiness(&proxy).await["config"] == Value::Null;
    until(&proxy, "health", mended).await;
    let mended = metrics(&proxy, KEY).await;
    assert!(mended.contains("bartizan_config_last_reload_successful 1.0"), "{mended}");
}

#[tokio::test]
async fn a_reload_opens_nothing_and_takes_nothing_that_check_would_fail() {
    let upstream = busy_upstream().await;
    let good = version(&upstream.base(), 0);
    let proxy = proxy::with(&good).start().await;
    let key = format!("master_key: {KEY}");
    let without_key = ["{}", "master_kye: sk-1", "master_key=sk-1", "- master_key"];
    let broken = [
        good.replace("model: openai/", "model: opnai/"),
        good.replace("router_settings:\n", "router_settings:\n  timeout: soon\n"),
        format!("general_settings: {{{key}}}\nmodel_list: 5\n"),
    ];
    let bad = without_key.map(|open| good.replace(&key, open)).into_iter().chain(broken);
    for (number, bad) in bad.enumerate() {
        assert_ne!(bad, good);
        proxy.replace_file("config.yaml", &bad);
        until_refused(&proxy).await;
        chat("gpt").send(proxy.addr()).await.expect(401);
        proxy.call(chat("gpt")).await.expect(200);
        proxy.replace_file("config.yaml", &version(&upstream.base(), number + 1));
        until_it_knows(&proxy, KEY, number + 1).await;
    }
}

#[tokio::test]
async fn a_new_master_key_counts_at_once() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.replace_file("config.yaml", &version(&upstream.base(), 1).replace(KEY, "sk-rotated"));
    until_it_knows(&proxy, "sk-rotated", 1).await;
    proxy.call(chat("gpt")).await.expect(401);
    chat("gpt").key("sk-rotated").send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn what_only_a_start_reads_is_named_once() {
    let upstream = busy_upstream().await;
    let proxy = proxy::with(&version(&upstream.base(), 0)).start().await;
    for number in 1..=2 {
        let changed = version(&upstream.base(), number) + "litellm_settings: {set_verbose: true}\n";
        proxy.replace_file("config.yaml", &changed);
        until_it_knows(&proxy, KEY, number).await;
    }
    let named = |line: &&str| line.contains("read at the start only: the log level");
    proxy.line(|line| named(&line)).await;
    assert_eq!(proxy.output().lines().filter(named).count(), 1, "{}", proxy.output());
}

#[tokio::test]
async fn a_start_makes_do_without_an_entry_that_cannot_be_built_until_it_is_mended() {
    let upstream = busy_upstream().await;
    let entry = "model_list:\n  - model_name: odd\n    litellm_params: {model: nobody/knows}\n";
    let config = version(&upstream.base(), 0).replace("model_list:\n", entry);
    let proxy = proxy::with(&config).start().await;
    proxy.line(|line| line.contains("nobody/knows")).await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.replace_file("config.yaml", &version(&upstream.base(), 1));
    until_it_knows(&proxy, KEY, 1).await;
    assert_eq!(readiness(&proxy).await["config"], Value::Null);
}

#[tokio::test]
async fn a_hangup_without_a_file_keeps_the_key_and_the_models() {
    let upstream = busy_upstream().await;
    let setup = proxy::bare().env("OPENAI_API_KEY", CREDENTIAL).env("LITELLM_MASTER_KEY", KEY);
    let proxy = setup.env("OPENAI_BASE_URL", &upstream.base()).start().await;
    proxy.hang_up();
    proxy.line(|line| line.contains("Config reloaded")).await;
    proxy.call(chat("gpt-4o")).await.expect(200);
}

#[tokio::test]
async fn what_was_counted_of_paths_of_the_config_is_not_lost() {
    let upstream = Upstream::playing(upstream::json(200, "{}")).await;
    let path = |number| {
        let endpoint =
            format!("{{path: /mine, target: {}, cost_per_request: 0.5}}", upstream.base());
        let config = version(&upstream.base(), number);
        config.replace(
            "general_settings:",
            &format!("general_settings:\n  pass_through_endpoints: [{endpoint}]"),
        )
    };
    let proxy = proxy::with(&path(1)).start().await;
    get("/mine").key(KEY).send(proxy.addr()).await.expect(200);
    let counted = async || count(&metrics(&proxy, KEY).await, "litellm_spend_metric_total{");
    until(&proxy, "the call's cost", async || counted().await > 0).await;
    let before = counted().await;
    proxy.replace_file("config.yaml", &path(2));
    until_it_knows(&proxy, KEY, 2).await;
    assert_eq!(counted().await, before);
}

#[tokio::test]
async fn a_deployment_that_rests_goes_on_to_rest() {
    let upstream = Upstream::playing(upstream::json(404, "{}")).await;
    let config = |number: usize, rest: &str| {
        let models = version(&upstream.base(), 0).replace("      cooldown_time: 0\n", "");
        format!("{}    now-{number}: gpt\n  {rest}\n", models.replace("    now-0: gpt\n", ""))
    };
    let proxy = proxy::with(&config(0, "cooldown_time: 60")).start().await;
    proxy.call(chat("gpt")).await.expect(404);
    proxy.call(chat("gpt")).await.expect(429);
    // The same breaker, then another one that rests no longer than it would, then none.
    for (number, rest, status) in [
        (1, "cooldown_time: 60", 429),
        (2, "cooldown_time: 30", 429),
        (3, "disable_cooldowns: true", 404),
    ] {
        proxy.replace_file("config.yaml", &config(number, rest));
        proxy.hang_up();
        until_it_knows(&proxy, KEY, number).await;
        let answer = proxy.call(chat("gpt")).await.expect(status);
        if let Some(wait) = answer.header("retry-after") {
            assert!(wait.parse::<u64>().unwrap() > 20, "{rest}: {wait}");
        }
    }
    assert_eq!(upstream.seen().begun, 2);
}

#[tokio::test]
async fn a_credential_that_was_mended_ends_a_rest() {
    let upstream = Upstream::playing(upstream::json(401, "{}")).await;
    let config = |number: usize, key: &str| {
        let models = version(&upstream.base(), 0).replace("cooldown_time: 0", "cooldown_time: 60");
        models
            .replace("now-0", &format!("now-{number}"))
            .replace(CREDENTIAL, key)
            .replace("    litellm_params:", "    model_info: {id: fixed}\n    litellm_params:")
    };
    let proxy = proxy::with(&config(0, "k")).start().await;
    proxy.call(chat("gpt")).await.expect(401);
    for (number, key, status) in [(1, "k", 429), (2, "mended", 401), (3, "mended", 429)] {
        proxy.replace_file("config.yaml", &config(number, key));
        proxy.hang_up();
        until_it_knows(&proxy, KEY, number).await;
        proxy.call(chat("gpt")).await.expect(status);
    }
    assert_eq!(upstream.seen().begun, 2);
}
