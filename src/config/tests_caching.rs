//! What configs say of the cache and of Redis.
use super::{
    CacheKind, CacheScope, Caching, Config, Env, Options, Problems, RedisAt, RedisSettings,
    Refused, load, parse_str,
};
use std::time::Duration;

const MODEL: &str =
    "model_list:\n  - model_name: m\n    litellm_params: {model: openai/x, api_key: k}\n";

fn read(sections: &str, variables: &[(&str, &str)]) -> (Config, Problems) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, format!("{MODEL}{sections}")).unwrap();
    let production = ("LITELLM_MODE", "PRODUCTION");
    let env: Env = variables.iter().copied().chain([production]).collect();
    let options = Options { config: Some(file), ..Options::default() };
    load(&options, env).unwrap_or_else(|Refused(problems)| panic!("{}", problems.render(false)))
}

fn clean(sections: &str, variables: &[(&str, &str)]) -> Config {
    let (config, problems) = read(sections, variables);
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    config
}

fn cache(sections: &str) -> Caching {
    clean(sections, &[]).caching.expect("a cache")
}

fn redis(sections: &str, variables: &[(&str, &str)]) -> RedisSettings {
    clean(sections, variables).redis.expect("a Redis")
}

fn one(host: &str, port: u16) -> RedisAt {
    RedisAt::Single((host.to_owned(), port))
}

#[test]
fn a_cache_in_memory_has_bounds_by_default() {
    let local = cache("litellm_settings: {cache: true, cache_params: {type: local}}\n");
    assert_eq!((local.kind, local.ttl), (CacheKind::Local, Some(Duration::from_secs(600))));
    assert_eq!((local.max_bytes, local.scope), (64 << 20, CacheScope::Team));
    assert!(!local.opt_in && !local.tool_calls && local.calls.chat && local.calls.messages);
}

#[test]
fn a_cache_is_read_wherever_it_stands() {
    let params = "{type: local, ttl: \"30.5\", namespace: n, mode: default_off, max_bytes: 1024, \
                  scope: all, tool_calls: true, supported_call_types: [acompletion, embedding]}";
    for (section, switch, map) in [
        ("litellm_settings", "cache", "cache_params"),
        ("general_settings", "cache", "cache_params"),
        ("router_settings", "cache_responses", "cache_kwargs"),
    ] {
        let told = cache(&format!("{section}: {{{switch}: true, {map}: {params}}}\n"));
        assert_eq!(told.ttl, Some(Duration::from_millis(30_500)), "{section}");
        assert_eq!(told.namespace.as_deref(), Some("n"));
        assert!(told.opt_in && told.tool_calls);
        assert_eq!((told.max_bytes, told.scope), (1024, CacheScope::All));
        assert!(told.calls.chat && told.calls.embeddings && !told.calls.text);
    }
}

#[test]
fn a_cache_without_a_type_is_in_redis_if_there_is_one() {
    let (config, problems) = read("litellm_settings: {cache: true}\n", &[]);
    assert_eq!(config.caching.unwrap().kind, CacheKind::Local);
    assert!(config.redis.is_none());
    let named = |notice: &String| notice.contains("no Redis is named");
    assert!(problems.notices().iter().any(named), "{:?}", problems.notices());
    let config = clean("litellm_settings: {cache: true}\n", &[("REDIS_HOST", "cache")]);
    let caching = config.caching.unwrap();
    assert_eq!((caching.kind, caching.ttl), (CacheKind::Redis, None));
    assert_eq!(config.redis.unwrap().at, one("cache", 6379));
}

#[test]
fn the_routers_cache_is_in_memory_unless_the_router_has_a_redis() {
    let told = clean("router_settings: {cache_responses: true}\n", &[("REDIS_HOST", "cache")]);
    assert_eq!(told.caching.unwrap().kind, CacheKind::Local);
    let told = clean("router_settings: {cache_responses: true, redis_host: r}\n", &[]);
    assert_eq!(told.caching.unwrap().kind, CacheKind::Redis);
}

#[test]
fn a_cache_of_no_calls_leaves_redis_to_the_limits() {
    let params = "{type: redis, host: r, supported_call_types: []}";
    let config =
        clean(&format!("litellm_settings: {{cache: true, cache_params: {params}}}\n"), &[]);
    assert!(config.caching.is_none());
    assert_eq!(config.redis.unwrap().at, one("r", 6379));
}

