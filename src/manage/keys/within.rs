//! Keys that are made by others than admins: they never exceed what makes them.
//!
//! A key that is made, or changed, by another key gets the bounds of that one where the request says
//! nothing, and is refused where it says more. Its user and its team bound it by themselves with
//! each call; but what a key says cannot be more than they have either.
#[cfg(test)]
mod tests;

use crate::clock;
use crate::identity::{Money, Rules};
use crate::store::Doc;
use bartizan_layers::auth::access::covers;
use bartizan_layers::cost::BudgetWindow;
use serde_json::{Map, Value};

/// Fields that a key gets from its issuer where nothing is said of them.
const INHERITED: [&str; 10] = [
    "models",
    "allowed_routes",
    "allowed_cache_controls",
    "rpm_limit",
    "tpm_limit",
    "max_parallel_requests",
    "model_max_budget",
    "expires",
    "team_id",
    "organization_id",
];

/// Lists in the metadata that a key has besides its own: its calls are counted, judged and checked
/// as those of its issuer.
const ADDED: [&str; 3] = ["tags", "enforced_params", "guardrails"];

/// Bounds by model in the metadata.
const BY_MODEL: [&str; 2] = ["model_rpm_limit", "model_tpm_limit"];

/// The words for all models of the key's team.
const ALL_OF_TEAM: &str = "all-team-models";

/// Gives a key what its issuer is bound by and it is not. `effective` is the key with what its
/// budget gives it.
pub(super) fn inherit(key: &mut Doc, effective: &Doc, issuer: &Doc) {
    for name in INHERITED {
        if let Some(own) = issuer.get(name).filter(|_| effective.get(name).is_none_or(is_empty)) {
            key.insert(name.to_owned(), own.clone());
        }
    }
    if effective.get("max_budget").is_none_or(Value::is_null)
        && issuer.get("max_budget").is_some_and(|max| !max.is_null())
    {
        for name in ["max_budget", "budget_duration"] {
            key.remove(name);
            key.extend(issuer.get(name).map(|own| (name.to_owned(), own.clone())));
        }
    }
    let Some(Value::Object(bounds)) = issuer.get("metadata") else { return };
    for name in ADDED {
        let Some(Value::Array(own)) = bounds.get(name).filter(|own| !is_empty(own)) else {
            continue;
        };
        let list = metadata(key).entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            let more: Vec<_> = own.iter().filter(|one| !list.contains(one)).cloned().collect();
            list.extend(more);
        }
    }
    for name in BY_MODEL {
        let Some(Value::Object(own)) = bounds.get(name) else { continue };
        let map = metadata(key).entry(name).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(map) = map {
            for (model, bound) in own {
                map.entry(model.as_str()).or_insert_with(|| bound.clone());
            }
        }
    }
}

fn metadata(key: &mut Doc) -> &mut Doc {
    let slot = key.entry("metadata").or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Doc::new());
    }
    slot.as_object_mut().expect("it was made an object")
}

/// Whether a key is bounded by all that bounds its issuer.
///
/// # Errors
///
/// The field that exceeds.
pub(super) fn within_key(key: &Doc, issuer: &Doc) -> Result<(), &'static str> {
    let ends = |doc: &Doc| {
        let end = doc.get("expires").and_then(Value::as_str).and_then(clock::parse);
        end.unwrap_or(i64::MAX)
    };
    if ends(key) > ends(issuer) {
        return Err("duration");
    }
    // What is spent is spent by the same team and organisation.
    for name in ["team_id", "organization_id"] {
        let own = issuer.get(name).filter(|own| !is_empty(own));
        if own.is_some_and(|own| key.get(name) != Some(own)) {
            return Err(name);
        }
    }
    bounded(key, issuer, true)?;
    let (own, most) = (rules(key), rules(issuer));
    let has = |list: &[Box<str>], all: &[Box<str>]| all.iter().all(|one| list.contains(one));
    let lists = |doc: &Doc| {
        let list = doc.get("metadata").and_then(|metadata| metadata.get("guardrails")).cloned();
        list.and_then(|list| serde_json::from_value::<Vec<Box<str>>>(list).ok()).unwrap_or_default()
    };
    for (own, all, name) in [
        (&*own.tags, &*most.tags, "tags"),
        (&*own.enforced, &*most.enforced, "enforced_params"),
        (&*lists(key), &*lists(issuer), "guardrails"),
    ] {
        if !has(own, all) {
            return Err(name);
        }
    }
    Ok(())
}

/// Whether nothing that a key says is more than a user or a team has, whose bounds it is under
/// besides.
///
/// # Errors
///
/// The field that exceeds.
pub(super) fn within_holder(key: &Doc, holder: &Doc) -> Result<(), &'static str> {
    bounded(key, holder, false)
}

