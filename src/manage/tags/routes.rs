//! The routes of tags.
use crate::manage::bounds::{check_id, merge};
use crate::manage::budgets::{self, BudgetFields};
use crate::manage::gone::remove;
use crate::manage::organizations::bound;
use crate::manage::shown::Table;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Change, Doc, Filter, Kind, Page, Thing};
use axum::Json;
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

const TAGS: Table = Table {
    columns: r#"{
        "name": null, "description": null, "models": [], "model_info": null, "spend": 0.0,
        "budget_id": null, "created_by": null
    }"#,
    id: "name",
    scope: Some(Scope::Tag),
};

/// The fields of a tag that requests may set, besides those of its budget.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct TagFields {
    /// The word.
    #[serde(skip_serializing)]
    name: String,
    /// What it means.
    description: Option<String>,
    /// Kept for clients that send it: which deployments bear it is said in the config.
    models: Option<Vec<String>>,
    /// The budget that it shares; one of its own without it.
    budget_id: Option<String>,
}

async fn rows(room: &Manage, tags: &[Thing]) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&TAGS, tags).await?;
    room.with_budgets(&mut rows).await?;
    rows.iter_mut().for_each(|row| drop(row.remove("budget_reset_at")));
    Ok(rows)
}

/// Puts what a request says into the document of a tag.
async fn fill(
    change: &mut Change,
    who: &Who,
    doc: &mut Doc,
    asked: &Asked<TagFields>,
) -> Result<(), Refusal> {
    if let Some(shared) = &asked.fields.budget_id {
        budgets::there(change, shared).await?;
    }
    merge(doc, asked.said());
    let own = doc.get("budget_id").and_then(Value::as_str).map(str::to_owned);
    let bounds = Asked::<BudgetFields>::of(asked.doc.clone())?.said();
    if let Some(budget) = bound(change, who, own.as_deref(), bounds).await? {
        doc.insert("budget_id".to_owned(), budget.into());
    }
    Ok(())
}

/// What became of a tag.
async fn answer(room: &Manage, tag: Thing, done: &str) -> Result<Json<Value>, Refusal> {
    let message = format!("Tag {} {done} successfully", tag.id);
    let row = rows(room, &[tag]).await?.into_iter().next();
    Ok(Json(json!({"message": message, "tag": row})))
}

/// Says what a tag means, and what may be spent under it.
#[utoipa::path(
    post,
    path = "/tag/new",
    request_body = TagFields,
    responses(
        (status = 200, description = "`{message, tag}`"),
        (status = 400, description = "There is one with this name"),
    )
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<TagFields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/tag/new")?;
    let name = &asked.fields.name;
    check_id("name", name).map_err(Refusal::wrong)?;
    let mut change = room.store.change(who.actor()).await?;
    if change.work().thing(Kind::Tag, name).await?.is_some() {
        let message = format!("Tag {name} already exists");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let mut doc = Doc::new();
    fill(&mut change, &who, &mut doc, &asked).await?;
    who.signs_new(&mut doc);
    let tag = change.insert(Kind::Tag, name, doc).await?;
    room.commit(change).await?;
    answer(&room, tag, "created").await
}

/// Changes what a tag means, and what may be spent under it. `null` takes a bound away.
#[utoipa::path(
    post,
    path = "/tag/update",
    request_body = TagFields,
    responses((status = 200, description = "`{message, tag}`"), (status = 404, description = "None"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<TagFields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/tag/update")?;
    let mut change = room.store.change(who.actor()).await?;
    let tag = change.work().thing(Kind::Tag, &asked.fields.name).await?;
    let tag = tag.ok_or_else(|| not_there(&asked.fields.name))?;
    let mut doc = tag.doc.clone();
    fill(&mut change, &who, &mut doc, &asked).await?;
    who.signs(&mut doc);
    let tag = change.update(&tag, doc).await?;
    room.commit(change).await?;
    answer(&room, tag, "updated").await
}

fn not_there(name: &str) -> Refusal {
    Refusal::detail(StatusCode::NOT_FOUND, format!("Tag {name} not found"))
}

/// Which tags.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Names {
    /// The words.
    names: Vec<String>,
}

/// Tags by their names.
#[utoipa::path(
    post,
    path = "/tag/info",
    request_body = Names,
    responses((status = 200, description = "`{name: tag}`"), (status = 404, description = "One is missing"))
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Names>,
) -> Result<Json<Doc>, Refusal> {
    who.sees_all("/tag/info")?;
    let mut found = Vec::new();
    for name in &fields.names {
        let tag = room.store.thing(Kind::Tag, name).await?;
        found.push(tag.ok_or_else(|| {
            Refusal::detail(StatusCode::NOT_FOUND, format!("Tags not found: ['{name}']"))
        })?);
    }
    let rows = rows(&room, &found).await?.into_iter().map(Value::Object);
    Ok(Json(found.into_iter().map(|tag| tag.id).zip(rows).collect()))
}

/// All tags of which something is known.
#[utoipa::path(
    get,
    path = "/tag/list",
    responses((status = 200, description = "A list of tags"))
)]
pub(super) async fn list(room: Room, who: Who) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/tag/list")?;
    let all = room.store.things(Kind::Tag, &Filter::default(), Page::ALL).await?;
    Ok(Json(rows(&room, &all).await?))
}

/// Which tag.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Name {
    /// The word.
    name: String,
}

/// Forgets what is known of a tag.
#[utoipa::path(
    post,
    path = "/tag/delete",
    request_body = Name,
    responses((status = 200, description = "`{message}`"), (status = 404, description = "None"))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Name>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/tag/delete")?;
    let mut change = room.store.change(who.actor()).await?;
    let gone = remove(&mut change, Kind::Tag, &fields.name).await?;
    let tag = gone.ok_or_else(|| not_there(&fields.name))?;
    room.commit(change).await?;
    Ok(Json(json!({"message": format!("Tag {} deleted successfully", tag.id)})))
}
