//! Who is refused before a request is looked at.
use super::Guard;
use crate::config::{Compat, Config, Telemetry as Settings, parse_str};
use crate::edge::Route;
use crate::telemetry::{LogWriter, Metrics, Telemetry};
use bartizan_layers::facts::Peer;
use http::{HeaderValue, Method, Request, StatusCode};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORBIDDEN: Option<StatusCode> = Some(StatusCode::FORBIDDEN);

fn config(general: &str) -> Config {
    parse_str(&format!("general_settings: {general}\n")).unwrap().0
}

fn guard(general: &str) -> Guard {
    let settings = Settings { level: tracing::Level::ERROR, json: None, metrics_need_key: None };
    let writer = LogWriter::start(std::io::sink()).unwrap();
    let telemetry = Telemetry::new(&settings, Arc::new(Metrics::new(Compat::Current)), writer);
    Guard::new(HeaderValue::from_static("me"), &config(general).access, telemetry)
}

fn check(guard: &Guard, headers: &[(&str, &str)]) -> Option<StatusCode> {
    from(guard, "127.0.0.1", "/v1/models", headers)
}

fn from(guard: &Guard, peer: &str, path: &str, headers: &[(&str, &str)]) -> Option<StatusCode> {
    let mut req = Request::get(path);
    for (name, value) in headers {
        req = req.header(*name, *value);
    }
    let mut req = req.body(()).unwrap();
    let ip: IpAddr = peer.parse().unwrap();
    req.extensions_mut().insert(Peer(SocketAddr::new(ip, 9)));
    let checked = guard.check(&req, &Route::of(&Method::GET, path));
    checked.err().map(|problem| problem.status)
}

#[test]
fn our_own_call_is_a_loop() {
    let guard = guard("{master_key: sk-1}");
    assert_eq!(check(&guard, &[("x-bartizan-hop", "me")]), Some(StatusCode::LOOP_DETECTED));
    assert_eq!(check(&guard, &[("x-bartizan-hop", "another")]), None);
}

#[test]
fn in_open_mode_other_sites_are_refused() {
    let open = guard("{allowed_hosts: [gateway.example]}");
    for host in [
        "localhost:4000",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "127.0.0.1:4000",
        "127.8.9.10",
        "[::1]:4000",
        "gateway.example",
        "GATEWAY.example.:80",
    ] {
        assert_eq!(check(&open, &[("host", host)]), None, "{host}");
    }
    for host in [
        "evil.example:4000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "localhost@evil.example",
        "evil.example@localhost",
        "evil.example:80@localhost",
        "localhost:80:80",
        "localhost..",
        ".",
        ":4000",
        "",
        "0.0.0.0:4000",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "[localhost]",
        "[::1%25lo]",
        "[::1%lo]",
        "[fe80::1]",
        "[::ffff:8.8.8.8]",
        "::1",
        "localhost,evil.example",
        "localhost/evil.example",
        "sub.gateway.example",
    ] {
        assert_eq!(check(&open, &[("host", host)]), FORBIDDEN, "{host}");
    }
    assert_eq!(check(&open, &[]), FORBIDDEN, "no Host at all");
}

#[test]
fn in_open_mode_pages_of_other_sites_are_refused() {
    let open = guard("{allowed_hosts: [gateway.example]}");
    let origin = |origin| check(&open, &[("host", "localhost:4000"), ("origin", origin)]);
    for ours in ["http://localhost:3000", "https://gateway.example", "http://[::1]:1"] {
        assert_eq!(origin(ours), None, "{ours}");
    }
    for other in
        ["https://evil.example", "null", "", "localhost.evil", "http://localhost@evil.example"]
    {
        assert_eq!(origin(other), FORBIDDEN, "{other}");
    }
    let twice =
        [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://evil.example")];
    assert_eq!(check(&open, &twice), FORBIDDEN);
}

#[test]
fn with_a_key_any_host_will_do() {
    assert_eq!(check(&guard("{master_key: sk-1}"), &[("host", "evil.example")]), None);
}

#[test]
fn only_allowed_addresses_may_call_but_health_is_everyones() {
    let guard = guard("{master_key: sk-1, allowed_ips: [10.0.0.0/8], blocked_ips: [10.9.0.0/16]}");
    for (peer, refused) in [
        ("10.1.1.1", None),
        ("::ffff:10.1.1.1", None),
        ("10.9.1.1", FORBIDDEN),
        ("11.0.0.1", FORBIDDEN),
        ("::1", FORBIDDEN),
    ] {
        for path in ["/v1/models", "/health", "/metrics", "/nowhere"] {
            assert_eq!(from(&guard, peer, path, &[]), refused, "{peer} {path}");
        }
        for path in ["/health/liveliness", "/health/liveness", "/health/readiness"] {
            assert_eq!(from(&guard, peer, path, &[]), None, "{peer} {path}");
        }
    }
}

#[test]
fn without_a_known_peer_no_rule_is_met() {
    let guard = guard("{master_key: sk-1, allowed_ips: ['*']}");
    let req = Request::get("/v1/models").body(()).unwrap();
    let refused = guard.check(&req, &Route::of(&Method::GET, "/v1/models")).unwrap_err();
    assert_eq!(refused.message, "Access forbidden: IP address unknown not allowed.");
}

#[test]
fn forwarded_addresses_count_from_trusted_proxies_only() {
    let list = "master_key: sk-1, allowed_ips: [9.9.9.9], trusted_proxies: [10.0.0.0/8, '::1']";
    let guarded = guard(&format!("{{use_x_forwarded_for: true, {list}}}"));
    let says = |peer, lists: &[&str]| {
        let headers: Vec<_> = lists.iter().map(|list| ("x-forwarded-for", *list)).collect();
        from(&guarded, peer, "/v1/models", &headers)
    };
    assert_eq!(says("10.0.0.1", &["9.9.9.9"]), None);
    assert_eq!(says("::ffff:10.0.0.1", &["9.9.9.9:1234"]), None);
    assert_eq!(says("::1", &["1.1.1.1, 9.9.9.9, 10.2.2.2"]), None, "the last one not trusted");
    assert_eq!(says("::1", &["1.1.1.1", "9.9.9.9,10.2.2.2"]), None, "lines are one list");
    assert_eq!(says("::1", &["::ffff:9.9.9.9"]), None);
    assert_eq!(says("9.9.9.9", &["1.1.1.1"]), None, "the peer is nobody's proxy");
    for (peer, lists) in [
        ("1.1.1.1", &["9.9.9.9"][..]),
        ("10.0.0.1", &["9.9.9.9, 1.1.1.1"]),
        ("10.0.0.1", &["9.9.9.9", "1.1.1.1"]),
        ("10.0.0.1", &["9.9.9.9, unknown"]),
        ("10.0.0.1", &["9.9.9.9,"]),
        ("10.0.0.1", &[]),
    ] {
        assert_eq!(says(peer, lists), FORBIDDEN, "{peer} {lists:?}");
    }
    let off = guard(&format!("{{{list}}}"));
    let headers = [("x-forwarded-for", "9.9.9.9")];
    assert_eq!(from(&off, "10.0.0.1", "/v1/models", &headers), FORBIDDEN);
}
