//! The routes of organisations themselves.
use super::fields::{OrganizationFields, bound, there};
use super::row::{rows, whole};
use crate::manage::bounds::{check_bounds, id_or_new, merge};
use crate::manage::budgets::{self, BudgetFields};
use crate::manage::gone::{remove, remove_all};
use crate::manage::teams::take;
use crate::manage::{Asked, Manage, Query, Refusal, Room, Who};
use crate::store::{Change, Doc, Filter, Kind, Page, Thing};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Makes an organisation, with a budget of its own unless it shares one.
#[utoipa::path(
    post,
    path = "/organization/new",
    request_body = OrganizationFields,
    responses((status = 200, description = "The organisation and its budget"))
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<OrganizationFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/organization/new")?;
    let fields = &asked.fields;
    if fields.organization_alias.as_deref().is_none_or(str::is_empty) {
        return Err(Refusal::invalid(&["body", "organization_alias"], "Field required"));
    }
    let id = id_or_new("organization_id", fields.organization_id.as_deref());
    let id = id.map_err(Refusal::wrong)?;
    let mut doc = asked.said();
    doc.retain(|_, value| !value.is_null());
    check_bounds(&doc).map_err(Refusal::wrong)?;
    let mut change = room.store.change(who.actor()).await?;
    if change.work().thing(Kind::Organization, &id).await?.is_some() {
        return Err(Refusal::wrong(format!("Organization with id {id} already exists")));
    }
    let budget = match fields.budget_id.as_deref().filter(|id| !id.is_empty()) {
        Some(shared) => budgets::there(&mut change, shared).await?,
        None => {
            let bounds = Asked::<BudgetFields>::of(asked.doc.clone())?.said();
            budgets::make(&mut change, &who, None, bounds).await?
        }
    };
    doc.insert("budget_id".to_owned(), budget.id.into());
    who.signs_new(&mut doc);
    let organization = change.insert(Kind::Organization, id, doc).await?;
    room.commit(change).await?;
    one(rows(&room, &[organization]).await?)
}

fn one(rows: Vec<Doc>) -> Result<Json<Doc>, Refusal> {
    Ok(Json(rows.into_iter().next().unwrap_or_default()))
}

/// Changes an organisation and its budget. `null` takes a bound away.
#[utoipa::path(
    patch,
    path = "/organization/update",
    request_body = OrganizationFields,
    responses(
        (status = 200, description = "The organisation"),
        (status = 404, description = "There is no such organisation"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<OrganizationFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/organization/update")?;
    let id = asked.fields.organization_id.as_deref().unwrap_or_default();
    let mut change = room.store.change(who.actor()).await?;
    let organization = there(&mut change, id).await?;
    let mut said = asked.said();
    check_bounds(&said).map_err(Refusal::wrong)?;
    // Its name and its budget can be replaced, not taken away.
    for name in ["organization_alias", "budget_id"] {
        if said.get(name).is_some_and(serde_json::Value::is_null) {
            said.remove(name);
        }
    }
    if let Some(shared) = &asked.fields.budget_id {
        budgets::there(&mut change, shared).await?;
    }
    let mut doc = organization.doc.clone();
    merge(&mut doc, said);
    let bounds = Asked::<BudgetFields>::of(asked.doc.clone())?.said();
    let own = doc.get("budget_id").and_then(serde_json::Value::as_str).map(str::to_owned);
    if let Some(budget) = bound(&mut change, &who, own.as_deref(), bounds).await? {
        doc.insert("budget_id".to_owned(), budget.into());
    }
    who.signs(&mut doc);
    let organization = change.update(&organization, doc).await?;
    room.commit(change).await?;
    one(whole(&room, &[organization]).await?)
}

/// Which organisations.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Organizations {
    /// Their ids.
    organization_ids: Vec<String>,
}

