//! `bartizan keys`: makes, shows and revokes keys, at a proxy that runs or where one keeps them.
mod table;

use super::place::{self, Place};
use crate::cli::{Create, Keys, KeysAt};
use crate::config::{Env, state_dir, stored};
use anyhow::{Context, bail};
use bartizan_layers::query::encoded;
use http::Method;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Keys that a list is fetched by.
const PAGE: usize = 100;

/// Does what was asked for, and prints what came of it.
///
/// # Errors
///
/// When nobody does it: no proxy and no state directory, a key that is not there, a value that a
/// key cannot have.
pub fn keys(which: Keys) -> anyhow::Result<ExitCode> {
    match which {
        Keys::Master { state_dir } => return Ok(master(state_dir.as_deref())),
        Keys::Create(create) => made(&create)?,
        Keys::List { user_id, team_id, at } => listed(user_id, team_id, &at)?,
        Keys::Info(named) => shown("/key/info", &named.key, &named.at)?,
        Keys::Block(named) => shown("/key/block", &named.key, &named.at)?,
        Keys::Unblock(named) => shown("/key/unblock", &named.key, &named.at)?,
        Keys::Rotate(named) => rotated(&named.key, &named.at)?,
        Keys::Delete { keys, at } => deleted(&keys, &at)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn made(create: &Create) -> anyhow::Result<()> {
    let list = |list: &[String]| Some(json!(list)).filter(|_| !list.is_empty());
    let fields = [
        ("key_alias", create.alias.clone().map(Value::from)),
        ("models", list(&create.models)),
        ("max_budget", create.max_budget.map(Value::from)),
        ("budget_duration", create.budget_duration.clone().map(Value::from)),
        ("duration", create.duration.clone().map(Value::from)),
        ("rpm_limit", create.rpm_limit.map(Value::from)),
        ("tpm_limit", create.tpm_limit.map(Value::from)),
        ("max_parallel_requests", create.max_parallel_requests.map(Value::from)),
        ("user_id", create.user_id.clone().map(Value::from)),
        ("team_id", create.team_id.clone().map(Value::from)),
        ("tags", list(&create.tags)),
        ("key_type", create.key_type.clone().map(Value::from)),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let body = Value::Object(fields.collect::<Map<_, _>>());
    let row = Place::find(&create.at)?.ask(Method::POST, "/key/generate", Some(&body))?;
    new_text(&row, &create.at)
}

/// Prints a key's text alone, so that `KEY=$(bartizan keys create)` is all that a shell needs.
fn new_text(row: &Value, at: &KeysAt) -> anyhow::Result<()> {
    if at.json {
        return printed(row);
    }
    let text = row.get("key").and_then(Value::as_str).context("the answer has no key in it")?;
    line(text);
    Ok(())
}

fn listed(user: Option<String>, team: Option<String>, at: &KeysAt) -> anyhow::Result<()> {
    let place = Place::find(at)?;
    let mut query = format!("return_full_object=true&size={PAGE}&sort_order=asc");
    for (name, value) in [("user_id", user), ("team_id", team)] {
        if let Some(value) = value {
            query += &format!("&{name}={}", encoded(&value));
        }
    }
    let mut keys = Vec::new();
    for page in 1.. {
        let answer = place.ask(Method::GET, &format!("/key/list?{query}&page={page}"), None)?;
        let Some(Value::Array(some)) = answer.get("keys") else { break };
        keys.extend(some.iter().cloned());
        if some.len() < PAGE {
            break;
        }
    }
    if at.json {
        return printed(&Value::from(keys));
    }
    line(table::list(&keys).trim_end());
    Ok(())
}

fn shown(route: &str, key: &str, at: &KeysAt) -> anyhow::Result<()> {
    let place = Place::find(at)?;
    let id = known(&place, key)?;
    let row = if route == "/key/info" {
        let answer = place.ask(Method::GET, &format!("{route}?key={}", encoded(&id)), None)?;
        let mut row = answer.get("info").cloned().unwrap_or_default();
        if let Value::Object(row) = &mut row {
            row.insert("token".to_owned(), id.into());
        }
        row
    } else {
        place.ask(Method::POST, route, Some(&json!({"key": id})))?
    };
    if at.json {
        return printed(&row);
    }
    line(table::one(&row).trim_end());
    Ok(())
}

fn rotated(key: &str, at: &KeysAt) -> anyhow::Result<()> {
    let place = Place::find(at)?;
    let id = known(&place, key)?;
    let row = place.ask(Method::POST, "/key/regenerate", Some(&json!({"key": id})))?;
    new_text(&row, at)
}

fn deleted(keys: &[String], at: &KeysAt) -> anyhow::Result<()> {
    let place = Place::find(at)?;
    // All are known before the first one goes.
    let ids: Vec<_> = keys.iter().map(|key| known(&place, key)).collect::<Result<_, _>>()?;
    let answer = place.ask(Method::POST, "/key/delete", Some(&json!({"keys": ids})))?;
    if at.json {
        return printed(&answer);
    }
    line(&format!("{} deleted", ids.len()));
    Ok(())
}

/// The digest of the key with that text, digest or alias.
fn known(place: &Place, key: &str) -> anyhow::Result<String> {
    let is_digest = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A text goes in the body of a request, not in a path that may be logged.
    let (name, told) = if key.starts_with("sk-") || is_digest {
        let answer = place.ask(Method::POST, "/v2/key/info", Some(&json!({"keys": [key]})))?;
        let found = answer.pointer("/info/0").is_some();
        let id = if is_digest { key.to_owned() } else { place::digest_of(key) };
        return if found { Ok(id) } else { bail!("there is no such key") };
    } else {
        ("key_alias", encoded(key))
    };
    let answer = place.ask(Method::GET, &format!("/key/list?{name}={told}"), None)?;
    let id = answer.pointer("/keys/0").and_then(Value::as_str);
    Ok(id.with_context(|| format!("no key has the alias `{key}`"))?.to_owned())
}

/// Prints JSON.
pub(super) fn printed(value: &Value) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Whoever stops reading has seen enough.
pub(super) fn line(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Prints the generated key.
fn master(told: Option<&Path>) -> ExitCode {
    let dir = state_dir(told, &Env::of_process());
    match dir.as_deref().and_then(stored) {
        Some(key) => {
            line(key.expose());
            ExitCode::SUCCESS
        }
        None => {
            let place =
                dir.map_or("no state directory".to_owned(), |dir| dir.display().to_string());
            drop(writeln!(
                std::io::stderr(),
                "no key was generated yet ({place}): start the proxy once without a config file"
            ));
            ExitCode::FAILURE
        }
    }
}
