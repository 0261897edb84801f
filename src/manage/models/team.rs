//! Models of a team: its keys ask for them by a name that others do not have.
use super::kept::Entry;
use crate::manage::Refusal;
use crate::store::{Change, Doc, Kind, Thing};
use serde_json::Value;

/// Gives a model that names a team to that team, by another name of its own.
///
/// # Errors
///
/// 400, if there is no such team.
pub(super) async fn admit(change: &mut Change, entry: &mut Entry, id: &str) -> Result<(), Refusal> {
    let Some(team) = team_of(change, entry).await? else {
        return match entry.info.get("team_id") {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Refusal::wrong("The team of `model_info.team_id` does not exist.")),
        };
    };
    let public = std::mem::take(&mut entry.name);
    entry.name = format!("model_name_{}_{id}", team.id);
    entry.info.insert("team_public_model_name".to_owned(), public.as_str().into());
    let mut doc = team.doc.clone();
    let models = list(&mut doc);
    if models.is_empty() {
        // It had all, and still has.
        models.push("all-proxy-models".into());
    }
    if !models.iter().any(|model| model.as_str() == Some(&public)) {
        models.push(public.as_str().into());
    }
    let aliases = doc.entry("model_aliases").or_insert_with(|| Doc::new().into());
    if !aliases.is_object() {
        *aliases = Doc::new().into();
    }
    if let Some(aliases) = aliases.as_object_mut() {
        aliases.insert(public, entry.name.as_str().into());
    }
    change.update(&team, doc).await?;
    Ok(())
}

/// Takes a model that is gone off its team.
///
/// # Errors
///
/// As the store says.
pub(super) async fn dismiss(change: &mut Change, entry: &Entry) -> Result<(), Refusal> {
    let Some(team) = team_of(change, entry).await? else { return Ok(()) };
    let public = entry.info.get("team_public_model_name").and_then(Value::as_str);
    let mut doc = team.doc.clone();
    let aliases = doc.get_mut("model_aliases").and_then(Value::as_object_mut);
    if let Some((aliases, public)) = aliases.zip(public)
        && aliases.get(public).and_then(Value::as_str) == Some(&entry.name)
    {
        aliases.remove(public);
        let models = list(&mut doc);
        models.retain(|model| model.as_str() != Some(public));
        if models.is_empty() {
            // An empty list would be everything.
            models.push("no-default-models".into());
        }
    }
    change.update(&team, doc).await?;
    Ok(())
}

async fn team_of(change: &mut Change, entry: &Entry) -> Result<Option<Thing>, Refusal> {
    let Some(id) = entry.info.get("team_id").and_then(Value::as_str) else { return Ok(None) };
    Ok(change.work().thing(Kind::Team, id).await?)
}

fn list(doc: &mut Doc) -> &mut Vec<Value> {
    let models = doc.entry("models").or_insert_with(|| Value::Array(Vec::new()));
    if !models.is_array() {
        *models = Value::Array(Vec::new());
    }
    models.as_array_mut().expect("it was made one")
}
