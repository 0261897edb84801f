//! Where a Redis may be: over TLS, behind sentinels, in a cluster, with a user and a password of its own.
use crate::client::{chat, get};
use crate::proxy::{KEY, Setup, free_port, ticks};
use crate::redis::Redis;
use crate::shared::{answered, connected, placed, said};
use crate::tls::Authority;
use crate::upstream::Upstream;

const GENERAL: &str = ", rpm_limit: 5";

/// Two proxies there admit five calls together.
async fn is_shared(upstream: &Upstream, setup: impl Fn() -> Setup) {
    let (one, two) = (setup().start().await, setup().start().await);
    connected(&one).await;
    connected(&two).await;
    assert_eq!(answered(&[&one, &two], 20, &chat("gpt")).await, 5);
    assert_eq!(upstream.seen().begun, 5);
}

/// A Redis that speaks TLS, also plainly for the test itself, and its port for that.
async fn secure(authority: &Authority) -> Option<(Redis, u16)> {
    authority.issue("redis", "127.0.0.1");
    let port = free_port();
    let (certificate, key) = (authority.path("redis.pem"), authority.path("redis.key"));
    let (ca, tls_port) = (authority.path("ca.pem"), port.to_string());
    let more = ["--tls-port", &tls_port, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let more = [&more[..], &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "yes"]].concat();
    Some((Redis::start_with(&more).await?, port))
}

#[tokio::test]
async fn a_redis_over_tls_is_shown_a_certificate_and_trusted_by_its_own_root() {
    let authority = Authority::new("redis");
    let Some((_redis, port)) = secure(&authority).await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let cache = format!(
        "litellm_settings:\n  cache: true\n  cache_params: {{type: redis, supported_call_types: \
         [], host: 127.0.0.1, port: {port}, ssl: true, ssl_ca_certs: {}, ssl_certfile: {}, \
         ssl_keyfile: {}}}",
        authority.path("ca.pem"),
        authority.path("one.pem"),
        authority.path("one.key")
    );
    is_shared(&upstream, || placed("{}", &upstream, GENERAL, &cache)).await;
}

#[tokio::test]
async fn the_roots_and_the_certificate_for_redis_may_stand_in_variables() {
    let authority = Authority::new("redis");
    let Some((_redis, port)) = secure(&authority).await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let place = format!("redis_url: rediss://127.0.0.1:{port}");
    let setup = || {
        placed(&place, &upstream, GENERAL, "")
            .env("REDIS_SSL_CERTFILE", &authority.path("one.pem"))
            .env("REDIS_SSL_KEYFILE", &authority.path("one.key"))
    };
    is_shared(&upstream, || setup().env("SSL_CERT_FILE", &authority.path("ca.pem"))).await;
    // Nobody vouches for it: it is away, and calls go on.
    let proxy = setup().start().await;
    proxy.call(chat("gpt")).await.expect(200);
    let ready = get("/health/readiness").key(KEY).send(proxy.addr()).await.json();
    assert_ne!(ready["redis"], "connected", "{ready}");
    let unchecked = setup().env("REDIS_SSL_CERT_REQS", "none").start().await;
    connected(&unchecked).await;
}

#[tokio::test]
async fn sentinels_name_the_redis_that_proxies_share() {
    let Some(redis) = Redis::start().await else { return };
    let sentinel = redis.sentinel().await;
    let upstream = Upstream::playing(said(1, 1)).await;
    let port = sentinel.port();
    let shared = format!(
        "{GENERAL}, coordination_redis: {{sentinel_nodes: [[127.0.0.1, {port}]], service_name: \
         primary}}"
    );
    is_shared(&upstream, || placed("{}", &upstream, &shared, "")).await;
}

#[tokio::test]
async fn a_cluster_is_shared_by_one_of_its_nodes() {
    let Some(redis) = Redis::start_with(&["--cluster-enabled", "yes"]).await else { return };
    redis.tell(&["cluster", "addslotsrange", "0", "16383"]);
    let mut ticks = ticks();
    while !redis.tell(&["cluster", "info"]).contains("cluster_state:ok") {
        ticks.tick().await;
    }
    let upstream = Upstream::playing(said(1, 1)).await;
    let nodes = format!("redis_startup_nodes: [{{host: 127.0.0.1, port: {}}}]", redis.port());
    let shared = format!("{GENERAL}, coordination_redis: {{{nodes}}}");
    is_shared(&upstream, || placed("{}", &upstream, &shared, "")).await;
}

#[tokio::test]
async fn a_redis_with_a_user_and_a_database_is_shared_too() {
    let Some(redis) = Redis::start().await else { return };
    redis.tell(&["acl", "setuser", "bartizan", "on", ">p/w", "~*", "+@all"]);
    let upstream = Upstream::playing(said(1, 1)).await;
    let place = format!("redis_url: redis://bartizan:p%2Fw@127.0.0.1:{}/3", redis.port());
    is_shared(&upstream, || placed(&place, &upstream, GENERAL, "")).await;
    assert!(redis.tell(&["-n", "3", "dbsize"]).trim() != "0");
    assert_eq!(redis.tell(&["dbsize"]).trim(), "0");
}