/// A document with the models of its team in the place of the words for them.
pub(super) fn resolved(doc: &Doc, team: Option<&Doc>) -> Doc {
    let mut doc = doc.clone();
    let Some(Value::Array(models)) = doc.get("models") else { return doc };
    if models.iter().any(|model| model == ALL_OF_TEAM) {
        let all = team.and_then(|team| team.get("models")).cloned();
        doc.insert("models".to_owned(), all.unwrap_or_else(|| Value::Array(Vec::new())));
    }
    doc
}

fn rules(doc: &Doc) -> Rules {
    Rules::of(doc).unwrap_or_default()
}

/// `strict` is whether what bounds the issuer must bound the key.
fn bounded(key: &Doc, issuer: &Doc, strict: bool) -> Result<(), &'static str> {
    let within = money(Money::of(key), Money::of(issuer), strict);
    let (key, issuer) = (&rules(key), &rules(issuer));
    lists(key, issuer, strict)?;
    limits(key, issuer, strict)?;
    if !within {
        return Err("max_budget");
    }
    let all = key.model_money.iter().chain(&issuer.model_money).map(|(name, _)| &**name);
    let fits = |model: &str| {
        let money_of = |rules: &Rules| rules.money_of(model).map_or(Money::default(), |it| *it.1);
        money(money_of(key), money_of(issuer), strict)
    };
    // A bound for a model counts for it at every provider.
    let fits = |name: &str| fits(name) && fits(&format!("any/{name}"));
    if all.into_iter().all(fits) { Ok(()) } else { Err("model_max_budget") }
}

/// What may be asked for.
fn lists(key: &Rules, issuer: &Rules, strict: bool) -> Result<(), &'static str> {
    let named: Vec<_> = key.aliases.iter().map(|(_, model)| model.clone()).collect();
    if !named.is_empty() && !listed(&named, &issuer.models, true) {
        return Err("aliases");
    }
    for (own, most, name) in [
        (&key.models, &issuer.models, "models"),
        (&key.routes, &issuer.routes, "allowed_routes"),
        (&key.cache_controls, &issuer.cache_controls, "allowed_cache_controls"),
    ] {
        if !listed(own, most, strict) {
            return Err(name);
        }
    }
    Ok(())
}

/// How often.
fn limits(key: &Rules, issuer: &Rules, strict: bool) -> Result<(), &'static str> {
    for (own, most, name) in [
        (key.rpm, issuer.rpm, "rpm_limit"),
        (key.tpm, issuer.tpm, "tpm_limit"),
        (key.parallel, issuer.parallel, "max_parallel_requests"),
    ] {
        if !at_most(own, most, strict) {
            return Err(name);
        }
    }
    for (own, most, name) in [
        (&key.model_rpm, &issuer.model_rpm, "model_rpm_limit"),
        (&key.model_tpm, &issuer.model_tpm, "model_tpm_limit"),
    ] {
        let of = |model: &str| own.iter().find(|(name, _)| **name == *model).map(|(_, it)| *it);
        if !most.iter().all(|(model, most)| at_most(of(model), Some(*most), strict)) {
            return Err(name);
        }
    }
    Ok(())
}

/// Whether a list has only what another one lets through, in which stars are any text. An empty one
/// is everything.
fn listed(own: &[Box<str>], most: &[Box<str>], strict: bool) -> bool {
    let all = |one: &str| ["*", "all-proxy-models"].contains(&one);
    if most.is_empty() || most.iter().any(|one| all(one)) {
        return true;
    }
    if own.is_empty() {
        return !strict;
    }
    own.iter().all(|one| most.iter().any(|pattern| covers(pattern, one)))
}

fn at_most<T: PartialOrd>(own: Option<T>, most: Option<T>, strict: bool) -> bool {
    match (own, most) {
        (_, None) => true,
        (None, Some(_)) => !strict,
        (Some(own), Some(most)) => own <= most,
    }
}

/// So much and no more, and not more often.
fn money(own: Money, most: Money, strict: bool) -> bool {
    if own.max.is_none() || most.max.is_none() {
        return at_most(own.max, most.max, strict);
    }
    let often = match (own.window, most.window) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(most)) => own == most || length(own) >= length(most),
    };
    own.max <= most.max && often
}

/// Seconds that a window has at least.
fn length(window: BudgetWindow) -> u64 {
    match window {
        BudgetWindow::Seconds(seconds) => seconds.get().into(),
        BudgetWindow::Days(days) => u64::from(days.get()) * 86_400,
        BudgetWindow::Months(months) => u64::from(months.get()) * 30 * 86_400,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
