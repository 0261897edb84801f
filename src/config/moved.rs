//! Keys that stand in the wrong section (contract 2.9): read as if they stood where they belong.
use super::problem::Problems;
use super::yaml::{Kind, Node};

const GENERAL: &str = "general_settings";
const LITELLM: &str = "litellm_settings";
const ROUTER: &str = "router_settings";

/// Where a key belongs that people write elsewhere.
const HOMES: [(&str, &str); 3] = [
    (
        ROUTER,
        "routing_strategy routing_strategy_args model_group_alias timeout stream_timeout num_retries \
         retry_after retry_policy model_group_retry_policy allowed_fails allowed_fails_policy \
         cooldown_time disable_cooldowns fallbacks context_window_fallbacks \
         content_policy_fallbacks default_fallbacks max_fallbacks enable_pre_call_checks \
         enable_tag_filtering tag_filtering_match_any optional_pre_call_checks \
         default_litellm_params default_max_parallel_requests provider_budget_config rpm tpm \
         redis_host redis_port redis_password redis_url redis_db",
    ),
    (
        LITELLM,
        "cache cache_params max_budget budget_duration success_callback failure_callback callbacks \
         service_callback drop_params modify_params request_timeout json_logs set_verbose \
         ssl_verify force_ipv4 turn_off_message_logging redact_messages_in_exceptions \
         require_auth_for_metrics_endpoint enable_preview_features model_alias_map \
         model_group_settings",
    ),
    (
        GENERAL,
        "master_key completion_model database_url allowed_ips blocked_ips alerting \
         alerting_threshold pass_through_endpoints max_parallel_requests \
         global_max_parallel_requests max_request_size_mb tpm_limit rpm_limit user_rate_limit \
         cost_per_token budget_admission infer_model_from_keys return_wildcard_routes background_health_checks \
         health_check_interval litellm_key_header_name allow_client_mock_response",
    ),
];

/// Keys that a section takes besides the one that is their home.
const ALSO: [(&str, &str); 1] = [(
    LITELLM,
    "num_retries allowed_fails cooldown_time fallbacks context_window_fallbacks \
         content_policy_fallbacks default_fallbacks",
)];

/// Keys that have another name where they belong: section, key, then the same of their home.
const RENAMED: [(&str, &str, &str, &str); 2] = [
    (ROUTER, "request_timeout", ROUTER, "timeout"),
    (LITELLM, "timeout", LITELLM, "request_timeout"),
];

/// The number in a `retry_policy`, which is a map of kinds of errors, and the setting that it is.
const RETRIES: (&str, &str) = ("max_retries", "num_retries");

/// Moves every such key of `root`, and says so in one notice. What stands in the right place wins.
pub(super) fn to_their_sections(root: &mut Node, problems: &mut Problems) {
    let (mut moved, mut idle) = (Vec::new(), Vec::new());
    for section in [GENERAL, LITELLM, ROUTER] {
        let found = section_of(root, section).map(|map| taken(map, |key| home(section, key)));
        let retries = (section == ROUTER).then(|| policy_of(root)).into_iter().flatten();
        for stray in found.into_iter().flatten().chain(retries) {
            let (from, to) = (stray.from(section), format!("{}.{}", stray.home, stray.name));
            match put(root, stray) {
                true => moved.push(format!("{from} → {to}")),
                false => idle.push(format!("{from} ({to} counts)")),
            }
        }
    }
    if !moved.is_empty() {
        let moved = moved.join(", ");
        problems
            .notice(format!("keys that belong elsewhere, read as if they stood there: {moved}"));
    }
    if !idle.is_empty() {
        let idle = idle.join(", ");
        problems.notice(format!("keys that belong elsewhere, where they stand too: {idle}"));
    }
}

/// A key that was taken out of the wrong place.
struct Stray {
    /// The map within its section that it stood in.
    within: &'static str,
    key: Node,
    value: Node,
    home: &'static str,
    name: String,
}

impl Stray {
    fn from(&self, section: &str) -> String {
        format!("{section}.{}{}", self.within, self.key.as_text().unwrap_or_default())
    }
}

/// The section and the name under which a key is read; nothing if it may stand where it is.
fn home(section: &str, key: &str) -> Option<(&'static str, String)> {
    let renamed = RENAMED.iter().find(|(from, name, ..)| *from == section && *name == key);
    if let Some((.., home, name)) = renamed {
        return Some((home, (*name).to_owned()));
    }
    let also = ALSO.iter().any(|(place, keys)| *place == section && has(keys, key));
    let (home, _) = HOMES.iter().find(|(_, keys)| has(keys, key))?;
    (!also && *home != section).then(|| (*home, key.to_owned()))
}

fn section_of<'n>(root: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let Kind::Map(entries) = &mut root.kind else { return None };
    entries.iter_mut().find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
}

/// Takes the keys out of a map that have another home.
fn taken(map: &mut Node, home: impl Fn(&str) -> Option<(&'static str, String)>) -> Vec<Stray> {
    let Kind::Map(entries) = &mut map.kind else { return Vec::new() };
    let mut strays = Vec::new();
    for (key, value) in std::mem::take(entries) {
        match key.text().and_then(&home).filter(|_| !value.is_null()) {
            Some((home, name)) => strays.push(Stray { within: "", key, value, home, name }),
            None => entries.push((key, value)),
        }
    }
    strays
}

fn policy_of(root: &mut Node) -> Vec<Stray> {
    let policy = section_of(root, ROUTER).and_then(|router| section_of(router, "retry_policy"));
    let retry = |key: &str| {
        let (from, name) = RETRIES;
        (key == from).then(|| (ROUTER, name.to_owned()))
    };
    let mut strays = policy.map(|policy| taken(policy, retry)).unwrap_or_default();
    strays.iter_mut().for_each(|stray| stray.within = "retry_policy.");
    let empty = |(key, value): &(Node, Node)| {
        key.text() == Some("retry_policy") && value.kind == Kind::Map(Vec::new())
    };
    if let Some(Node { kind: Kind::Map(entries), .. }) = section_of(root, ROUTER) {
        entries.retain(|entry| !empty(entry));
    }
    strays
}

/// Puts a key into its section; false if that has it already.
fn put(root: &mut Node, stray: Stray) -> bool {
    let name = |text: &str| Node { kind: Kind::Text(text.to_owned()), place: stray.key.place };
    if section_of(root, stray.home).is_none_or(|section| section.is_null()) {
        let Kind::Map(sections) = &mut root.kind else { return false };
        sections.retain(|(key, _)| key.text() != Some(stray.home));
        let section = Node { kind: Kind::Map(Vec::new()), place: stray.key.place };
        sections.push((name(stray.home), section));
    }
    let Some(section) = section_of(root, stray.home) else { return false };
    let there = section.get(&stray.name).is_some_and(|value| !value.is_null());
    let Kind::Map(entries) = &mut section.kind else { return false };
    if !there {
        entries.retain(|(key, _)| key.text() != Some(&stray.name));
        entries.push((name(&stray.name), stray.value));
    }
    !there
}

/// Whether `key` is one of `keys`.
fn has(keys: &str, key: &str) -> bool {
    keys.split_whitespace().any(|known| known == key)
}
