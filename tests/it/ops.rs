//! What an operator sees: health, metrics, logs, headers.
use crate::client::{chat, chat_stream, get, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use serde_json::Value;
use std::net::SocketAddr;

const STREAM: [&str; 3] = [
    r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#,
    r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}"#,
    "[DONE]",
];

/// An upstream that answers calls and streams, a proxy before it, and its ops listener.
async fn observed() -> (Upstream, Proxy, SocketAddr) {
    let upstream = Upstream::start(|request| {
        if memchr::memmem::find(&request.body, b"\"stream\":true").is_some() {
            return upstream::stream(&STREAM);
        }
        let headers = [("content-type", "application/json"), ("x-ratelimit-limit-requests", "60")];
        upstream::answer(200, &headers, COMPLETION)
    })
    .await;
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = proxy::in_front_of(&upstream.base()).env("JSON_LOGS", "true");
    let proxy = setup.arg("--ops-listen").arg(&ops.to_string()).start().await;
    (upstream, proxy, ops)
}

/// The value of the one sample with this name whose labels have all of `labels`.
fn sample(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let line = metrics.lines().find(|line| {
        let (found, rest) = line.split_once(['{', ' ']).unwrap_or((line, ""));
        found == name && labels.iter().all(|label| rest.contains(label))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn scrape(ops: SocketAddr) -> String {
    get("/metrics").send(ops).await.expect(200).text().to_owned()
}

#[tokio::test]
async fn liveness_and_readiness_need_no_key() {
    let (_upstream, proxy, ops) = observed().await;
    for addr in [proxy.addr(), ops] {
        for path in ["/health/liveliness", "/health/liveness"] {
            let answer = get(path).send(addr).await.expect(200);
            assert_eq!(answer.json(), "I'm alive!");
        }
        let ready = get("/health/readiness").send(addr).await.expect(200).json();
        assert_eq!(ready["status"], "healthy");
        assert_eq!(ready["db"], "connected");
    }
}

#[tokio::test]
async fn health_shows_strangers_no_names() {
    let (upstream, proxy, ops) = observed().await;
    for addr in [proxy.addr(), ops] {
        let health = get("/health").send(addr).await.expect(200);
        let body = health.json();
        assert_eq!(body["status"], "healthy");
        assert!(body["version"].is_string() && body["uptime"].is_number(), "{body}");
        for name in ["gpt", "openai", &upstream.base()] {
            assert!(!health.text().contains(name), "{}", health.text());
        }
    }
    assert_eq!(upstream.seen().connections, 0, "health without a key calls nobody");
}

#[tokio::test]
async fn health_with_a_key_tries_each_deployment() {
    let (upstream, proxy, _ops) = observed().await;
    let health = proxy.call(get("/health")).await.expect(200);
    let body = health.json();
    assert_eq!(body["healthy_count"], 1, "{body}");
    assert_eq!(body["unhealthy_count"], 0);
    assert_eq!(body["healthy_endpoints"][0]["model"], "openai/gpt-4o-mini");
    assert!(body["healthy_endpoints"][0]["model_id"].is_string());
    assert!(body["healthy_endpoints"][0]["latency_ms"].is_number());
    assert!(body["status"].is_string() && body["version"].is_string());
    assert!(!health.text().contains(CREDENTIAL));
    assert_eq!(upstream.only_request().head.first, "POST /v1/chat/completions HTTP/1.1");
}

#[tokio::test]
async fn health_with_a_key_says_what_is_wrong() {
    let body = r#"{"error":{"message":"no such key"}}"#;
    let upstream = Upstream::playing(upstream::json(401, body)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let health = proxy.call(get("/health")).await.expect(200).json();
    assert_eq!(health["unhealthy_count"], 1, "{health}");
    let error = health["unhealthy_endpoints"][0]["error"].as_str().expect("an error");
    assert!(error.starts_with("litellm.AuthenticationError: "), "{error}");
}

#[tokio::test]
async fn the_ops_listener_takes_no_call() {
    let (upstream, _proxy, ops) = observed().await;
    for call in [chat("gpt"), get("/v1/models"), get("/model/info"), get("/")] {
        call.key(KEY).send(ops).await.expect(404);
    }
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn calls_tokens_and_cost_are_counted_once() {
    let (_upstream, proxy, ops) = observed().await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.call(chat("gpt")).await.expect(200);
    proxy.call(chat_stream("gpt")).await.expect(200);
    chat("gpt").key("sk-wrong").send(proxy.addr()).await.expect(401);
    let metrics = scrape(ops).await;
    let gpt = "requested_model=\"gpt\"";
    let total = "litellm_proxy_total_requests_metric_total";
    assert_eq!(sample(&metrics, total, &[gpt, "status_code=\"200\""]), Some(3.0), "{metrics}");
    assert_eq!(sample(&metrics, "litellm_input_tokens_metric_total", &[gpt]), Some(13.0));
    assert_eq!(sample(&metrics, "litellm_output_tokens_metric_total", &[gpt]), Some(9.0));
    assert_eq!(sample(&metrics, "litellm_total_tokens_metric_total", &[gpt]), Some(22.0));
    let spend = sample(&metrics, "litellm_spend_metric_total", &["model=\""]).expect("a cost");
    let expected = 13.0 * 0.15e-6 + 9.0 * 0.6e-6;
    assert!((spend - expected).abs() < 1e-9, "{spend} is not {expected}");
    for name in [
        "litellm_request_total_latency_metric",
        "litellm_llm_api_latency_metric",
        "litellm_overhead_latency_metric",
    ] {
        let count = sample(&metrics, &format!("{name}_count"), &[]);
        assert_eq!(count, Some(3.0), "{name}\n{metrics}");
    }
    let first = "litellm_llm_api_time_to_first_token_metric_count";
    assert_eq!(sample(&metrics, first, &[]), Some(1.0), "{metrics}");
    let deployment = "litellm_deployment_success_responses_total";
    assert_eq!(sample(&metrics, deployment, &["api_provider=\"openai\""]), Some(3.0));
    assert!(metrics.contains("litellm_proxy_total_requests_metric_created{"), "{metrics}");
    assert!(metrics.contains("bartizan_build_info{"), "{metrics}");
}

#[tokio::test]
async fn failures_are_counted_with_status_and_class() {
    let body = r#"{"error":{"message":"slow down"}}"#;
    let upstream = Upstream::playing(upstream::json(429, body)).await;
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = proxy::in_front_of(&upstream.base()).arg("--ops-listen").arg(&ops.to_string());
    let proxy = setup.start().await;
    proxy.call(chat("gpt")).await.expect(429);
    let metrics = scrape(ops).await;
    let labels = ["exception_status=\"429\"", "exception_class=\"Openai.RateLimitError\""];
    let failed = sample(&metrics, "litellm_proxy_failed_requests_metric_total", &labels);
    assert_eq!(failed, Some(1.0), "{metrics}");
    let failed = sample(&metrics, "litellm_deployment_failure_responses_total", &labels);
    assert_eq!(failed, Some(1.0), "{metrics}");
}

#[tokio::test]
async fn a_failure_that_is_no_providers_names_none() {
    let (_upstream, proxy, ops) = observed().await;
    proxy.call(chat("nobody")).await.expect(400);
    let metrics = scrape(ops).await;
    let labels = ["exception_status=\"400\"", "exception_class=\"BadRequestError\""];
    let failed = sample(&metrics, "litellm_proxy_failed_requests_metric_total", &labels);
    assert_eq!(failed, Some(1.0), "{metrics}");
}

#[tokio::test]
async fn labels_stand_in_alphabetical_order_that_of_a_bucket_too() {
    let (_upstream, proxy, ops) = observed().await;
    proxy.call(chat("gpt")).await.expect(200);
    let metrics = scrape(ops).await;
    for (metric, order) in [
        ("litellm_request_total_latency_metric", ["end_user", "le", "model"]),
        ("bartizan_overhead_seconds", ["le", "provider", ""]),
        ("bartizan_call_duration_seconds", ["le", "route", ""]),
    ] {
        let starts = format!("{metric}_bucket{{");
        let line = metrics.lines().find(|line| line.starts_with(&starts)).expect("a bucket");
        let labels = line.trim_start_matches(&starts).split("\",");
        let names: Vec<_> = labels.filter_map(|label| Some(label.split_once("=\"")?.0)).collect();
        assert!(names.is_sorted(), "{line}");
        let wanted = order.iter().filter(|name| !name.is_empty());
        assert!(wanted.clone().all(|name| names.contains(name)), "{line}");
    }
}

#[tokio::test]
async fn a_model_that_nobody_serves_makes_no_new_series() {
    let (_upstream, proxy, ops) = observed().await;
    for n in 0..20 {
        proxy.call(chat(&format!("made-up-{n}"))).await.expect(400);
    }
    assert!(!scrape(ops).await.contains("made-up-"));
}

#[tokio::test]
async fn metrics_on_the_calls_listener_need_a_key() {
    let (_upstream, proxy, _ops) = observed().await;
    for path in ["/metrics", "/metrics/"] {
        get(path).send(proxy.addr()).await.expect(401);
        let answer = proxy.call(get(path)).await.expect(200);
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    }
}

fn call_lines(output: &str) -> Vec<Value> {
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line.to_string().contains("/chat/completions")).collect()
}

#[tokio::test]
async fn each_call_is_one_json_line_with_its_id() {
    let (_upstream, proxy, _ops) = observed().await;
    let mut ids = Vec::new();
    for call in [chat("gpt"), chat_stream("gpt"), chat("nope")] {
        let answer = proxy.call(call).await;
        ids.push(answer.header("x-litellm-call-id").expect("an id").to_owned());
    }
    for id in &ids {
        proxy.line(|line| line.contains(id.as_str())).await;
    }
    let output = proxy.output();
    assert_eq!(call_lines(&output).len(), 3, "{output}");
    for id in ids {
        let lines = output.lines().filter(|line| line.contains(&id));
        let parsed: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(parsed.len(), 1, "{output}");
    }
}

#[tokio::test]
async fn an_answer_says_what_happened() {
    let (_upstream, proxy, _ops) = observed().await;
    let answer = proxy.call(chat("gpt")).await.expect(200);
    let info = proxy.call(get("/model/info")).await.expect(200).json();
    let id = info["data"][0]["model_info"]["id"].as_str().expect("an id");
    assert_eq!(answer.header("x-litellm-model-id"), Some(id));
    assert_eq!(answer.header("x-litellm-model-group"), Some("gpt"));
    assert_eq!(answer.header("x-litellm-attempted-retries"), Some("0"));
    assert_eq!(answer.header("x-litellm-attempted-fallbacks"), Some("0"));
    assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("60"));
    let number = |name: &str| -> f64 {
        let value = answer.header(name).unwrap_or_else(|| panic!("no {name}"));
        value.parse().expect("a number")
    };
    let cost = number("x-litellm-response-cost");
    assert!((cost - (0.15e-6 + 0.6e-6)).abs() < 1e-9, "{cost}");
    assert!(number("x-litellm-response-duration-ms") >= number("x-litellm-overhead-duration-ms"));
    for name in ["x-litellm-version", "x-litellm-model-api-base"] {
        assert!(answer.header(name).is_some(), "no {name}");
    }
    assert!(answer.header("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn a_clients_own_call_id_is_kept() {
    let (_upstream, proxy, _ops) = observed().await;
    let call = chat("gpt").header("x-litellm-call-id", "my-own-id-1");
    let answer = proxy.call(call).await.expect(200);
    assert_eq!(answer.header("x-litellm-call-id"), Some("my-own-id-1"));
}

#[tokio::test]
async fn every_error_has_a_call_id() {
    let (_upstream, proxy, _ops) = observed().await;
    for answer in [
        chat("gpt").send(proxy.addr()).await,
        proxy.call(chat("nope")).await,
        proxy.call(post("/v1/chat/completions", "{")).await,
    ] {
        assert!(answer.status >= 400);
        assert!(answer.header("x-litellm-call-id").is_some(), "{}", answer.status);
    }
}

#[tokio::test]
async fn a_trace_goes_on_at_the_upstream() {
    let (upstream, proxy, _ops) = observed().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let call = chat("gpt").header("traceparent", &parent).header("tracestate", "a=b");
    proxy.call(call).await.expect(200);
    let sent = upstream.only_request().head;
    assert!(sent.get("traceparent").is_some_and(|sent| sent.contains(trace)));
    assert_eq!(sent.get("tracestate"), Some("a=b"));
}

#[tokio::test]
async fn draining_fails_readiness_and_ends_with_success() {
    let gate = upstream::Gate::new();
    let mut steps = vec![upstream::Step::Wait(gate.clone())];
    steps.extend(upstream::json(200, COMPLETION));
    let upstream = Upstream::playing(steps).await;
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = proxy::in_front_of(&upstream.base()).arg("--ops-listen").arg(&ops.to_string());
    let mut proxy = setup.start().await;
    let mut wire = chat("gpt").key(KEY).open(proxy.addr()).await;
    assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
    proxy.terminate();
    let mut ticks = proxy::ticks();
    let mut probes = 0;
    while get("/health/readiness").send(ops).await.status != 503 {
        probes += 1;
        assert!(probes < 500, "readiness never failed");
        ticks.tick().await;
    }
    gate.open();
    assert_eq!(wire.answer().await.status, 200);
    assert!(proxy.exited().await.success());
}
