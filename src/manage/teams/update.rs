//! `/team/update`, and what else changes a team as a whole.
use super::fields::{TeamFields, into_metadata};
use super::new::may;
use super::row::team_row;
use super::shared::share;
use super::{not_there, team_of};
use crate::manage::bounds::{check_bounds, merge};
use crate::manage::organizations::check_within;
use crate::manage::revoke::Revoked;
use crate::manage::settled::{Spend, settle};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::revocations::Deed;
use crate::store::{Doc, Kind};
use axum::Json;
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Changes a team. `null` takes a bound away; `spend`, of admins, is what counts as spent from now on.
#[utoipa::path(
    post,
    path = "/team/update",
    request_body = TeamFields,
    responses(
        (status = 200, description = "`{team_id, data}`"),
        (status = 404, description = "There is no such team"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<TeamFields>,
) -> Result<Json<Doc>, Refusal> {
    let wrong = |error: String| Refusal::internal(StatusCode::BAD_REQUEST, error);
    let id = asked.fields.team_id.as_deref().unwrap_or_default();
    let mut change = room.store.change(who.actor()).await?;
    let Some(team) = change.work().thing(Kind::Team, id).await? else {
        who.admin("/team/update")?;
        let message = format!("Team not found, passed team_id={id}");
        return Err(Refusal::internal(StatusCode::NOT_FOUND, message));
    };
    may(&mut change, &who, team.text("organization_id"), "/team/update").await?;
    let Spend { spend } = asked.also()?;
    if spend.is_some() {
        who.admin("/team/update")?;
    }
    let mut said = asked.said();
    check_bounds(&said).map_err(wrong)?;
    // To take it out of an organisation is to take bounds away.
    let moves = said.get("organization_id").map(|to| to.as_str().unwrap_or_default());
    if moves.is_some_and(|to| to != team.text("organization_id").unwrap_or_default()) {
        who.admin("/team/update")?;
    }
    into_metadata(&mut said, Some(&team.doc));
    keep_shared(&mut said, &team.doc);
    let mut doc = team.doc.clone();
    merge(&mut doc, said);
    check_within(&mut change, &doc).await?;
    share(&mut change, &who, (&team.id, &mut doc), (&asked.fields, &asked.doc)).await?;
    let after = change.update(&team, doc).await?;
    settle(&mut change, (Scope::Team, &after), Some(&team.doc), spend).await?;
    room.commit(change).await?;
    let team = after;
    let mut answer = Doc::new();
    answer.insert("team_id".to_owned(), team.id.as_str().into());
    answer.insert("data".to_owned(), team_row(&room, &team).await?.into());
    Ok(Json(answer))
}

/// Other metadata do not take the budget of the members away.
fn keep_shared(said: &mut Doc, before: &Doc) {
    let own = before.get("metadata").and_then(|it| it.get("team_member_budget_id")).cloned();
    if let (Some(own), true) = (own, said.contains_key("metadata")) {
        let metadata = said.entry("metadata").or_insert(Value::Null);
        if metadata.is_null() {
            *metadata = Value::Object(Doc::new());
        }
        if let Value::Object(metadata) = metadata {
            metadata.insert("team_member_budget_id".to_owned(), own);
        }
    }
}

/// Which team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Team {
    /// Its id.
    team_id: String,
}

/// Blocks all keys of a team, also while the store is away.
#[utoipa::path(
    post,
    path = "/team/block",
    request_body = Team,
    responses((status = 200, description = "The team"), (status = 404, description = "No team"))
)]
pub(super) async fn block(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Team>,
) -> Result<Revoked<Doc>, Refusal> {
    let id = &fields.team_id;
    let work = async {
        let block = |doc: &mut Doc| drop(doc.insert("blocked".to_owned(), true.into()));
        set(&room, &who, "/team/block", id, block).await.map(|Json(row)| row)
    };
    // Teams that were there when the store was are all known.
    let is_known = room.directory.holder(Kind::Team, id).is_some();
    let things = is_known.then(|| (Kind::Team, id.clone(), Deed::Block));
    let told = || {
        Doc::from_iter([
            ("team_id".to_owned(), id.as_str().into()),
            ("blocked".to_owned(), true.into()),
        ])
    };
    room.revoking(&who, things.as_slice(), work, told).await
}

/// Lets all keys of a team be used again.
#[utoipa::path(
    post,
    path = "/team/unblock",
    request_body = Team,
    responses((status = 200, description = "The team"), (status = 404, description = "No team"))
)]
pub(super) async fn unblock(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Team>,
) -> Result<Json<Doc>, Refusal> {
    set(&room, &who, "/team/unblock", &fields.team_id, |doc| {
        doc.insert("blocked".to_owned(), false.into());
    })
    .await
}

/// A team and models.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Models {
    /// The team's id.
    team_id: String,
    /// Names of models, or patterns.
    models: Vec<String>,
}

/// Adds models to those that a team may ask for.
#[utoipa::path(
    post,
    path = "/team/model/add",
    request_body = Models,
    responses((status = 200, description = "The team"), (status = 404, description = "No team"))
)]
pub(super) async fn add_models(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Models>,
) -> Result<Json<Doc>, Refusal> {
    set(&room, &who, "/team/model/add", &fields.team_id, |doc| {
        let mut models = models_of(doc);
        // Without a list it may ask for all: one more is no reason to take them away.
        if models.is_empty() {
            models.push("all-proxy-models".into());
        }
        for model in &fields.models {
            if !models.iter().any(|own| own == model.as_str()) {
                models.push(model.as_str().into());
            }
        }
        doc.insert("models".to_owned(), models.into());
    })
    .await
}

/// Takes models away from those that a team may ask for.
#[utoipa::path(
    post,
    path = "/team/model/delete",
    request_body = Models,
    responses((status = 200, description = "The team"), (status = 404, description = "No team"))
)]
pub(super) async fn take_models(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Models>,
) -> Result<Json<Doc>, Refusal> {
    set(&room, &who, "/team/model/delete", &fields.team_id, |doc| {
        let mut models = models_of(doc);
        let had = !models.is_empty();
        models.retain(|own| !fields.models.iter().any(|model| own == model.as_str()));
        // No list would be all models.
        if had && models.is_empty() {
            models.push("no-default-models".into());
        }
        doc.insert("models".to_owned(), models.into());
    })
    .await
}

fn models_of(doc: &Doc) -> Vec<Value> {
    doc.get("models").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Gives a team another document, for admins.
async fn set(
    room: &Room,
    who: &Who,
    route: &str,
    id: &str,
    edit: impl FnOnce(&mut Doc) + Send,
) -> Result<Json<Doc>, Refusal> {
    who.admin(route)?;
    let mut change = room.store.change(who.actor()).await?;
    let team = team_of(&mut change, id).await?.ok_or_else(|| not_there(id))?;
    let mut doc = team.doc.clone();
    edit(&mut doc);
    let team = change.update(&team, doc).await?;
    room.commit(change).await?;
    Ok(Json(team_row(room, &team).await?))
}
