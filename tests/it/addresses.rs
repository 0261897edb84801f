//! Who may call from where: `allowed_ips`, `blocked_ips`, and whom `X-Forwarded-For` is believed.
use crate::client::{Answer, Call, chat, get, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use crate::wire::Wire;
use std::net::SocketAddr;
use tokio::net::TcpSocket;

/// A proxy with these rules, which are lines of `general_settings`.
async fn ruled(rules: &[&str]) -> (Upstream, Proxy, SocketAddr) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let rules: String = rules.iter().map(|rule| format!("  {rule}\n")).collect();
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = proxy::with(&(proxy::config(&upstream.base()) + &rules)).env("JSON_LOGS", "true");
    let proxy = setup.arg("--ops-listen").arg(&ops.to_string()).start().await;
    (upstream, proxy, ops)
}

/// Makes a call from `127.0.0.last`.
async fn from(last: u8, proxy: &Proxy, call: Call) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    let mut wire = Wire::new(socket.connect(proxy.addr()).await.unwrap());
    wire.send(call.key(KEY).bytes(proxy.addr())).await.unwrap();
    wire.answer().await
}

#[tokio::test]
async fn only_allowed_addresses_may_call() {
    let (upstream, proxy, ops) = ruled(&["allowed_ips: [127.0.0.1, 127.0.2.0/24]"]).await;
    from(1, &proxy, chat("gpt")).await.expect(200);
    let refused = from(2, &proxy, chat("gpt")).await.expect(403);
    let message = "Access forbidden: IP address 127.0.0.2 not allowed.";
    assert_eq!(refused.error_message(), message);
    for path in ["/v1/models", "/health", "/metrics", "/nowhere"] {
        assert_eq!(from(2, &proxy, get(path)).await.expect(403).error_message(), message);
    }
    for path in ["/health/liveliness", "/health/readiness"] {
        from(2, &proxy, get(path)).await.expect(200);
    }
    get("/health").send(ops).await.expect(200);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_speaks_the_dialect_of_the_path_and_is_recorded() {
    let (_upstream, proxy, ops) = ruled(&["blocked_ips: [127.0.0.2]"]).await;
    let anthropic = from(2, &proxy, post("/v1/messages", "{}")).await.expect(403).json();
    assert_eq!(anthropic["type"], "error");
    let gemini = post("/v1beta/models/gpt:generateContent", "{}");
    assert_eq!(from(2, &proxy, gemini).await.expect(403).json()["error"]["code"], 403);
    let refused = from(2, &proxy, chat("gpt")).await.expect(403);
    let id = refused.header("x-litellm-call-id").expect("an id").to_owned();
    let line = proxy.line(|line| line.contains(&id)).await;
    assert!(line.contains("\"status\":403"), "{line}");
    let metrics = get("/metrics").send(ops).await.expect(200).text().to_owned();
    let counted = "bartizan_calls_total{route=\"/chat/completions\",status=\"403\"} 1.0";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("litellm_in_flight_requests 0.0"), "{metrics}");
}

#[tokio::test]
async fn blocked_wins_and_the_star_is_everyone() {
    let (_upstream, proxy, _) = ruled(&["allowed_ips: ['*']", "blocked_ips: [127.0.0.2/32]"]).await;
    from(1, &proxy, chat("gpt")).await.expect(200);
    from(3, &proxy, chat("gpt")).await.expect(200);
    from(2, &proxy, chat("gpt")).await.expect(403);
}

#[tokio::test]
async fn a_wrong_key_from_a_wrong_address_learns_nothing_of_the_key() {
    let (_upstream, proxy, _) = ruled(&["allowed_ips: [127.0.0.9]"]).await;
    chat("gpt").key("sk-wrong").send(proxy.addr()).await.expect(403);
    chat("gpt").send(proxy.addr()).await.expect(403);
}

