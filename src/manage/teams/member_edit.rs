//! `/team/member_update` and `/team/member_delete`.
use super::member_add::reached;
use super::roster::{Rank, has, members, new_budget, strike};
use super::row::team_row;
use crate::manage::bounds::{check_bounds, merge};
use crate::manage::gone::{remove_member, shared_budget};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind, Thing, member_id};
use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which member of which team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Whom {
    /// The team's id.
    team_id: String,
    /// The user's id.
    #[serde(default)]
    user_id: Option<String>,
    /// The user's address.
    #[serde(default)]
    user_email: Option<String>,
}

/// What becomes of a member.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct Place {
    /// US dollars that it may spend in this team.
    max_budget_in_team: Option<f64>,
    /// Tokens in a minute.
    tpm_limit: Option<i64>,
    /// Calls in a minute.
    rpm_limit: Option<i64>,
    /// `admin` or `user`.
    #[serde(skip_serializing)]
    role: Option<Rank>,
}

/// Changes what a member may do and spend in a team. `null` takes a bound away.
#[utoipa::path(
    post,
    path = "/team/member_update",
    request_body = Place,
    responses(
        (status = 200, description = "`{team_id, user_id, user_email, max_budget_in_team, …}`"),
        (status = 400, description = "It is no member"),
        (status = 403, description = "The caller is no admin of the team"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<Place>,
) -> Result<Json<Value>, Refusal> {
    let whom: Whom = asked.also()?;
    let mut change = room.store.change(who.actor()).await?;
    let team = reached(&mut change, &who, &whom.team_id, "/team/member_update").await?;
    let Some(user) = member(&team, &whom)? else {
        let name = whom.user_id.or(whom.user_email).unwrap_or_default();
        return Err(Refusal::wrong(format!("User id doesn't exist in team table. User={name}")));
    };
    let said = asked.said();
    check_bounds(&said).map_err(Refusal::wrong)?;
    let bounds: Doc = said
        .into_iter()
        .map(|(name, value)| match name.as_str() {
            "max_budget_in_team" => ("max_budget".to_owned(), value),
            _ => (name, value),
        })
        .collect();
    let bounds = bound(&mut change, &who, (&team, &user), bounds).await?;
    if let Some(rank) = asked.fields.role {
        rise(&mut change, &team, &user, rank).await?;
    }
    room.commit(change).await?;
    let told = |name: &str| bounds.get(name).cloned().unwrap_or_default();
    Ok(Json(json!({
        "team_id": team.id, "user_id": user, "user_email": whom.user_email,
        "max_budget_in_team": told("max_budget"), "tpm_limit": told("tpm_limit"),
        "rpm_limit": told("rpm_limit")
    })))
}

/// The id of the member that a request means.
fn member(team: &Thing, whom: &Whom) -> Result<Option<String>, Refusal> {
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (told(&whom.user_id), told(&whom.user_email)) {
        (Some(id), _) => Ok(Some(id).filter(|id| has(&team.doc, id, None))),
        (None, Some(email)) => {
            let own = |member: &&Value| member["user_email"] == email.as_str();
            let found = members(&team.doc).iter().find(own);
            Ok(found.and_then(|member| member["user_id"].as_str()).map(str::to_owned))
        }
        (None, None) => Err(Refusal::wrong("Either user_id or user_email needs to be passed in")),
    }
}

/// Bounds a member: in its own budget, which is made where it has none. Tells what holds then.
async fn bound(
    change: &mut Change,
    who: &Who,
    (team, user): (&Thing, &str),
    bounds: Doc,
) -> Result<Doc, Refusal> {
    let id = member_id(&team.id, user);
    let Some(place) = change.work().thing(Kind::TeamMember, &id).await? else {
        return Ok(Doc::new());
    };
    let own = place.text("budget_id");
    let budget = match own {
        Some(budget) => change.work().thing(Kind::Budget, budget).await?,
        None => None,
    };
    let mut doc = budget.as_ref().map_or_else(Doc::new, |budget| budget.doc.clone());
    if bounds.is_empty() {
        return Ok(doc);
    }
    merge(&mut doc, bounds);
    match budget.filter(|budget| Some(budget.id.as_str()) != shared_budget(&team.doc)) {
        Some(budget) => {
            who.signs(&mut doc);
            change.update(&budget, doc.clone()).await?;
        }
        // What all members share stays as it is: this one gets a copy of its own.
        None => {
            let budget = new_budget(change, who, doc.clone().into()).await?;
            let mut own = place.doc.clone();
            own.insert("budget_id".to_owned(), budget.into());
            change.update(&place, own).await?;
        }
    }
    Ok(doc)
}

/// Gives a member another rank.
async fn rise(change: &mut Change, team: &Thing, user: &str, rank: Rank) -> Result<(), Refusal> {
    let mut doc = team.doc.clone();
    if let Some(Value::Array(list)) = doc.get_mut("members_with_roles") {
        for member in list.iter_mut().filter(|member| member["user_id"] == user) {
            member["role"] = json!(rank);
        }
    }
    change.update(team, doc).await?;
    Ok(())
}

/// Takes a member out of a team. Its keys of that team go with it.
#[utoipa::path(
    post,
    path = "/team/member_delete",
    request_body = Whom,
    responses(
        (status = 200, description = "The team"),
        (status = 400, description = "It is no member"),
        (status = 403, description = "The caller is no admin of the team"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Whom>,
) -> Result<Json<Doc>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let team = reached(&mut change, &who, &fields.team_id, "/team/member_delete").await?;
    let Some(user) = member(&team, &fields)? else {
        return Err(Refusal::wrong("User not found in team"));
    };
    let mut doc = team.doc.clone();
    strike(&mut doc, &user);
    let team = change.update(&team, doc).await?;
    remove_member(&mut change, &team, &user).await?;
    room.commit(change).await?;
    Ok(Json(team_row(&room, &team).await?))
}
