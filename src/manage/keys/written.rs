//! What a request makes of a key's document.
use super::fields::{IN_METADATA, KeyFields};
use super::issue::expires;
use crate::identity::Rules;
use crate::manage::bounds::{check_bounds, check_id, merge};
use crate::manage::{Asked, Refusal};
use crate::store::Doc;
use serde_json::Value;

/// Fields that name something.
const IDS: [&str; 5] = ["key_alias", "user_id", "team_id", "organization_id", "budget_id"];

/// A key's document with what a request says: `null` takes a field away. `now` is in milliseconds
/// since 1970.
///
/// # Errors
///
/// If a field has a value that calls could not be measured by.
pub(super) fn written(mut doc: Doc, asked: &Asked<KeyFields>, now: i64) -> Result<Doc, Refusal> {
    let mut said = asked.said();
    check_bounds(&said).map_err(Refusal::bad_request)?;
    for name in IDS {
        match said.get(name).and_then(Value::as_str) {
            Some("") => drop(said.insert(name.to_owned(), Value::Null)),
            Some(id) => {
                check_id(name, id).map_err(|told| Refusal::bad_request(told).param(name))?;
            }
            None => {}
        }
    }
    let special: Vec<_> = IN_METADATA.iter().filter_map(|name| said.remove_entry(*name)).collect();
    merge(&mut doc, said);
    if !special.is_empty() {
        keep(&mut doc, special);
    }
    lasting(&mut doc, asked, now)?;
    routes_of(&mut doc, &asked.fields)?;
    readable(&doc)?;
    Ok(doc)
}

/// Puts fields where LiteLLM's table has them.
fn keep(doc: &mut Doc, special: Vec<(String, Value)>) {
    let mut metadata = match doc.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Doc::new(),
    };
    merge(&mut metadata, special.into_iter().collect());
    doc.insert("metadata".to_owned(), metadata.into());
}

/// When the key ends: never, where its duration is `null` or `-1`.
fn lasting(doc: &mut Doc, asked: &Asked<KeyFields>, now: i64) -> Result<(), Refusal> {
    match asked.fields.duration.as_deref() {
        None | Some("" | "-1") if asked.doc.contains_key("duration") => {
            doc.remove("expires");
        }
        Some(duration) => {
            doc.insert("expires".to_owned(), expires(duration, now)?.into());
        }
        None => {}
    }
    Ok(())
}

fn routes_of(doc: &mut Doc, fields: &KeyFields) -> Result<(), Refusal> {
    let group = match fields.key_type.as_deref() {
        None | Some("default") => return Ok(()),
        Some("llm_api") => "llm_api_routes",
        Some("management") => "management_routes",
        Some("read_only") => "info_routes",
        Some(_) => {
            let message = "Input should be 'llm_api', 'management', 'read_only' or 'default'";
            return Err(Refusal::invalid(&["body", "key_type"], message));
        }
    };
    doc.insert("allowed_routes".to_owned(), vec![group].into());
    Ok(())
}

/// Whether every bound by model can be read: one that cannot would be none.
fn readable(doc: &Doc) -> Result<(), Refusal> {
    let rules = Rules::of(doc).unwrap_or_default();
    let metadata = doc.get("metadata").and_then(Value::as_object);
    let said = |name: &str| {
        let value = doc.get(name).or_else(|| metadata?.get(name));
        value.and_then(Value::as_object).map_or(0, Doc::len)
    };
    let money = rules.model_money.iter().all(|(_, money)| money.max.is_some_and(|max| max.0 >= 0));
    let windows = doc.get("model_max_budget").and_then(Value::as_object).into_iter().flatten();
    let windows = windows.filter(|(_, one)| {
        let names = ["time_period", "budget_duration"];
        names.iter().any(|name| one.get(name).is_some_and(|window| !window.is_null()))
    });
    let windows = windows.count()
        == rules.model_money.iter().filter(|(_, money)| money.window.is_some()).count();
    for (fits, name, told) in [
        (
            said("model_max_budget") == rules.model_money.len() && money && windows,
            "model_max_budget",
            "write {model: {\"budget_limit\": dollars, \"time_period\": \"30d\"}}",
        ),
        (
            said("model_rpm_limit") == rules.model_rpm.len(),
            "model_rpm_limit",
            "write {model: calls per minute}",
        ),
        (
            said("model_tpm_limit") == rules.model_tpm.len(),
            "model_tpm_limit",
            "write {model: tokens per minute}",
        ),
        (said("aliases") == rules.aliases.len(), "aliases", "write {name: model}"),
    ] {
        if !fits {
            let message = format!("{name} cannot be read: {told}.");
            return Err(Refusal::bad_request(message).param(name));
        }
    }
    Ok(())
}