#[tokio::test]
async fn nobody_chooses_an_address_with_a_header() {
    let forwarded = |list: &str| chat("gpt").header("x-forwarded-for", list);
    let (_upstream, proxy, _) = ruled(&["allowed_ips: [127.0.0.1, 9.9.9.9]"]).await;
    from(2, &proxy, forwarded("127.0.0.1")).await.expect(403);
    let real = chat("gpt").header("x-real-ip", "127.0.0.1").header("forwarded", "for=127.0.0.1");
    from(2, &proxy, real).await.expect(403);
    let trusting =
        ["allowed_ips: [9.9.9.9]", "use_x_forwarded_for: true", "trusted_proxies: [127.0.0.3]"];
    let (_upstream, proxy, _) = ruled(&trusting).await;
    from(3, &proxy, forwarded("9.9.9.9")).await.expect(200);
    from(3, &proxy, forwarded("1.1.1.1, 9.9.9.9")).await.expect(200);
    from(3, &proxy, forwarded("9.9.9.9, 1.1.1.1")).await.expect(403);
    from(3, &proxy, forwarded("9.9.9.9").header("x-forwarded-for", "1.1.1.1")).await.expect(403);
    from(2, &proxy, forwarded("9.9.9.9")).await.expect(403);
    from(3, &proxy, chat("gpt")).await.expect(403);
}

#[tokio::test]
async fn rules_that_name_no_address_refuse_the_start() {
    let config = proxy::config("http://127.0.0.1:9/v1") + "  blocked_ips: [all]\n";
    let finished = proxy::with(&config).arg("--port").arg("0").finish();
    assert!(!finished.status.success());
    assert!(finished.output.contains("`blocked_ips` takes addresses"), "{}", finished.output);
}

/// A proxy whose upstream says that everyone may read.
async fn visited(rules: &str) -> (Upstream, Proxy) {
    let headers = [("content-type", "application/json"), ("access-control-allow-origin", "*")];
    let upstream = Upstream::playing(upstream::answer(200, &headers, COMPLETION)).await;
    let config = proxy::config(&upstream.base()) + rules;
    (upstream, proxy::with(&config).start().await)
}

#[tokio::test]
async fn no_page_may_read_answers_unless_the_config_says_so() {
    let (_upstream, proxy) = visited("").await;
    for call in [chat("gpt"), get("/v1/models"), get("/health/readiness")] {
        let answer = proxy.call(call.header("origin", "https://app.example")).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let asks = preflight("https://app.example");
    asks.send(proxy.addr()).await.expect(405);
}

fn preflight(origin: &str) -> Call {
    let asks = crate::client::request("OPTIONS", "/v1/chat/completions");
    let asks = asks.header("origin", origin).header("access-control-request-method", "POST");
    asks.header("access-control-request-headers", "authorization,content-type")
}

#[tokio::test]
async fn pages_of_listed_origins_may_call_and_read() {
    let (upstream, proxy) = visited("  allowed_origins: ['https://App.example']\n").await;
    let asked = preflight("https://app.example").send(proxy.addr()).await.expect(204);
    assert_eq!(asked.header("access-control-allow-origin"), Some("https://app.example"));
    let names = Some("authorization,content-type");
    assert_eq!(asked.header("access-control-allow-headers"), names);
    assert!(asked.header("access-control-allow-methods").unwrap().contains("POST"));
    for (call, status) in [(chat("gpt").key(KEY), 200), (chat("gpt"), 401)] {
        let answer = call.header("origin", "https://app.example").send(proxy.addr()).await;
        let answer = answer.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    for origin in ["https://evil.example", "http://app.example", "https://app.example:8443"] {
        preflight(origin).send(proxy.addr()).await.expect(405);
        let answer = proxy.call(chat("gpt").header("origin", origin)).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let origins: Vec<_> =
        upstream.requests().iter().map(|one| one.head.get("origin").is_some()).collect();
    assert_eq!(origins.len(), 4);
    assert!(!origins[0], "the upstream is not asked about a page that may call");
}

#[tokio::test]
async fn tricks_with_the_host_do_not_open_an_open_proxy() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base()).replace(&format!("master_key: {KEY}"), "{}");
    let proxy = proxy::with(&config).start().await;
    for host in [
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "[::1%25lo]",
        ":4000",
        "0.0.0.0:4000",
        "2130706433",
        "EVIL.example.",
    ] {
        let answer = chat("gpt").header("host", host).send(proxy.addr()).await;
        assert!([400, 403].contains(&answer.status), "{host}: {}", answer.status);
    }
    let absolute = post("http://evil.example/v1/chat/completions", "{}");
    absolute.header("host", "localhost").send(proxy.addr()).await.expect(403);
    let twice = chat("gpt").header("host", "localhost").header("host", "evil.example");
    twice.send(proxy.addr()).await.expect(400);
    assert_eq!(upstream.requests().len(), 0);
    for host in ["LOCALHOST", "localhost.:80", "127.0.0.1", "[::1]:4000"] {
        chat("gpt").header("host", host).send(proxy.addr()).await.expect(200);
    }
}
