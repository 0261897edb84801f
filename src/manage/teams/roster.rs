//! Who is in a team.
use crate::manage::bounds::{fresh_id, id_or_new};
use crate::manage::gone::shared_budget;
use crate::manage::{Refusal, Who};
use crate::store::{Change, Doc, Filter, Kind, Thing, member_id};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What a member may do in its team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::manage) enum Rank {
    /// Manage its members and keys.
    Admin,
    /// Use it.
    User,
}

/// A member as requests name one: by its id, its address, or both.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub(in crate::manage) struct Member {
    /// The user's id.
    #[serde(default)]
    pub(in crate::manage) user_id: Option<String>,
    /// The user's address.
    #[serde(default)]
    pub(in crate::manage) user_email: Option<String>,
    /// What it may do in the team.
    pub(in crate::manage) role: Rank,
}

/// A member that has been let in.
#[derive(Debug)]
pub(in crate::manage) struct Seat {
    /// How the team's list has it.
    pub(in crate::manage) entry: Value,
    /// The user, who may be new.
    pub(in crate::manage) user: Thing,
    /// The user in the team.
    pub(in crate::manage) membership: Thing,
}

/// The members of a team as its document has them.
pub(in crate::manage) fn members(team: &Doc) -> &[Value] {
    team.get("members_with_roles").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a user stands in the team's list; with `rank`, as one of that rank.
pub(in crate::manage) fn has(team: &Doc, user: &str, rank: Option<Rank>) -> bool {
    let rank = rank.map(|rank| if rank == Rank::Admin { "admin" } else { "user" });
    members(team)
        .iter()
        .any(|member| member["user_id"] == user && rank.is_none_or(|rank| member["role"] == rank))
}

/// Puts members into the team's list.
pub(in crate::manage) fn enlist(team: &mut Doc, seats: &[Seat]) {
    let list = team.entry("members_with_roles").or_insert_with(|| json!([]));
    if let Value::Array(list) = list {
        list.extend(seats.iter().map(|seat| seat.entry.clone()));
    }
}

/// Lets a user into a team: makes the user if there is none, and notes the team there. `budget` is
/// what it may spend in the team; without one it has what all members have.
///
/// # Errors
///
/// If the user is not named well, or the store fails.
pub(in crate::manage) async fn seat(
    change: &mut Change,
    who: &Who,
    team: (&str, &Doc),
    member: &Member,
    budget: Option<f64>,
) -> Result<Seat, Refusal> {
    let (team, team_doc) = team;
    let user = user_of(change, who, member).await?;
    let user = with_team(change, &user, team).await?;
    let budget = match budget {
        Some(max) => Some(new_budget(change, who, json!({"max_budget": max})).await?),
        None => shared_budget(team_doc).map(str::to_owned),
    };
    let mut doc = Doc::new();
    doc.insert("team_id".to_owned(), team.into());
    doc.insert("user_id".to_owned(), user.id.as_str().into());
    doc.extend(budget.map(|id| ("budget_id".to_owned(), id.into())));
    let membership = change.insert(Kind::TeamMember, member_id(team, &user.id), doc).await?;
    // Who names a user by its id does not learn the address thereby.
    let own = user.text("user_email").filter(|_| who.role().sees_all());
    let email = told(&member.user_email).or(own);
    let entry = json!({"user_id": user.id, "user_email": email, "role": member.role});
    Ok(Seat { entry, user, membership })
}

async fn with_team(change: &mut Change, user: &Thing, team: &str) -> Result<Thing, Refusal> {
    let mut doc = user.doc.clone();
    let teams = doc.entry("teams").or_insert_with(|| json!([]));
    if let Value::Array(teams) = teams
        && !teams.iter().any(|id| *id == team)
    {
        teams.push(team.into());
    }
    Ok(change.update(user, doc).await?)
}

/// Makes a budget for one, and tells its id.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn new_budget(
    change: &mut Change,
    who: &Who,
    bounds: Value,
) -> Result<String, Refusal> {
    let mut doc = match bounds {
        Value::Object(doc) => doc,
        _ => Doc::new(),
    };
    doc.retain(|_, value| !value.is_null());
    who.signs_new(&mut doc);
    Ok(change.insert(Kind::Budget, fresh_id(), doc).await?.id)
}

/// The user that a member is, if there is one.
///
/// # Errors
///
/// If it is not named, or several have its address.
pub(in crate::manage) async fn known(
    change: &mut Change,
    member: &Member,
) -> Result<Option<Thing>, Refusal> {
    match (told(&member.user_id), told(&member.user_email)) {
        (Some(id), _) => Ok(change.work().thing(Kind::User, id).await?),
        (None, Some(email)) => user_with_email(change, email).await,
        (None, None) => {
            let message = "Either user id or user email must be provided";
            Err(Refusal::invalid(&["body", "member"], message))
        }
    }
}

fn told(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The user that a member is; one that nobody knows is made.
pub(in crate::manage) async fn user_of(
    change: &mut Change,
    who: &Who,
    member: &Member,
) -> Result<Thing, Refusal> {
    if let Some(known) = known(change, member).await? {
        return Ok(known);
    }
    let id = id_or_new("user_id", told(&member.user_id)).map_err(Refusal::wrong)?;
    let mut doc = Doc::new();
    if let Some(email) = told(&member.user_email) {
        doc.insert("user_email".to_owned(), email.into());
    }
    doc.insert("user_role".to_owned(), "internal_user".into());
    who.signs_new(&mut doc);
    Ok(change.insert(Kind::User, id, doc).await?)
}

/// The one user with that address, whatever its case.
///
/// # Errors
///
/// If several have it.
pub(in crate::manage) async fn user_with_email(
    change: &mut Change,
    email: &str,
) -> Result<Option<Thing>, Refusal> {
    let filter = Filter { alias_has: Some(email.to_owned()), ..Filter::default() };
    let mut users = change.work().things(Kind::User, &filter).await?;
    users.retain(|user| {
        user.text("user_email").is_some_and(|own| own.to_lowercase() == email.to_lowercase())
    });
    if users.len() > 1 {
        let message = "Multiple users with this email found in db. Please use 'user_id' instead.";
        return Err(Refusal::because(StatusCode::BAD_REQUEST, message));
    }
    Ok(users.pop())
}

/// Takes a user out of the team's list, and tells whether it stood there.
pub(in crate::manage) fn strike(team: &mut Doc, user: &str) -> bool {
    let Some(Value::Array(list)) = team.get_mut("members_with_roles") else { return false };
    let before = list.len();
    list.retain(|member| member["user_id"] != user);
    list.len() < before
}
