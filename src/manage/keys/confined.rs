//! Keys in their bounds: those of the config, and those of whoever makes them.
use super::fields::KeyFields;
use super::issue::seconds;
use super::rights::Delegate;
use super::within::{inherit, resolved, within_holder, within_key};
use crate::config::Issuing;
use crate::manage::{Asked, Refusal, Who};
use crate::store::{Doc, Kind, StoreError, Thing, Work};
use serde_json::Value;

/// Limits that a budget gives to those who refer to it and have none of their own.
const OF_BUDGETS: [&str; 3] = ["tpm_limit", "rpm_limit", "max_parallel_requests"];

/// What a request asks for, with the values that the config gives where it says nothing.
///
/// # Errors
///
/// If it asks for more than the config allows.
pub(super) fn configured(
    issuing: &Issuing,
    mut asked: Asked<KeyFields>,
) -> Result<Asked<KeyFields>, Refusal> {
    let Issuing { defaults, most, .. } = issuing;
    if defaults.is_empty() && most.is_empty() {
        return Ok(asked);
    }
    for (name, value) in defaults.iter().chain(most) {
        if asked.doc.get(name).is_none_or(is_empty) {
            asked.doc.insert(name.clone(), value.clone());
        }
    }
    capped(issuing, &asked.doc)?;
    Asked::of(asked.doc)
}

/// Whether a request asks for no more than the config allows.
///
/// # Errors
///
/// With the field that is over its limit.
pub(super) fn capped(issuing: &Issuing, doc: &Doc) -> Result<(), Refusal> {
    for (name, most) in &issuing.most {
        let Some(value) = doc.get(name) else { continue };
        let over = match (value, most) {
            (Value::Number(value), most) => value.as_f64() > most.as_f64(),
            (Value::String(value), Value::String(most)) => seconds(value) > seconds(most),
            _ => false,
        };
        if over {
            let message = format!(
                "{name} is over max limit set in config - user_value={value}; max_value={most}"
            );
            return Err(Refusal::bad_request(message).param(name));
        }
    }
    Ok(())
}

/// Whether what a key refers to is there. Returns its team.
///
/// # Errors
///
/// With what is not there.
pub(super) async fn known(work: &mut Work, key: &Doc) -> Result<Option<Thing>, Refusal> {
    let mut team = None;
    for (name, kind, what) in [
        ("team_id", Kind::Team, "team"),
        ("budget_id", Kind::Budget, "budget"),
        ("organization_id", Kind::Organization, "organization"),
    ] {
        let Some(id) = key.get(name).and_then(Value::as_str) else { continue };
        let Some(found) = work.thing(kind, id).await? else {
            let message =
                format!("Unable to find {what} object in database. {name}={id}. Make it first.");
            return Err(Refusal::bad_request(message).param(name));
        };
        if kind == Kind::Team {
            team = Some(found);
        }
    }
    Ok(team)
}

/// Keeps a key within its issuer, its user, its team and its organisation. One that is new gets the
/// bounds of its issuer.
///
/// # Errors
///
/// With the field that exceeds them.
pub(super) async fn confine(
    work: &mut Work,
    who: &Who,
    delegate: &Delegate<'_>,
    key: &mut Doc,
    before: Option<&Thing>,
) -> Result<(), Refusal> {
    let team = delegate.owns(work, key, before).await?;
    let issuer = work.thing(Kind::Key, &who.0.key).await?;
    let issuer = issuer.ok_or_else(|| Refusal::forbidden("The key that asks is gone."))?;
    let of_issuer = match issuer.text("team_id") {
        Some(id) => work.thing(Kind::Team, id).await?,
        None => None,
    };
    let bounds = effective(work, &issuer.doc).await?;
    let bounds = resolved(&bounds, of_issuer.as_ref().map(|team| &team.doc));
    if before.is_none() {
        let own = effective(work, key).await?;
        inherit(key, &own, &bounds);
    }
    known(work, key).await?;
    let own = resolved(&effective(work, key).await?, team.as_ref().map(|team| &team.doc));
    within_key(&own, &bounds).map_err(|field| exceeds(field, "the key that asks"))?;
    for (name, kind, whose) in [
        ("user_id", Kind::User, "its user"),
        ("team_id", Kind::Team, "its team"),
        ("organization_id", Kind::Organization, "its organization"),
    ] {
        let Some(id) = key.get(name).and_then(Value::as_str) else { continue };
        let Some(holder) = work.thing(kind, id).await? else { continue };
        let holder = effective(work, &holder.doc).await?;
        within_holder(&own, &holder).map_err(|field| exceeds(field, whose))?;
    }
    Ok(())
}

/// A document with what its budget gives it.
async fn effective(work: &mut Work, doc: &Doc) -> Result<Doc, StoreError> {
    let mut doc = doc.clone();
    let Some(id) = doc.get("budget_id").and_then(Value::as_str) else { return Ok(doc) };
    let Some(budget) = work.thing(Kind::Budget, id).await? else { return Ok(doc) };
    let mut names = OF_BUDGETS.to_vec();
    if doc.get("max_budget").is_none_or(Value::is_null) {
        doc.remove("budget_duration");
        names.extend(["max_budget", "budget_duration"]);
    }
    for name in names {
        if let Some(value) = budget.doc.get(name).filter(|_| doc.get(name).is_none_or(is_empty)) {
            doc.insert(name.to_owned(), value.clone());
        }
    }
    Ok(doc)
}

fn exceeds(field: &str, whose: &str) -> Refusal {
    let message = format!("{field} would be more than {whose} has. Ask for less, or ask an admin.");
    Refusal::forbidden(message).param(field)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}
