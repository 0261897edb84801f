//! What leads the command's LLM clients to the proxy.
use crate::config::{Env, Secret};

/// Changes of an environment.
pub(super) struct Variables {
    pub(super) set: Vec<(&'static str, String)>,
    pub(super) removed: &'static [&'static str],
}

/// Variables for a proxy on `port` of 127.0.0.1 that takes `key`.
pub(super) fn of(port: u16, key: &Secret<String>) -> Variables {
    changes(port, key, &Env::of_process())
}

fn changes(port: u16, key: &Secret<String>, env: &Env) -> Variables {
    let origin = format!("http://127.0.0.1:{port}");
    let versioned = format!("{origin}/v1");
    let mut set = vec![
        ("OPENAI_BASE_URL", versioned.clone()),
        ("OPENAI_API_BASE", versioned),
        ("ANTHROPIC_BASE_URL", origin.clone()),
        ("GOOGLE_GEMINI_BASE_URL", origin.clone()),
        ("OLLAMA_HOST", origin),
    ];
    // A provider's own key would be refused by the proxy, and is none of the command's business.
    for name in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OLLAMA_API_KEY"] {
        set.push((name, key.expose().clone()));
    }
    // Google's client takes either, and complains about both.
    if env.get("GOOGLE_API_KEY").is_some() {
        set.push(("GOOGLE_API_KEY", key.expose().clone()));
    }
    set.extend(direct(env));
    // It would win over the key.
    Variables { set, removed: &["ANTHROPIC_AUTH_TOKEN"] }
}

/// Where calls would go through a proxy of the network, those to us must not.
fn direct(env: &Env) -> Vec<(&'static str, String)> {
    const PROXIES: [&str; 6] =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    if env.first(&PROXIES).is_none() {
        return Vec::new();
    }
    let (_, told) = env.first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
    let both = if told.is_empty() { "127.0.0.1".to_owned() } else { format!("{told},127.0.0.1") };
    vec![("NO_PROXY", both.clone()), ("no_proxy", both)]
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::config::{Env, Secret};
    use std::collections::BTreeMap;

    fn set(env: &[(&str, &str)]) -> BTreeMap<&'static str, String> {
        let env: Env = env.iter().copied().collect();
        changes(9, &Secret::new("sk-ours".to_owned()), &env).set.into_iter().collect()
    }

    #[test]
    fn every_client_is_led_to_the_proxy_and_has_its_key() {
        let set = set(&[("GOOGLE_API_KEY", "theirs")]);
        assert_eq!(set["OPENAI_BASE_URL"], "http://127.0.0.1:9/v1");
        assert_eq!(set["OPENAI_API_BASE"], "http://127.0.0.1:9/v1");
        for name in ["ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "OLLAMA_HOST"] {
            assert_eq!(set[name], "http://127.0.0.1:9", "{name}");
        }
        let keys: Vec<_> = set.iter().filter(|(name, _)| name.ends_with("_KEY")).collect();
        assert_eq!(keys.len(), 5);
        assert!(keys.iter().all(|(_, key)| *key == "sk-ours"));
    }

    #[test]
    fn a_proxy_of_the_network_is_not_asked_for_calls_to_us() {
        assert!(!set(&[]).contains_key("NO_PROXY"));
        assert_eq!(set(&[("HTTP_PROXY", "http://p")])["NO_PROXY"], "127.0.0.1");
        let both = set(&[("http_proxy", "http://p"), ("no_proxy", "a.example")]);
        assert_eq!(both["no_proxy"], "a.example,127.0.0.1");
        assert_eq!(both["NO_PROXY"], "a.example,127.0.0.1");
    }
}
