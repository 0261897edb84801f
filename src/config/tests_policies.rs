//! What configs say of retries, fallbacks, cooldowns, limits and budgets.
use super::{
    Budget, BudgetAdmission, BudgetDuration, ByError, Config, DurationUnit, FallbackTarget,
    Problems, Rate, Refused, Severity, parse_str,
};
use bartizan_layers::facts::NanoUsd;
use std::time::Duration;

/// Two groups, and room for parameters of the first.
const MODELS: &str = "model_list:
  - model_name: a
    litellm_params: {model: openai/x, api_key: k}
  - model_name: b
    litellm_params: {model: openai/y, api_key: k}
";

fn read(sections: &str) -> (Config, Problems) {
    let text = format!("{MODELS}{sections}");
    parse_str(&text).unwrap_or_else(|Refused(problems)| panic!("{}", problems.render(false)))
}

/// A config about which there is nothing to say.
fn clean(sections: &str) -> Config {
    let (config, problems) = read(sections);
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    let later = problems.notices().iter().find(|notice| notice.contains("without effect"));
    assert_eq!(later, None);
    config
}

fn names(targets: &[FallbackTarget]) -> Vec<&str> {
    targets.iter().map(|target| target.group.as_str()).collect()
}

#[test]
fn nothing_that_is_written_is_what_litellm_does() {
    let config = clean("");
    let routing = &config.routing;
    assert_eq!(routing.retries, super::Retries::default());
    assert_eq!(routing.retries.num_retries, 2);
    assert_eq!(routing.fallbacks, super::Fallbacks::default());
    assert_eq!(routing.fallbacks.max, 5);
    assert_eq!(routing.cooldown, super::Cooldown::default());
    assert_eq!(routing.cooldown.time, Duration::from_secs(5));
    assert!(!routing.pre_call_checks);
    assert_eq!(config.limits, super::Limits::default());
    assert_eq!(config.budgets, super::Budgets::default());
    assert!(config.caching.is_none() && config.redis.is_none());
}

#[test]
fn retries_of_both_sections_are_read_and_the_routers_count() {
    let retries = clean("litellm_settings: {num_retries: 4}\n").routing.retries;
    assert_eq!(retries.num_retries, 4);
    let both = "litellm_settings: {num_retries: 4}\nrouter_settings: {num_retries: \"1\", \
                retry_after: 1.5, max_retry_after: 10}\n";
    let retries = clean(both).routing.retries;
    assert_eq!(retries.num_retries, 1);
    assert_eq!(retries.retry_after, Duration::from_millis(1500));
    assert_eq!(retries.max_retry_after, Duration::from_secs(10));
}

#[test]
fn a_retry_policy_has_classes_and_bounds() {
    let config = clean(
        "router_settings:
  retry_policy: {TimeoutErrorRetries: 3, BadRequestErrorRetries: 0, max_retries: 7, base_delay: 1, max_delay: 10}
  model_group_retry_policy: {a: {RateLimitErrorRetries: 5, max_retries: 1}}
",
    );
    let retries = config.routing.retries;
    let wanted = ByError { timeout: Some(3), bad_request: Some(0), ..ByError::default() };
    assert_eq!((retries.policy, retries.num_retries), (wanted, 7));
    assert_eq!(retries.base_delay, Duration::from_secs(1));
    assert_eq!(retries.max_delay, Duration::from_secs(10));
    assert_eq!(retries.groups["a"].rate_limit, Some(5));
    assert_eq!(retries.groups["a"].content_policy, Some(1));
}

