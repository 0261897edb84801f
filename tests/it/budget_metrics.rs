//! How budgets stand, in figures for Prometheus.
use crate::client::{chat, get};
use crate::proxy::{CREDENTIAL, KEY, Proxy, with};
use crate::upstream::{COMPLETION, Upstream, json as playing};
use serde_json::json;

/// The value of the series that begins with this text.
async fn figure(proxy: &Proxy, series: &str) -> Option<f64> {
    let text = proxy.call(get("/metrics")).await.expect(200).text().to_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map(|value| value.trim().parse().expect("a number"))
}

/// A proxy whose calls cost two dollars each.
async fn house() -> (Upstream, Proxy) {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let setup = with(&format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o, api_base: {}, api_key: {CREDENTIAL}, input_cost_per_token: 1, output_cost_per_token: 1}}
general_settings: {{master_key: {KEY}}}
router_settings: {{provider_budget_config: {{openai: {{budget_limit: 100, time_period: 1d}}}}}}
",
        upstream.base()
    ));
    (upstream, setup.start().await)
}

#[tokio::test]
async fn what_is_left_of_budgets_is_told_at_a_scrape() {
    let (_upstream, proxy) = house().await;
    let team =
        json!({"team_id": "t", "team_alias": "T", "max_budget": 10, "budget_duration": "7d"});
    proxy.done("/team/new", team).await;
    let user = json!({"user_id": "u", "user_email": "u@x.test", "max_budget": 5});
    proxy.done("/user/new", user).await;
    let key = json!({
        "key_alias": "ci", "team_id": "t", "user_id": "u", "max_budget": 10, "budget_duration": "7d"
    });
    let key = proxy.done("/key/generate", key).await;
    let (text, id) = (key["key"].as_str().unwrap(), key["token"].as_str().unwrap().to_owned());
    chat("gpt").key(text).send(proxy.addr()).await.expect(200);
    let of_key = format!("{{api_key_alias=\"ci\",hashed_api_key=\"{id}\"}}");
    let of_team = "{team=\"t\",team_alias=\"T\"}";
    for (series, wanted) in [
        (format!("litellm_remaining_api_key_budget_metric{of_key}"), 8.0),
        (format!("litellm_api_key_max_budget_metric{of_key}"), 10.0),
        (format!("litellm_remaining_team_budget_metric{of_team}"), 8.0),
        (format!("litellm_team_max_budget_metric{of_team}"), 10.0),
        ("litellm_remaining_user_budget_metric{user=\"u\"}".to_owned(), 3.0),
        ("litellm_user_max_budget_metric{user=\"u\"}".to_owned(), 5.0),
        ("litellm_provider_remaining_budget_metric{api_provider=\"openai\"}".to_owned(), 98.0),
        ("bartizan_budgets_left_out".to_owned(), 0.0),
    ] {
        assert_eq!(figure(&proxy, &series).await, Some(wanted), "{series}");
    }
    for series in [
        format!("litellm_api_key_budget_remaining_hours_metric{of_key}"),
        format!("litellm_team_budget_remaining_hours_metric{of_team}"),
    ] {
        let hours = figure(&proxy, &series).await.unwrap_or_else(|| panic!("{series}"));
        assert!(0.0 < hours && hours <= 169.0, "{series} {hours}");
    }
    assert_eq!(
        figure(&proxy, "litellm_user_budget_remaining_hours_metric{user=\"u\"}").await,
        None
    );
    // Who calls has a name in the other figures too.
    let metrics = proxy.call(get("/metrics")).await.expect(200);
    let spend = metrics.text().lines().find(|it| it.starts_with("litellm_spend_metric_total{"));
    let spend = spend.expect("a series").to_owned();
    for label in [
        "api_key_alias=\"ci\"",
        "team=\"t\"",
        "team_alias=\"T\"",
        "user=\"u\"",
        "user_email=\"u@x.test\"",
    ] {
        assert!(spend.contains(label), "{spend}");
    }
    proxy.done("/team/update", json!({"team_id": "t", "team_alias": "Other"})).await;
    proxy.done("/key/delete", json!({"keys": [text]})).await;
    assert_eq!(figure(&proxy, &format!("litellm_api_key_max_budget_metric{of_key}")).await, None);
    let renamed = "litellm_team_max_budget_metric{team=\"t\",team_alias=\"Other\"}";
    assert_eq!(figure(&proxy, renamed).await, Some(10.0));
}
