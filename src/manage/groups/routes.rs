//! The routes of access groups.
use crate::manage::bounds::check_id;
use crate::manage::gone::remove;
use crate::manage::{Asked, Manage, Query, Refusal, Room, Who};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// A group and its models.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Group {
    /// Its name.
    access_group: String,
    /// Names of models, or patterns.
    model_names: Vec<String>,
}

/// Which group.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, IntoParams)]
pub(super) struct Which {
    /// Its name.
    access_group: String,
}

/// Names several models.
#[utoipa::path(
    post,
    path = "/access_group/new",
    request_body = Group,
    responses(
        (status = 200, description = "`{access_group, model_names, models_updated}`"),
        (status = 400, description = "A model is not there"),
        (status = 409, description = "There is one with this name"),
    )
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Group>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/access_group/new")?;
    let name = fields.access_group.trim();
    if name.is_empty() {
        return Err(Refusal::wrong("access_group is required and cannot be empty"));
    }
    check_id("access_group", name).map_err(Refusal::wrong)?;
    let mut doc = models(&room, &fields.model_names)?;
    let mut change = room.store.change(who.actor()).await?;
    if change.work().thing(Kind::AccessGroup, name).await?.is_some() {
        let message = format!(
            "Access group '{name}' already exists. Use PUT /access_group/{name}/update to modify \
             it."
        );
        return Err(Refusal::because(StatusCode::CONFLICT, message));
    }
    who.signs_new(&mut doc);
    let group = change.insert(Kind::AccessGroup, name, doc).await?;
    room.commit(change).await?;
    Ok(Json(updated(&group)))
}

/// The document of a group: its models are what a call is measured by.
fn models(room: &Manage, names: &[String]) -> Result<Doc, Refusal> {
    if names.is_empty() {
        return Err(Refusal::wrong("model_names list is required and cannot be empty"));
    }
    let missing: Vec<_> = names.iter().filter(|name| !room.has_model(name)).cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::wrong(format!("Model(s) not found: {}", missing.join(", "))));
    }
    Ok([("models".to_owned(), json!(names))].into_iter().collect())
}

fn row(group: &Thing) -> Value {
    let models = group.doc.get("models").and_then(Value::as_array).map_or(0, Vec::len);
    json!({
        "access_group": group.id, "model_names": group.doc.get("models"),
        "deployment_count": models
    })
}

fn updated(group: &Thing) -> Value {
    let models = group.doc.get("models").and_then(Value::as_array).map_or(0, Vec::len);
    json!({
        "access_group": group.id, "model_names": group.doc.get("models"),
        "models_updated": models
    })
}

/// All groups that were made here. Those of the config are not among them.
#[utoipa::path(
    get,
    path = "/access_group/list",
    responses((status = 200, description = "`{access_groups}`"))
)]
pub(super) async fn list(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    who.sees_all("/access_group/list")?;
    let groups = room.store.things(Kind::AccessGroup, &Filter::default(), Page::ALL).await?;
    let rows: Vec<_> = groups.iter().map(row).collect();
    Ok(Json(json!({"access_groups": rows})))
}

/// A group and its models.
#[utoipa::path(
    get,
    path = "/access_group/info",
    params(Which),
    responses((status = 200, description = "The group"), (status = 404, description = "None"))
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(asked): Query<Which>,
) -> Result<Json<Value>, Refusal> {
    shown(&room, &who, &asked.access_group).await
}

/// A group and its models.
#[utoipa::path(
    get,
    path = "/access_group/{access_group}/info",
    params(Which),
    responses((status = 200, description = "The group"), (status = 404, description = "None"))
)]
pub(super) async fn info_of(
    room: Room,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    shown(&room, &who, &name).await
}

async fn shown(room: &Manage, who: &Who, name: &str) -> Result<Json<Value>, Refusal> {
    who.sees_all("/access_group/info")?;
    let group = room.store.thing(Kind::AccessGroup, name).await?;
    group.map(|group| Json(row(&group))).ok_or_else(|| not_there(name))
}

fn not_there(name: &str) -> Refusal {
    Refusal::because(StatusCode::NOT_FOUND, format!("Access group '{name}' not found"))
}

/// Gives a group other models.
#[utoipa::path(
    post,
    path = "/access_group/update",
    request_body = Group,
    responses((status = 200, description = "The group"), (status = 404, description = "None"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Group>,
) -> Result<Json<Value>, Refusal> {
    replaced(&room, &who, &fields.access_group, &fields.model_names).await
}

/// Gives a group other models.
#[utoipa::path(
    put,
    path = "/access_group/{access_group}/update",
    params(Which),
    request_body = Group,
    responses((status = 200, description = "The group"), (status = 404, description = "None"))
)]
pub(super) async fn update_of(
    room: Room,
    who: Who,
    Path(name): Path<String>,
    Asked { fields, doc: _ }: Asked<Group>,
) -> Result<Json<Value>, Refusal> {
    replaced(&room, &who, &name, &fields.model_names).await
}

async fn replaced(
    room: &Manage,
    who: &Who,
    name: &str,
    names: &[String],
) -> Result<Json<Value>, Refusal> {
    who.admin("/access_group/update")?;
    let said = models(room, names)?;
    let mut change = room.store.change(who.actor()).await?;
    let group = change.work().thing(Kind::AccessGroup, name).await?;
    let group = group.ok_or_else(|| not_there(name))?;
    let mut doc = group.doc.clone();
    doc.extend(said);
    who.signs(&mut doc);
    let group = change.update(&group, doc).await?;
    room.commit(change).await?;
    Ok(Json(updated(&group)))
}

/// Forgets a group. Lists that name it have no model by that name any more.
#[utoipa::path(
    post,
    path = "/access_group/delete",
    request_body = Which,
    responses((status = 200, description = "`{access_group, models_updated, message}`"))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Which>,
) -> Result<Json<Value>, Refusal> {
    taken(&room, &who, &fields.access_group).await
}

/// Forgets a group. Lists that name it have no model by that name any more.
#[utoipa::path(
    delete,
    path = "/access_group/{access_group}/delete",
    params(Which),
    responses((status = 200, description = "`{access_group, models_updated, message}`"))
)]
pub(super) async fn delete_of(
    room: Room,
    who: Who,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    taken(&room, &who, &name).await
}

async fn taken(room: &Manage, who: &Who, name: &str) -> Result<Json<Value>, Refusal> {
    who.admin("/access_group/delete")?;
    let mut change = room.store.change(who.actor()).await?;
    let group = remove(&mut change, Kind::AccessGroup, name).await?;
    let group = group.ok_or_else(|| not_there(name))?;
    room.commit(change).await?;
    let mut answer = updated(&group);
    answer["message"] = format!("Access group '{name}' deleted successfully").into();
    Ok(Json(answer))
}
