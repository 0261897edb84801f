//! The lattice of delegation: whatever a key asks for, what it makes allows nothing more than it.
use super::{inherit, resolved, within_holder, within_key};
use crate::store::Doc;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const MODELS: [&str; 6] = ["a", "b", "openai/x", "openai/y", "openai/*", "*"];
const ROUTES: [&str; 4] = ["llm_api_routes", "/key/info", "/key/*", "management_routes"];
const WINDOWS: [&str; 7] = ["30s", "1h", "1d", "7d", "30d", "1mo", "2mo"];
const TIMES: [&str; 3] =
    ["2026-11-22T00:00:00.000000Z", "2026-12-22T00:00:00.000000Z", "2027-11-22T00:00:00.000000Z"];
const LIMITS: [&str; 3] = ["rpm_limit", "tpm_limit", "max_parallel_requests"];

fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![Just(Value::Null), value].boxed()
}

fn words(of: &'static [&'static str]) -> BoxedStrategy<Value> {
    maybe(vec(select(of), 0..3).prop_map(|list| json!(list)))
}

fn by_model(values: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let map = btree_map(select(&["a", "x", "openai/x"][..]), values, 0..3);
    maybe(map.prop_map(|map| json!(map)))
}

fn window() -> BoxedStrategy<Value> {
    maybe(select(&WINDOWS[..]).prop_map(Value::from))
}

