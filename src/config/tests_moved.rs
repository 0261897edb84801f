use super::{Config, Problems, Refused, parse_str};

const MODEL: &str =
    "model_list:\n  - model_name: m\n    litellm_params: {model: openai/x, api_key: k}\n";

fn read(sections: &str) -> (Config, Problems) {
    let text = format!("{MODEL}{sections}");
    parse_str(&text).unwrap_or_else(|Refused(problems)| panic!("{}", problems.render(false)))
}

fn notice<'p>(problems: &'p Problems, start: &str) -> &'p str {
    let found = problems.notices().iter().find(|notice| notice.starts_with(start));
    found.unwrap_or_else(|| panic!("{:?}", problems.notices()))
}

#[test]
fn a_key_counts_wherever_it_stands() {
    let (config, problems) = read(
        "litellm_settings: {master_key: sk-1, timeout: 7, stream_timeout: 3}\nrouter_settings: \
         {completion_model: m}\n",
    );
    assert!(config.access.master_key.is_some());
    assert_eq!(config.routing.timeouts.total.as_secs(), 7);
    assert_eq!(config.routing.timeouts.stream.map(|time| time.as_secs()), Some(3));
    assert_eq!(config.routing.default_model.as_deref(), Some("m"));
    let moved = notice(&problems, "keys that belong elsewhere, read");
    assert!(moved.contains("litellm_settings.timeout → litellm_settings.request_timeout"));
    assert!(problems.found().is_empty(), "{}", problems.render(false));
}

#[test]
fn what_stands_in_the_right_section_wins() {
    let (config, problems) = read(
        "general_settings: {completion_model: right}\nrouter_settings: {completion_model: wrong}\n",
    );
    assert_eq!(config.routing.default_model.as_deref(), Some("right"));
    notice(&problems, "keys that belong elsewhere, where they stand too: router_settings");
}

#[test]
fn keys_that_may_stand_in_both_sections_stay() {
    let (_, problems) = read(
        "litellm_settings: {num_retries: 1, fallbacks: []}\nrouter_settings: \
         {num_retries: 2, retry_policy: {TimeoutErrorRetries: 1}}\n",
    );
    assert!(!problems.notices().iter().any(|notice| notice.contains("belong elsewhere")));
    assert!(!problems.notices().iter().any(|notice| notice.contains("not in this version")));
    assert!(problems.found().is_empty(), "{}", problems.render(false));
}

#[test]
fn the_verbose_switch_of_the_router_is_that_of_all() {
    let (config, problems) = read("router_settings: {set_verbose: true, debug_level: DEBUG}\n");
    assert_eq!(config.telemetry.level, tracing::Level::DEBUG);
    notice(
        &problems,
        "keys that belong elsewhere, read as if they stood there: router_settings.set_verbose",
    );
    assert!(notice(&problems, "not in this version").contains("router_settings.debug_level"));
}

#[test]
fn mistakes_in_what_fills_an_entry_have_their_places() {
    let text = "model_list:
  - model_name: m
    litellm_params: {model: openai/x, litellm_credential_name: tean, timeout: soon}
  - model_name: n
    litellm_params: {model: openai/x, litellm_credential_name: team, additional_drop_params: [a.b, seed, model]}
credential_list:
  - credential_name: team
    credential_values: {api_key: sk-planted, mystery: 1, seed: 1}
  - credential_values: {api_key: sk-planted}
";
    let (config, problems) = parse_str(text).expect("it loads");
    assert_eq!(config.routing.deployments.len(), 1);
    let one = &config.routing.deployments[0];
    assert_eq!(one.drop, ["seed"]);
    assert!(one.defaults.is_empty(), "{:?}", one.defaults);
    let said = problems.render(false);
    for words in [
        "no credential is named `tean`",
        "did you mean `team`?",
        "`timeout` must be",
        "unknown key `credential_list[].credential_values.mystery`",
        "`credential_list[].credential_values.seed` has no effect: a credential holds no param",
        "`a.b` is not taken out",
        "`model` is not taken out",
        "`credential_name` is missing",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    assert!(!said.contains("planted"), "{said}");
}
