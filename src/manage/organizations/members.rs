//! `/organization/member_*`.
use super::fields::{bound, managed};
use super::row::places;
use crate::manage::gone::remove;
use crate::manage::teams::{Member, Rank, known, user_of};
use crate::manage::users::user_rows;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind, Thing, member_id};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

const ROLES: [&str; 3] = ["org_admin", "internal_user", "internal_user_viewer"];

/// Who joins which organisation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Addition {
    /// The organisation's id.
    organization_id: String,
    /// One member, or several.
    member: OneOrMore,
    /// US dollars that each may spend there: kept, and without effect.
    #[serde(default)]
    max_budget_in_organization: Option<f64>,
}

/// A member as requests name one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct Newcomer {
    /// The user's id.
    #[serde(default)]
    user_id: Option<String>,
    /// The user's address.
    #[serde(default)]
    user_email: Option<String>,
    /// `org_admin`, `internal_user` or `internal_user_viewer`.
    role: String,
}

/// One member, or several.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum OneOrMore {
    One(Newcomer),
    More(Vec<Newcomer>),
}

/// Lets members into an organisation. Users whom nobody knows are made.
#[utoipa::path(
    post,
    path = "/organization/member_add",
    request_body = Addition,
    responses(
        (
            status = 200,
            description = "`{organization_id, updated_users, updated_organization_memberships}`"
        ),
        (status = 401, description = "The caller is no admin of it"),
        (status = 404, description = "There is no such organisation"),
    )
)]
pub(super) async fn add(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Addition>,
) -> Result<Json<Value>, Refusal> {
    let newcomers = match fields.member {
        OneOrMore::One(newcomer) => vec![newcomer],
        OneOrMore::More(newcomers) => newcomers,
    };
    let mut change = room.store.change(who.actor()).await?;
    let id = &fields.organization_id;
    managed(&mut change, &who, id, "/organization/member_add").await?;
    let (mut users, mut found) = (Vec::new(), Vec::new());
    for Newcomer { user_id, user_email, role } in newcomers {
        check_role(&role)?;
        let member = Member { user_id, user_email, role: Rank::User };
        let user = user_of(&mut change, &who, &member).await?;
        let budget = fields.max_budget_in_organization;
        found.push(enrol(&mut change, &who, id, &user.id, &role, budget).await?);
        users.push(user);
    }
    room.commit(change).await?;
    Ok(Json(json!({
        "organization_id": id,
        "updated_users": user_rows(&room, &who, &users).await?,
        "updated_organization_memberships": places(&room, &found).await?
    })))
}

fn check_role(role: &str) -> Result<(), Refusal> {
    if ROLES.contains(&role) {
        return Ok(());
    }
    let message = format!("Invalid role. Must be one of: {}", ROLES.join(", "));
    Err(Refusal::invalid(&["body", "role"], &message))
}

/// Lets a user into an organisation.
///
/// # Errors
///
/// If there is no such organisation, or the user is in it already.
pub(in crate::manage) async fn enrol(
    change: &mut Change,
    who: &Who,
    organization: &str,
    user: &str,
    role: &str,
    budget: Option<f64>,
) -> Result<Thing, Refusal> {
    super::fields::there(change, organization).await?;
    let id = member_id(organization, user);
    if change.work().thing(Kind::OrganizationMember, &id).await?.is_some() {
        let message = format!("User={user} is already a member of organization={organization}");
        return Err(Refusal::wrong(message));
    }
    let mut doc = Doc::new();
    doc.insert("organization_id".to_owned(), organization.into());
    doc.insert("user_id".to_owned(), user.into());
    doc.insert("user_role".to_owned(), role.into());
    let bounds = budget.map(|max| ("max_budget".to_owned(), max.into())).into_iter().collect();
    if let Some(budget) = bound(change, who, None, bounds).await? {
        doc.insert("budget_id".to_owned(), budget.into());
    }
    Ok(change.insert(Kind::OrganizationMember, id, doc).await?)
}

/// Which member of which organisation, and what becomes of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Whom {
    /// The organisation's id.
    organization_id: String,
    /// The user's id.
    #[serde(default)]
    user_id: Option<String>,
    /// The user's address.
    #[serde(default)]
    user_email: Option<String>,
    /// `org_admin`, `internal_user` or `internal_user_viewer`.
    #[serde(default)]
    role: Option<String>,
    /// US dollars that it may spend there: kept, and without effect.
    #[serde(default)]
    max_budget_in_organization: Option<f64>,
}

/// Changes what a member may do in an organisation.
#[utoipa::path(
    patch,
    path = "/organization/member_update",
    request_body = Whom,
    responses(
        (status = 200, description = "The membership"),
        (status = 401, description = "The caller is no admin of the organisation"),
        (status = 404, description = "There is no such organisation or member"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    Asked { fields, doc }: Asked<Whom>,
) -> Result<Json<Doc>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let id = &fields.organization_id;
    managed(&mut change, &who, id, "/organization/member_update").await?;
    let place = member(&mut change, &fields).await?;
    let mut after = place.doc.clone();
    if let Some(role) = &fields.role {
        check_role(role)?;
        after.insert("user_role".to_owned(), role.as_str().into());
    }
    if doc.contains_key("max_budget_in_organization") {
        let max = json!(fields.max_budget_in_organization);
        let bounds = [("max_budget".to_owned(), max)].into_iter().collect();
        if let Some(budget) = bound(&mut change, &who, place.text("budget_id"), bounds).await? {
            after.insert("budget_id".to_owned(), budget.into());
        }
    }
    let place = change.update(&place, after).await?;
    room.commit(change).await?;
    Ok(Json(places(&room, &[place]).await?.into_iter().next().unwrap_or_default()))
}

/// Takes a member out of an organisation.
#[utoipa::path(
    delete,
    path = "/organization/member_delete",
    request_body = Whom,
    responses(
        (status = 200, description = "The membership"),
        (status = 401, description = "The caller is no admin of the organisation"),
        (status = 404, description = "There is no such organisation or member"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Whom>,
) -> Result<Json<Doc>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let id = &fields.organization_id;
    managed(&mut change, &who, id, "/organization/member_delete").await?;
    let place = member(&mut change, &fields).await?;
    remove(&mut change, Kind::OrganizationMember, &place.id).await?;
    if let Some(budget) = place.text("budget_id") {
        remove(&mut change, Kind::Budget, budget).await?;
    }
    room.commit(change).await?;
    Ok(Json(places(&room, &[place]).await?.into_iter().next().unwrap_or_default()))
}

/// The place that a request means.
async fn member(change: &mut Change, whom: &Whom) -> Result<Thing, Refusal> {
    let (user_id, user_email) = (whom.user_id.clone(), whom.user_email.clone());
    let named = Member { user_id, user_email, role: Rank::User };
    let user = known(change, &named).await?;
    let place = match &user {
        Some(user) => {
            let id = member_id(&whom.organization_id, &user.id);
            change.work().thing(Kind::OrganizationMember, &id).await?
        }
        None => None,
    };
    place.ok_or_else(|| {
        let name = named.user_id.or(named.user_email).unwrap_or_default();
        let message = format!("Member not found in organization for user_id={name}");
        Refusal::because(StatusCode::NOT_FOUND, message)
    })
}