#[test]
fn fallbacks_have_many_forms() {
    let config = clean(
        "litellm_settings:
  fallbacks: [{b: [a]}]
  context_window_fallbacks: [{a: [b]}]
  default_fallbacks: [b]
router_settings:
  fallbacks: [{a: [b, {model: b, temperature: 0}]}, {b: a}, {\"*\": [a]}]
  content_policy_fallbacks: [{a: {model: b}}]
  max_fallbacks: 2
",
    );
    let fallbacks = config.routing.fallbacks;
    let groups: Vec<_> = fallbacks.general.iter().map(|(group, _)| group.as_str()).collect();
    assert_eq!(groups, ["a", "b"], "of the router");
    let of_a = &fallbacks.general[0].1;
    assert_eq!(names(of_a), ["b", "b"]);
    assert!(of_a[0].params.is_empty());
    assert_eq!(&**of_a[1].params, [("temperature".to_owned(), "0".into())]);
    assert_eq!(names(&fallbacks.general[1].1), ["a"]);
    assert_eq!(names(&fallbacks.context_window[0].1), ["b"], "of the other section");
    assert_eq!(names(&fallbacks.content_policy[0].1), ["b"]);
    assert_eq!(names(&fallbacks.default), ["b"], "before those of `*`");
    assert_eq!(fallbacks.max, 2);
}

#[test]
fn fallbacks_of_all_groups_are_the_default_ones() {
    let fallbacks = clean("router_settings: {fallbacks: [{\"*\": [a]}]}\n").routing.fallbacks;
    assert_eq!(names(&fallbacks.default), ["a"]);
    assert!(fallbacks.general.is_empty());
    let empty = "router_settings: {fallbacks: []}\nlitellm_settings: {fallbacks: [{a: [b]}]}\n";
    assert_eq!(clean(empty).routing.fallbacks.general.len(), 1, "an empty list is none");
}

#[test]
fn a_deployments_own_rules_stand_in_its_parameters_or_beside_them() {
    let text = "model_list:
  - model_name: a
    litellm_params: {model: openai/x, api_key: k, max_retries: 1, max_parallel_requests: 3, cooldown_time: 0}
    model_info: {cooldown_time: 9, allowed_fails: 2, allowed_fails_policy: {TimeoutErrorAllowedFails: 1}}
  - model_name: a
    litellm_params: {model: openai/y, api_key: k, num_retries: 0, max_retries: 5}
router_settings: {allowed_fails_policy: {RateLimitErrorAllowedFails: 4}, cooldown_time: 1, disable_cooldowns: on}
litellm_settings: {allowed_fails: 6}
";
    let (config, problems) = parse_str(text).unwrap();
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    let [one, two] = config.routing.deployments.as_slice() else { panic!("two of them") };
    assert_eq!((one.num_retries, one.max_parallel), (Some(1), Some(3)));
    assert_eq!((two.num_retries, two.max_parallel), (Some(0), None));
    assert_eq!(one.cooldown.time, Some(Duration::ZERO));
    assert_eq!(one.cooldown.allowed_fails, Some(2));
    assert_eq!(one.cooldown.policy.unwrap().timeout, Some(1));
    assert_eq!(two.cooldown, super::OwnCooldown::default());
    let cooldown = config.routing.cooldown;
    assert_eq!((cooldown.allowed_fails, cooldown.time), (Some(6), Duration::from_secs(1)));
    assert_eq!(cooldown.policy.unwrap().rate_limit, Some(4));
    assert!(cooldown.disabled);
}

#[test]
fn of_two_limits_of_all_calls_the_smaller_counts() {
    let config = clean(
        "general_settings: {rpm_limit: 10, tpm_limit: 5, max_parallel_requests: 2, global_max_parallel_requests: 9}
router_settings: {rpm: 3, tpm: 50, default_max_parallel_requests: 4, enable_pre_call_checks: true}
",
    );
    let limits = config.limits;
    assert_eq!(limits.global, Rate { rpm: Some(3), tpm: Some(5) });
    assert_eq!((limits.key_parallel, limits.global_parallel), (Some(2), Some(9)));
    assert_eq!(config.routing.deployment_parallel, Some(4));
    let limits = clean("router_settings: {rpm: 3}\n").limits;
    assert_eq!(limits.global, Rate { rpm: Some(3), tpm: None });
}

#[test]
fn end_users_have_one_rate_or_their_own() {
    let limits = clean(
        "general_settings: {user_rate_limit: {rpm: 7, user-1: {\"tpm\": 5000, \"rpm\": 50}}}\n",
    )
    .limits;
    assert_eq!(limits.end_user, Some(Rate { rpm: Some(7), tpm: None }));
    assert_eq!(limits.end_users["user-1"], Rate { rpm: Some(50), tpm: Some(5000) });
    let limits = clean("general_settings: {user_rate_limit: {u: {rpm: 1}}}\n").limits;
    assert_eq!(limits.end_user, None);
}

#[test]
fn the_budget_of_the_proxy_stands_in_either_section() {
    let duration = Some(BudgetDuration { count: 30, unit: DurationUnit::Day });
    let wanted = Some(Budget { max: NanoUsd::from_dollars(1.5), duration });
    for section in ["litellm_settings", "general_settings"] {
        let config = clean(&format!("{section}: {{max_budget: 1.5, budget_duration: 30d}}\n"));
        assert_eq!(config.budgets.proxy, wanted, "{section}");
    }
    let config = clean(
        "general_settings: {budget_admission: strict, fail_closed_budget_enforcement: true}\n",
    );
    assert_eq!(config.budgets.admission, BudgetAdmission::Strict);
    assert!(config.budgets.fail_closed && config.budgets.proxy.is_none());
}

#[test]
fn a_duration_is_a_number_above_0_and_a_unit() {
    use DurationUnit::{Day, Hour, Minute, Month, Second, Week};
    let units = [("s", Second), ("m", Minute), ("h", Hour), ("d", Day), ("w", Week), ("mo", Month)];
    for (text, unit) in units {
        let duration = BudgetDuration::parse(&format!("12{text}"));
        assert_eq!(duration, Some(BudgetDuration { count: 12, unit }));
    }
    for text in ["", "s", "30", "0d", "-1d", "1.5h", "1y", "1 d", "99999999999s", "é1d"] {
        assert_eq!(BudgetDuration::parse(text), None, "{text}");
    }
}

#[test]
fn days_begin_in_a_zone() {
    for (zone, wanted) in [("UTC", None), ("Europe/Berlin", Some("Europe/Berlin"))] {
        let config = clean(&format!("litellm_settings: {{timezone: {zone}}}\n"));
        assert_eq!(config.budgets.zone.as_deref(), wanted, "{zone}");
    }
}

#[test]
fn deployments_and_providers_have_budgets() {
    let config = clean(
        "router_settings: {provider_budget_config: {openai: {budget_limit: 2, time_period: 1d}, \
         groq: {max_budget: 0.5}}}\n",
    );
    let budgets = &config.routing.provider_budgets;
    assert_eq!(budgets["openai"].max, NanoUsd::from_dollars(2.0));
    assert_eq!(budgets["openai"].duration, BudgetDuration::parse("1d"));
    assert_eq!((budgets["groq"].max.0, budgets["groq"].duration), (500_000_000, None));
}

/// What stands below the models, its severity, its line below them and column, and words of what
/// is said and of how to mend it.
type Mistake = (&'static str, Severity, (usize, usize), &'static str, &'static str);

const MISTAKES: &[Mistake] = &[
    ("router_settings: {num_retries: -1}", Severity::Error, (1, 32), "whole number", "leave it"),
    ("litellm_settings: {num_retries: 1.5}", Severity::Error, (1, 33), "whole number", "leave it"),
    ("router_settings: {retry_after: soon}", Severity::Error, (1, 32), "seconds", "leave it"),
    ("router_settings: {retry_policy: 3}", Severity::Error, (1, 33), "must be a map", "indent"),
    (
        "router_settings: {retry_policy: {TimeoutErrorRetries: many}}",
        Severity::Error,
        (1, 55),
        "whole number",
        "leave it",
    ),
    (
        "router_settings: {model_group_retry_policy: {a: {base_delay: 1}}}",
        Severity::Warning,
        (1, 62),
        "no effect for one group",
        "router_settings.retry_policy",
    ),
    ("router_settings: {fallbacks: {a: [b]}}", Severity::Error, (1, 30), "list of maps", "GROUP"),
    (
        "router_settings: {fallbacks: [{a: [c]}]}",
        Severity::Warning,
        (1, 36),
        "no model has",
        "did you",
    ),
    (
        "litellm_settings: {fallbacks: [{a: {temperature: 0}}]}",
        Severity::Error,
        (1, 36),
        "a map with `model`, not a map without it",
        "[other, third]",
    ),
    ("router_settings: {cooldown_time: -1}", Severity::Error, (1, 34), "seconds", "leave it out"),
    ("router_settings: {disable_cooldowns: 7}", Severity::Error, (1, 38), "true or false", ""),
    ("general_settings: {rpm_limit: x}", Severity::Error, (1, 31), "whole number", "leave it out"),
    (
        "general_settings: {user_rate_limit: {u: 5}}",
        Severity::Error,
        (1, 41),
        "the limits of `u` must be a map",
        "{rpm: 10",
    ),
    (
        "general_settings: {user_rate_limit: {u: {rpm: -5}}}",
        Severity::Error,
        (1, 47),
        "`rpm` must be a whole number",
        "leave it out",
    ),
    (
        "general_settings: {user_rate_limit: {u: {rps: 5}}}",
        Severity::Warning,
        (1, 42),
        "unknown key `rps`",
        "`rpm` and `tpm`",
    ),
    ("litellm_settings: {max_budget: -1}", Severity::Error, (1, 32), "at least 0", "leave it out"),
    ("litellm_settings: {max_budget: 0}", Severity::Warning, (1, 32), "is no budget", "dollars"),
    (
        "litellm_settings: {max_budget: 1, budget_duration: 0d}",
        Severity::Error,
        (1, 52),
        "a duration like",
        "leave it out",
    ),
    (
        "litellm_settings: {budget_duration: 1d}",
        Severity::Warning,
        (1, 37),
        "no effect without `max_budget`",
        "DOLLARS",
    ),
    (
        "litellm_settings: {timezone: Berlin}",
        Severity::Error,
        (1, 30),
        "no time zone is called `Berlin`",
        "Europe/Berlin",
    ),
    (
        "router_settings: {provider_budget_config: {opnai: {budget_limit: 1}}}",
        Severity::Warning,
        (1, 44),
        "no provider is called `opnai`",
        "PROVIDER/MODEL",
    ),
    (
        "router_settings: {provider_budget_config: {openai: {time_period: 1d}}}",
        Severity::Warning,
        (1, 52),
        "says no amount",
        "budget_limit",
    ),
    (
        "general_settings: {budget_admission: strickt}",
        Severity::Error,
        (1, 38),
        "unknown budget_admission",
        "`strict`",
    ),
];

#[test]
fn each_mistake_is_told_once_with_its_place_and_its_mend() {
    let before = MODELS.lines().count();
    for (text, severity, (line, column), message, help) in MISTAKES {
        let (_, problems) = read(&format!("{text}\n"));
        let [one] = problems.found() else { panic!("{text}: {}", problems.render(false)) };
        assert_eq!(one.severity, *severity, "{text}");
        assert_eq!(one.at(), Some((line + before, *column)), "{text}");
        assert!(one.message.contains(message), "{text}: {}", one.message);
        let said = one.help.as_deref().unwrap_or_default();
        assert!(said.contains(help), "{text}: {said}");
    }
}