/// Any key that an issuer can be, or a request can ask for.
fn key() -> impl Strategy<Value = Doc> {
    let number = || maybe((0..4_u64).prop_map(Value::from));
    let money = (0..4_u64, window())
        .prop_map(|(max, window)| json!({"budget_limit": max, "time_period": window}));
    let limits = (number(), number(), number(), number(), window());
    let lists = (words(&MODELS), words(&ROUTES), words(&["t", "u"]), words(&["p", "q"]));
    let models = (by_model((0..4_u64).prop_map(Value::from)), by_model(money));
    let rest = (maybe(select(&TIMES[..]).prop_map(Value::from)), words(&["no-cache", "ttl"]));
    let team = maybe(select(&["red", "blue"][..]).prop_map(Value::from));
    (limits, lists, models, rest, team).prop_map(|(limits, lists, models, rest, team)| {
        let doc = json!({
            "rpm_limit": limits.0, "tpm_limit": limits.1, "max_parallel_requests": limits.2,
            "max_budget": limits.3, "budget_duration": limits.4, "models": lists.0,
            "allowed_routes": lists.1, "model_max_budget": models.1, "expires": rest.0,
            "allowed_cache_controls": rest.1, "team_id": team,
            "metadata": {
                "tags": lists.2, "enforced_params": lists.3, "model_rpm_limit": models.0,
            },
        });
        doc.as_object().unwrap().clone()
    })
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether a list lets a name through: an empty one lets all.
fn lets(list: &[&str], name: &str) -> bool {
    let fits = |one: &&str| match one.strip_suffix('*') {
        Some(before) => name.starts_with(before),
        None => *one == name,
    };
    list.is_empty() || list.iter().any(fits)
}

fn number(doc: &Doc, pointer: &str) -> f64 {
    let found = Value::Object(doc.clone()).pointer(pointer).and_then(Value::as_f64);
    found.unwrap_or(f64::INFINITY)
}

/// The number for a model, whether it is written with its provider or not.
fn of_model(doc: &Doc, field: &str, model: &str) -> f64 {
    let map = doc.get(field).or_else(|| doc.get("metadata")?.get(field));
    let amount = |value: &Value| value.as_f64().or_else(|| value.get("budget_limit")?.as_f64());
    let bare = match field {
        "model_max_budget" => model.rsplit('/').next().unwrap(),
        _ => model,
    };
    let found = map.and_then(Value::as_object).into_iter().flatten();
    let mut found = found.filter(|(name, _)| *name == model || *name == bare);
    found.next().and_then(|(_, value)| amount(value)).unwrap_or(f64::INFINITY)
}

/// How often money is there again, in seconds; never is the longest.
fn often(doc: &Doc) -> u64 {
    match doc.get("budget_duration").and_then(Value::as_str) {
        None => u64::MAX,
        Some("30s") => 30,
        Some("1h") => 3_600,
        Some("1d") => 86_400,
        Some("7d") => 7 * 86_400,
        Some("30d" | "1mo") => 30 * 86_400,
        Some(_) => 60 * 86_400,
    }
}

fn ends(doc: &Doc) -> &str {
    doc.get("expires").and_then(Value::as_str).unwrap_or("9999")
}

/// Asserts that nothing that a key may do is forbidden to its issuer.
fn assert_below(key: &Doc, issuer: &Doc) -> Result<(), TestCaseError> {
    for (field, names) in [
        ("models", &["a", "b", "c", "openai/x", "openai/y", "openai/z", "openaix"][..]),
        ("allowed_routes", &["llm_api_routes", "/key/info", "/key/a", "/team/new"]),
        ("allowed_cache_controls", &["no-cache", "ttl", "other"]),
    ] {
        let (own, most) = (texts(key.get(field)), texts(issuer.get(field)));
        for name in names {
            prop_assert!(!lets(&own, name) || lets(&most, name), "{field} {name}");
        }
    }
    for field in LIMITS.into_iter().chain(["max_budget"]) {
        let pointer = format!("/{field}");
        prop_assert!(number(key, &pointer) <= number(issuer, &pointer), "{field}");
    }
    for field in ["model_rpm_limit", "model_max_budget"] {
        for model in ["a", "x", "openai/x"] {
            let (own, most) = (of_model(key, field, model), of_model(issuer, field, model));
            prop_assert!(own <= most, "{field} of {model}: {own} {most}");
        }
    }
    if number(issuer, "/max_budget").is_finite() {
        prop_assert!(often(key) >= often(issuer), "budget_duration");
    }
    prop_assert!(ends(key) <= ends(issuer), "expires");
    for field in ["tags", "enforced_params"] {
        let list = |doc: &Doc| doc.get("metadata").and_then(|it| it.get(field)).cloned();
        let (own, most) = (list(key), list(issuer));
        let own = texts(own.as_ref());
        prop_assert!(texts(most.as_ref()).iter().all(|one| own.contains(one)), "{field}");
    }
    let team = issuer.get("team_id").filter(|team| !team.is_null());
    prop_assert!(team.is_none() || key.get("team_id") == team);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_key_never_exceeds_its_issuer(issuer in key(), asked in key()) {
        let mut made = asked.clone();
        inherit(&mut made, &asked, &issuer);
        if within_key(&made, &issuer).is_ok() {
            assert_below(&made, &issuer)?;
        }
        // And without what it would inherit: as a key is changed.
        if within_key(&asked, &issuer).is_ok() {
            assert_below(&asked, &issuer)?;
        }
    }

    #[test]
    fn nor_does_one_that_it_makes_in_its_turn(first in key(), second in key(), third in key()) {
        let (mut second, mut third) = (second, third);
        let asked = second.clone();
        inherit(&mut second, &asked, &first);
        let asked = third.clone();
        inherit(&mut third, &asked, &second);
        if within_key(&second, &first).is_ok() && within_key(&third, &second).is_ok() {
            assert_below(&third, &first)?;
        }
    }

    #[test]
    fn whoever_asks_for_nothing_gets_what_the_issuer_has(issuer in key()) {
        let mut made = Doc::new();
        inherit(&mut made, &Doc::new(), &issuer);
        prop_assert_eq!(within_key(&made, &issuer), Ok(()));
        prop_assert_eq!(within_key(&issuer, &issuer), Ok(()));
        prop_assert_eq!(within_holder(&Doc::new(), &issuer), Ok(()));
    }
}

fn doc(value: &Value) -> Doc {
    value.as_object().unwrap().clone()
}

#[test]
fn each_field_is_told_that_exceeds() {
    for (issuer, asked, field) in [
        (json!({"models": ["a"]}), json!({"models": ["a", "b"]}), "models"),
        (json!({"models": ["a"]}), json!({"models": ["*"]}), "models"),
        (json!({"models": ["a"]}), json!({"models": ["all-proxy-models"]}), "models"),
        (json!({"models": ["a"]}), json!({"aliases": {"a": "b"}}), "aliases"),
        (json!({"rpm_limit": 1}), json!({"rpm_limit": 2}), "rpm_limit"),
        (json!({"max_budget": 1.0}), json!({"max_budget": 1.1}), "max_budget"),
        (
            json!({"max_budget": 1.0, "budget_duration": "30d"}),
            json!({"max_budget": 1.0, "budget_duration": "1h"}),
            "max_budget",
        ),
        (
            json!({"model_max_budget": {"x": 1.0}}),
            json!({"model_max_budget": {"openai/x": 2.0, "x": 1.0}}),
            "model_max_budget",
        ),
        (json!({"expires": TIMES[0]}), json!({"expires": TIMES[1]}), "duration"),
        (json!({"team_id": "red"}), json!({"team_id": "blue"}), "team_id"),
        (json!({"allowed_routes": ["/key/*"]}), json!({"allowed_routes": ["*"]}), "allowed_routes"),
    ] {
        let (issuer, mut key) = (doc(&issuer), doc(&asked));
        inherit(&mut key, &doc(&asked), &issuer);
        assert_eq!(within_key(&key, &issuer), Err(field), "{asked}");
    }
}

#[test]
fn all_models_of_a_team_are_those_of_that_team() {
    let key = doc(&json!({"models": ["all-team-models"]}));
    let team = doc(&json!({"models": ["a"]}));
    assert_eq!(resolved(&key, Some(&team)), doc(&json!({"models": ["a"]})));
    assert_eq!(resolved(&key, None), doc(&json!({"models": []})));
    assert_eq!(within_holder(&resolved(&key, Some(&team)), &team), Ok(()));
}
