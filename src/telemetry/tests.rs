use super::book::Outcome;
use super::events::Cached;
use super::{DeploymentLabels, Failure, Hit, Live, Metrics, RequestId, Served, Trail, line};
use crate::config::Compat;
use crate::telemetry::UpstreamConnections;
use bartizan_layers::end::End;
use bartizan_layers::facts::{NanoUsd, Price, Rates, Usage, UsageCell};
use http::{Method, StatusCode};
use std::sync::Arc;

const FAILED: Failure = Failure { status: 429, class: "RateLimitError" };

fn deployment(id: &str, model: &str) -> Arc<DeploymentLabels> {
    Arc::new(DeploymentLabels {
        model_id: id.into(),
        model_group: "gpt".into(),
        model: model.into(),
        litellm_model_name: format!("openai/{model}").into(),
        api_provider: "openai",
        api_base: "".into(),
    })
}

fn trail() -> Trail {
    let trail = Trail::new(RequestId::random(), Method::POST, "/chat/completions");
    trail.set_requested("gpt".into());
    trail.set_status(StatusCode::OK);
    trail
}

/// Answered by `deployment`, as a model of that name, for ten tokens at a millionth dollar each.
fn served(trail: &Trail, deployment: &Arc<DeploymentLabels>, model: Option<&str>) {
    let usage = UsageCell::new(Price::flat(Rates::tokens(1_000_000, 1_000_000)));
    usage.set(Usage::tokens(9, 1));
    let model = model.map(Into::into);
    trail.set_served(Served { deployment: deployment.clone(), model, usage });
}

fn end(metrics: &Metrics, trail: &Trail) {
    metrics.begin();
    let mut outcome = trail.outcome(End::Complete);
    metrics.resolve(&mut outcome);
    metrics.end(trail, &outcome);
}

fn scrape(metrics: &Metrics) -> String {
    metrics.encode(UpstreamConnections::default())
}