#[test]
fn kinds_of_a_later_version_are_named_and_kept_in_memory() {
    let text = "litellm_settings: {cache: true, cache_params: {type: s3, s3_bucket_name: b}}\n";
    let (config, problems) = read(text, &[]);
    assert_eq!(config.caching.unwrap().kind, CacheKind::Local);
    let named = "cache_params.type: s3 (answers to equal requests are kept in memory)";
    assert!(problems.notices().iter().any(|notice| notice.contains(named)));
    assert!(problems.notices().iter().any(|notice| notice.contains("s3_bucket_name")));
}

#[test]
fn parameters_of_a_cache_that_is_off_are_told() {
    let (config, problems) = read("litellm_settings: {cache_params: {type: local}}\n", &[]);
    assert!(config.caching.is_none());
    assert!(problems.render(false).contains("`cache_params` has no effect without `cache: true`"));
}

#[test]
fn calls_that_are_never_kept_are_told() {
    let text = "litellm_settings: {cache: true, cache_params: {type: local, \
                supported_call_types: [completion, embeding, image_generation]}}\n";
    let (config, problems) = read(text, &[]);
    assert!(config.caching.unwrap().calls.chat);
    let said = problems.render(false);
    assert!(said.contains("answers to `embeding` are never kept"), "{said}");
    assert!(said.contains("did you mean `embedding`?"), "{said}");
    assert_eq!(problems.errors(), 0);
}

#[test]
fn the_redis_of_the_router_comes_first_then_that_of_the_cache() {
    let cache = "litellm_settings: {cache: true, cache_params: {type: redis, host: c, port: \
                 \"7000\", username: u, password: p, db: 2, ssl: true, namespace: n}}\n";
    let shared = "general_settings: {coordination_redis: {host: s}}\n";
    let told = redis(&format!("{cache}{shared}"), &[("REDIS_HOST", "env")]);
    assert_eq!((&told.at, told.db, told.tls.is_some()), (&one("c", 7000), 2, true));
    assert_eq!(told.username.as_deref(), Some("u"));
    assert_eq!(told.password.as_ref().unwrap().expose(), "p");
    assert_eq!(told.namespace.as_deref(), Some("n"));
    let router =
        "router_settings: {redis_host: r, redis_port: 1, redis_password: q, redis_db: 3}\n";
    let told = redis(&format!("{cache}{shared}{router}"), &[]);
    assert_eq!((&told.at, told.db, told.tls.is_some()), (&one("r", 1), 3, false));
    assert_eq!(told.password.as_ref().unwrap().expose(), "q");
    assert_eq!(told.namespace.as_deref(), Some("n"), "keys of one cache have one name");
    assert_eq!(redis(shared, &[]).at, one("s", 6379));
}

#[test]
fn variables_fill_what_is_open_but_name_no_redis_for_whoever_wants_none() {
    let variables = [
        ("REDIS_HOST", "env"),
        ("REDIS_PORT", "7"),
        ("REDIS_PASSWORD", "pw"),
        ("REDIS_USERNAME", "me"),
        ("REDIS_DB", "4"),
        ("REDIS_SSL", "True"),
    ];
    assert!(clean("", &variables).redis.is_none(), "it may be the application's");
    let local = "litellm_settings: {cache: true, cache_params: {type: local}}\n";
    assert!(clean(local, &variables).redis.is_none());
    let told = redis("router_settings: {redis_host: r}\n", &variables);
    assert_eq!((&told.at, told.db, told.tls.is_some()), (&one("r", 7), 4, true));
    assert_eq!(told.password.unwrap().expose(), "pw");
    assert_eq!(told.username.as_deref(), Some("me"));
    // As Kubernetes sets it for a service of this name.
    let service = ("REDIS_PORT", "tcp://10.0.0.1:6379");
    assert_eq!(redis("router_settings: {redis_host: r}\n", &[service]).at, one("r", 6379));
}

#[test]
fn a_url_says_all() {
    let told = redis(
        "router_settings: {redis_url: \"rediss://us%40er:p%2Fw@[::1]:7000/5\"}\n",
        &[("REDIS_PASSWORD", "other"), ("REDIS_DB", "9")],
    );
    assert_eq!((&told.at, told.db, told.tls.is_some()), (&one("::1", 7000), 5, true));
    assert_eq!(told.username.as_deref(), Some("us@er"));
    assert_eq!(told.password.unwrap().expose(), "p/w");
    let told = redis("litellm_settings: {cache: true}\n", &[("REDIS_URL", "redis://:pw@h")]);
    assert_eq!((&told.at, told.db, told.tls.is_some()), (&one("h", 6379), 0, false));
    assert_eq!(told.username, None);
}