/// Takes organisations away, with their teams and keys.
#[utoipa::path(
    delete,
    path = "/organization/delete",
    request_body = Organizations,
    responses(
        (status = 200, description = "The organisations"),
        (status = 404, description = "One is not there; then all stay"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Organizations>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    who.admin("/organization/delete")?;
    let mut found = Vec::new();
    for id in &fields.organization_ids {
        let Some(organization) = room.store.thing(Kind::Organization, id).await? else {
            let message = format!("Organization={id} not found");
            return Err(Refusal::because(StatusCode::NOT_FOUND, message));
        };
        found.push(organization);
    }
    let shown = rows(&room, &found).await?;
    let mut change = room.store.change(who.actor()).await?;
    for organization in &found {
        take_all(&mut change, organization).await?;
    }
    room.commit(change).await?;
    Ok(Json(shown))
}

async fn take_all(change: &mut Change, organization: &Thing) -> Result<(), Refusal> {
    let filter = Filter { organization: Some(organization.id.clone()), ..Filter::default() };
    for team in change.work().things(Kind::Team, &filter).await? {
        take(change, &team).await?;
    }
    remove_all(change, Kind::Key, &filter).await?;
    remove_all(change, Kind::OrganizationMember, &filter).await?;
    remove(change, Kind::Organization, &organization.id).await?;
    Ok(())
}

/// Which organisations.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Which {
    /// The one with this id.
    org_id: Option<String>,
    /// Those with this text somewhere in the alias.
    org_alias: Option<String>,
}

/// The organisations that the caller sees: its own, or all.
#[utoipa::path(
    get,
    path = "/organization/list",
    params(Which),
    responses((status = 200, description = "Organisations with budgets, members and teams"))
)]
pub(super) async fn list(
    room: Room,
    who: Who,
    Query(asked): Query<Which>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    let told = |text: Option<String>| text.filter(|text| !text.is_empty());
    let filter =
        Filter { id: told(asked.org_id), alias_has: told(asked.org_alias), ..Filter::default() };
    let mut all = room.store.things(Kind::Organization, &filter, Page::ALL).await?;
    if !who.role().sees_all() {
        let own = of(&room, &who).await?;
        all.retain(|organization| own.contains(&organization.id));
    }
    Ok(Json(whole(&room, &all).await?))
}

/// The organisations that a caller is in.
async fn of(room: &Manage, who: &Who) -> Result<Vec<String>, Refusal> {
    let Some(user) = who.user() else { return Ok(Vec::new()) };
    let filter = Filter { user: Some(user.to_owned()), ..Filter::default() };
    let places = room.store.things(Kind::OrganizationMember, &filter, Page::ALL).await?;
    let ids = places.iter().filter_map(|place| place.text("organization_id"));
    Ok(ids.map(str::to_owned).collect())
}

/// Which organisation.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Named {
    /// Its id.
    organization_id: String,
}

/// An organisation with its budget, members and teams.
#[utoipa::path(
    get,
    path = "/organization/info",
    params(Named),
    responses(
        (status = 200, description = "The organisation"),
        (status = 401, description = "The caller is not in it"),
        (status = 404, description = "There is no such organisation"),
    )
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(asked): Query<Named>,
) -> Result<Json<Doc>, Refusal> {
    let id = asked.organization_id;
    if !who.role().sees_all() && !of(&room, &who).await?.contains(&id) {
        return Err(who.not_admin(who.role(), "/organization/info"));
    }
    match room.store.thing(Kind::Organization, &id).await? {
        Some(organization) => one(whole(&room, &[organization]).await?),
        None => Err(Refusal::because(StatusCode::NOT_FOUND, "Organization not found")),
    }
}

/// Which organisations.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Several {
    /// Their ids.
    organizations: Vec<String>,
}

/// Those organisations that there are among these.
#[utoipa::path(
    post,
    path = "/organization/info",
    request_body = Several,
    responses((status = 200, description = "Organisations with their budgets"))
)]
pub(super) async fn infos(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Several>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/organization/info")?;
    if fields.organizations.is_empty() {
        let message = "Specify list of organization id's to query. Passed in=[]";
        return Err(Refusal::wrong(message));
    }
    let mut found = Vec::new();
    for id in &fields.organizations {
        found.extend(room.store.thing(Kind::Organization, id).await?);
    }
    Ok(Json(rows(&room, &found).await?))
}