/// The value of the one sample with this name and all of these labels.
fn sample(metrics: &Metrics, name: &str, labels: &[&str]) -> Option<f64> {
    let text = scrape(metrics);
    let fits = |line: &&str| {
        line.starts_with(&format!("{name}{{")) && labels.iter().all(|label| line.contains(label))
    };
    text.lines().find(fits)?.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_kept_answer_is_a_hit_of_the_deployment_that_answered_then_and_saves_its_cost() {
    let metrics = Metrics::new(Compat::Current);
    metrics.add_deployment(&deployment("a", "gpt-4o"));
    for _ in 0..2 {
        let trail = trail();
        let bill = (Usage::tokens(100, 20), NanoUsd(5_000_000));
        trail.set_hit(Box::new(Hit::new(Some("a".into()), Some(bill))));
        end(&metrics, &trail);
    }
    let labels = ["model=\"gpt-4o\"", "model_id=\"a\"", "api_provider=\"openai\""];
    assert_eq!(sample(&metrics, "litellm_cache_hits_metric_total", &labels), Some(2.0));
    assert_eq!(sample(&metrics, "litellm_cached_tokens_metric_total", &labels), Some(240.0));
    let requested = ["requested_model=\"gpt\""];
    assert_eq!(sample(&metrics, "bartizan_cache_saved_usd_total", &requested), Some(0.01));
    assert_eq!(sample(&metrics, "litellm_cache_misses_metric_total", &[]), None);
    // No deployment was called, and no token read.
    assert_eq!(sample(&metrics, "litellm_deployment_total_requests_total", &[]), None);
    assert_eq!(sample(&metrics, "litellm_input_tokens_metric_total", &[]), None);
}

#[test]
fn a_miss_is_counted_where_a_model_answered() {
    let metrics = Metrics::new(Compat::Classic);
    let answered = trail();
    served(&answered, &deployment("a", "gpt-4o"), None);
    answered.set_missed();
    end(&metrics, &answered);
    let failed = trail();
    failed.set_missed();
    failed.set_failure(FAILED);
    end(&metrics, &failed);
    end(&metrics, &trail());
    assert_eq!(sample(&metrics, "litellm_cache_misses_metric_total", &["gpt-4o"]), Some(1.0));
    assert!(!scrape(&metrics).contains("litellm_cache_hits_metric_total{"));
    assert_eq!(failed.outcome(End::Complete).cached, None);
    assert_eq!(answered.outcome(End::Complete).cached, Some(Cached::Miss));
}

#[test]
fn the_last_group_of_a_call_that_was_answered_is_a_fallback_that_succeeded() {
    let metrics = Metrics::new(Compat::Current);
    let trail = trail();
    served(&trail, &deployment("a", "gpt-4o"), None);
    trail.retrying(FAILED);
    trail.falling_back("b".into(), FAILED);
    trail.falling_back("c".into(), Failure { status: 500, class: "InternalServerError" });
    served(&trail, &deployment("c1", "claude"), None);
    end(&metrics, &trail);
    let why = ["exception_status=\"429\"", "exception_class=\"RateLimitError\""];
    let labels = [&why[..], &["fallback_model=\"c\"", "model_id=\"c1\""]].concat();
    let (succeeded, failed) =
        ("litellm_deployment_successful_fallbacks", "litellm_deployment_failed_fallbacks");
    assert_eq!(sample(&metrics, &format!("{succeeded}_total"), &labels), Some(1.0));
    let labels = [&why[..], &["fallback_model=\"b\"", "model_id=\"None\""]].concat();
    assert_eq!(sample(&metrics, &format!("{failed}_total"), &labels), Some(1.0));
    assert_eq!(sample(&metrics, "bartizan_retries_total", &["\"gpt\""]), Some(1.0));
    let of = |name: &str| scrape(&metrics).matches(&format!("\n{name}_total{{")).count();
    assert_eq!((of(succeeded), of(failed)), (1, 1));
}

#[test]
fn a_call_that_all_groups_fail_fails_as_the_first_group_did_and_at_its_provider() {
    let metrics = Metrics::new(Compat::Classic);
    let trail = trail();
    served(&trail, &deployment("a", "gpt-4o"), None);
    trail.falling_back("b".into(), FAILED);
    trail.set_status(StatusCode::TOO_MANY_REQUESTS);
    trail.fail(FAILED);
    end(&metrics, &trail);
    for name in ["litellm_deployment_failed_fallbacks", "litellm_proxy_failed_requests_metric"] {
        let class = ["exception_class=\"Openai.RateLimitError\""];
        assert_eq!(sample(&metrics, &format!("{name}_total"), &class), Some(1.0), "{name}");
    }
}

#[test]
fn a_fallback_that_nobody_waited_for_is_neither() {
    for (status, failures) in [(None, 0), (Some(StatusCode::TOO_MANY_REQUESTS), 1)] {
        let metrics = Metrics::new(Compat::Current);
        let trail = Trail::new(RequestId::random(), Method::POST, "/chat/completions");
        trail.falling_back("b".into(), FAILED);
        status.into_iter().for_each(|status| trail.set_status(status));
        metrics.begin();
        metrics.end(&trail, &trail.outcome(End::Cancelled));
        let text = scrape(&metrics);
        assert_eq!(text.matches("_failed_fallbacks_total{").count(), failures, "{status:?}");
        assert!(!text.contains("_successful_fallbacks_total{"));
    }
}

#[test]
fn refusals_are_counted_by_whose_limit_it_is_and_what_it_limits() {
    let metrics = Metrics::new(Compat::Current);
    for (scope, measure) in [("global", "budget"), ("api_key", "tokens"), ("global", "budget")] {
        let trail = trail();
        trail.set_refused(scope, measure);
        end(&metrics, &trail);
    }
    let name = "bartizan_limit_refusals_total";
    assert_eq!(sample(&metrics, name, &["scope=\"global\"", "measure=\"budget\""]), Some(2.0));
    assert_eq!(sample(&metrics, name, &["scope=\"api_key\"", "measure=\"tokens\""]), Some(1.0));
}

#[test]
fn series_of_fallbacks_that_have_vanished_end() {
    let metrics = Metrics::new(Compat::Current);
    let trail = trail();
    trail.falling_back("old".into(), FAILED);
    end(&metrics, &trail);
    let mut live = Live::default();
    live.name("gpt");
    metrics.retain(&live);
    assert!(!scrape(&metrics).contains("fallback_model=\"old\""));
}

#[test]
fn totals_have_a_row_for_each_model_by_its_own_name_the_dearest_first() {
    let metrics = Metrics::new(Compat::Current).by_model();
    let any = deployment("any", "*");
    metrics.add_deployment(&any);
    for model in ["gpt-4o-mini", "gpt-4o", "gpt-4o"] {
        let trail = trail();
        served(&trail, &any, Some(model));
        end(&metrics, &trail);
    }
    let kept = trail();
    kept.set_model("gpt-4o".into());
    let bill = (Usage::tokens(9, 1), NanoUsd(10_000));
    kept.set_hit(Box::new(Hit::new(Some("any".into()), Some(bill))));
    end(&metrics, &kept);
    let refused = trail();
    refused.set_failure(FAILED);
    end(&metrics, &refused);
    let totals = metrics.totals();
    let names: Vec<_> = totals.models.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["gpt-4o", "gpt-4o-mini"]);
    let (_, dearest) = &totals.models[0];
    assert_eq!((dearest.calls, dearest.input_tokens, dearest.output_tokens), (3, 18, 2));
    assert_eq!((dearest.cost, dearest.saved), (NanoUsd(20_000), NanoUsd(10_000)));
    assert_eq!(totals.calls, 5);
}

#[test]
fn the_line_of_a_kept_answer_says_so() {
    let trail = trail();
    trail.set_hit(Box::new(Hit::new(None, None)));
    let written = |json| {
        let mut out = Vec::new();
        let outcome: Outcome<'_> = trail.outcome(End::Complete);
        line::write(&mut out, json, &trail, &outcome);
        String::from_utf8(out).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&written(true)).unwrap();
    assert_eq!(json["cache"], "hit");
    assert!(written(false).contains(" ms, from the cache ["));
}