#[test]
fn a_cluster_and_sentinels_have_nodes() {
    let cache =
        |params: &str| format!("litellm_settings: {{cache: true, cache_params: {{{params}}}}}\n");
    let told =
        redis(&cache("redis_startup_nodes: [{host: a, port: \"1\"}, {host: b}], db: 3"), &[]);
    assert_eq!(told.at, RedisAt::Cluster(vec![("a".to_owned(), 1), ("b".to_owned(), 6379)]));
    assert_eq!(told.db, 0);
    let sentinels =
        "sentinel_nodes: [[a, 1], \"b:2\", c], service_name: primary, sentinel_password: pw";
    let RedisAt::Sentinel { nodes, service, password } = redis(&cache(sentinels), &[]).at else {
        panic!("sentinels")
    };
    let wanted = [("a", 1), ("b", 2), ("c", 26379)].map(|(host, port)| (host.to_owned(), port));
    assert_eq!((nodes.as_slice(), service.as_str()), (wanted.as_slice(), "primary"));
    assert_eq!(password.unwrap().expose(), "pw");
    let nodes = [("REDIS_CLUSTER_NODES", r#"[{"host": "x", "port": "7"}]"#)];
    let told = redis("litellm_settings: {cache: true}\n", &nodes);
    assert_eq!(told.at, RedisAt::Cluster(vec![("x".to_owned(), 7)]));
    let nodes = [("REDIS_SENTINEL_NODES", r#"[["x", 7]]"#), ("REDIS_SERVICE_NAME", "s")];
    let told = redis("litellm_settings: {cache: true}\n", &nodes);
    assert!(matches!(told.at, RedisAt::Sentinel { service, .. } if service == "s"));
}

#[test]
fn what_is_wrong_with_a_redis_is_told_without_its_secrets() {
    let cache = "litellm_settings: {cache: true, cache_params: {type: redis, ";
    for (text, variables, message) in [
        (
            "router_settings: {redis_url: \"http://:planted@h\"}\n".to_owned(),
            &[][..],
            "`redis_url` is not a URL of Redis",
        ),
        (
            "router_settings: {redis_url: \"redis://:planted@h/x\"}\n".to_owned(),
            &[],
            "is not a URL of Redis",
        ),
        (
            "router_settings: {redis_host: h, redis_port: 0}\n".to_owned(),
            &[],
            "a port from 1 to 65535",
        ),
        ("router_settings: {redis_host: [h]}\n".to_owned(), &[], "`redis_host` must be a text"),
        (
            "router_settings: {redis_host: h, redis_password: [planted]}\n".to_owned(),
            &[],
            "must be a text",
        ),
        (format!("{cache}url: \"http://u:planted@h\"}}}}\n"), &[], "`url` is not a URL of Redis"),
        (format!("{cache}sentinel_nodes: [[h, 1]]}}}}\n"), &[], "needs `service_name`"),
        (format!("{cache}redis_startup_nodes: [{{port: 1}}]}}}}\n"), &[], "this is none"),
        (format!("{cache}ssl: maybe, host: h}}}}\n"), &[], "true or false"),
        (
            "litellm_settings: {cache: true}\n".to_owned(),
            &[("REDIS_URL", "planted")],
            "REDIS_URL is not a URL",
        ),
        (
            "litellm_settings: {cache: true}\n".to_owned(),
            &[("REDIS_CLUSTER_NODES", "planted")],
            "not a list of addresses",
        ),
        (
            "router_settings: {redis_host: h}\n".to_owned(),
            &[("REDIS_SSL", "planted")],
            "REDIS_SSL is not true or false",
        ),
        (
            "router_settings: {redis_host: h}\n".to_owned(),
            &[("REDIS_DB", "planted")],
            "REDIS_DB is not a whole number",
        ),
    ] {
        let (config, problems) = read(&text, variables);
        let said = problems.render(false);
        assert!(problems.errors() == 1 && said.contains(message), "{text}: {said}");
        assert!(said.contains("help: "), "{text}: {said}");
        assert!(config.redis.is_none() && !said.contains("no Redis is named"), "{text}: {said}");
        assert!(!said.contains("planted"), "{text}: {said}");
        assert!(!format!("{config:?}").contains("planted"), "{text}");
    }
}

#[test]
fn secrets_of_redis_are_never_shown() {
    let text = format!(
        "{MODEL}router_settings: {{redis_host: h, redis_password: planted}}\n\
         litellm_settings: {{cache: true, cache_params: {{type: redis, url: \"redis://u:planted@h\", \
         sentinel_password: planted}}}}\n"
    );
    let (config, problems) = parse_str(&text).unwrap();
    assert!(config.redis.is_some());
    let shown = String::from_utf8_lossy(&config.shown).into_owned();
    for said in [format!("{config:?}"), shown, problems.render(false)] {
        assert!(!said.contains("planted"), "{said}");
    }
}
