//! `/user/new`.
use super::email::is_taken;
use super::fields::{Joining, NewUser, UserFields};
use super::row::USERS;
use crate::config::NewUsers;
use crate::manage::bounds::{check_bounds, id_or_new, merge};
use crate::manage::keys::{expires, issue};
use crate::manage::organizations;
use crate::manage::teams::{Member, Rank, enlist, has, seat};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind, Thing};
use axum::Json;
use http::StatusCode;
use serde_json::{Value, json};

/// Makes a user, and a key of its own unless `auto_create_key` is false.
#[utoipa::path(
    post,
    path = "/user/new",
    request_body = UserFields,
    responses(
        (status = 200, description = "The user and its key, whose text is shown this once"),
        (status = 409, description = "There is one with this id or address"),
    )
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<UserFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/user/new")?;
    let more: NewUser = asked.also()?;
    let wrong = |error: String| Refusal::internal(StatusCode::BAD_REQUEST, error);
    let user = &asked.fields;
    user.check()?;
    let id = id_or_new("user_id", user.user_id.as_deref()).map_err(wrong)?;
    let mut doc = document(user, &room.issuing.users);
    check_bounds(&doc).map_err(wrong)?;
    let mut change = room.store.change(who.actor()).await?;
    free(&mut change, &id, user.user_email.as_deref()).await?;
    who.signs_new(&mut doc);
    change.insert(Kind::User, &id, doc).await?;
    let teams = teams(&more, &room.issuing.users);
    for team in &teams {
        join(&mut change, &who, &id, team).await?;
    }
    for organization in more.organizations.iter().flatten() {
        organizations::enrol(&mut change, &who, organization, &id, "internal_user", None).await?;
    }
    let key = match more.auto_create_key {
        Some(false) => None,
        _ => Some(own_key(&mut change, &who, &id, (user, &more)).await?),
    };
    let user = change.work().thing(Kind::User, &id).await?;
    room.commit(change).await?;
    let shown = match user {
        Some(user) => room.row(&USERS, &user).await?,
        None => Doc::new(),
    };
    let key = match key {
        Some((key, text)) => Some((room.key_row(&key).await?, text)),
        None => None,
    };
    Ok(Json(answer(shown, key)))
}

/// What is kept of it, with what the config gives to those of whom nothing else was said.
fn document(user: &UserFields, usual: &NewUsers) -> Doc {
    let mut doc = match serde_json::to_value(user) {
        Ok(Value::Object(doc)) => doc,
        _ => Doc::new(),
    };
    doc.retain(|_, value| !value.is_null());
    // Admins are none of those whom the config means.
    if user.user_role.as_deref() != Some("proxy_admin") {
        for (name, value) in &usual.params {
            let is_kept = !["teams", "available_teams"].contains(&name.as_str());
            if is_kept && !doc.contains_key(name) {
                doc.insert(name.clone(), value.clone());
            }
        }
    }
    doc.entry("user_role").or_insert_with(|| "internal_user".into());
    if doc.get("user_role").is_some_and(|role| role == "internal_user") {
        usual.bound(&mut doc);
    }
    doc
}

/// Refuses an id or an address that somebody else has.
async fn free(change: &mut Change, id: &str, email: Option<&str>) -> Result<(), Refusal> {
    let taken = |what: &str, value: &str| {
        let message = format!("User with {what} {value} already exists");
        Refusal::internal(StatusCode::CONFLICT, message)
    };
    if change.work().thing(Kind::User, id).await?.is_some() {
        return Err(taken("id", id));
    }
    match email.filter(|email| !email.is_empty()) {
        Some(email) if is_taken(change, email, id).await? => Err(taken("email", email)),
        _ => Ok(()),
    }
}

/// The teams that it joins.
fn teams(fields: &NewUser, usual: &NewUsers) -> Vec<Joining> {
    match (&fields.team_id, &fields.teams) {
        (Some(team), _) => vec![Joining::Id(team.clone())],
        (None, Some(teams)) => teams.clone(),
        (None, None) => {
            let teams = usual.params.get("teams").cloned().unwrap_or_default();
            serde_json::from_value(teams).unwrap_or_default()
        }
    }
}

async fn join(change: &mut Change, who: &Who, user: &str, team: &Joining) -> Result<(), Refusal> {
    let (id, role, budget) = match team {
        Joining::Id(id) => (id, Rank::User, None),
        Joining::As { team_id, user_role, max_budget_in_team } => {
            let is_admin = user_role.as_deref() == Some("admin");
            let rank = if is_admin { Rank::Admin } else { Rank::User };
            (team_id, rank, *max_budget_in_team)
        }
    };
    let Some(team) = change.work().thing(Kind::Team, id).await? else {
        let message = format!("Team not found for team_id={id}");
        return Err(Refusal::internal(StatusCode::NOT_FOUND, message));
    };
    if has(&team.doc, user, None) {
        return Ok(());
    }
    let member = Member { user_id: Some(user.to_owned()), user_email: None, role };
    let seat = seat(change, who, (id, &team.doc), &member, budget).await?;
    let mut doc = team.doc.clone();
    enlist(&mut doc, &[seat]);
    change.update(&team, doc).await?;
    Ok(())
}

/// The key that a new user gets: for its models, and for the team that it was made for.
async fn own_key(
    change: &mut Change,
    who: &Who,
    id: &str,
    (user, fields): (&UserFields, &NewUser),
) -> Result<(Thing, String), Refusal> {
    let said = json!({
        "user_id": id,
        "team_id": fields.team_id,
        "key_alias": fields.key_alias,
        "models": user.models,
        "aliases": fields.aliases,
        "config": fields.config,
        "permissions": fields.permissions,
        "metadata": user.metadata,
        "allowed_cache_controls": user.allowed_cache_controls,
    });
    let mut doc = Doc::new();
    if let Value::Object(said) = said {
        merge(&mut doc, said);
    }
    if let Some(duration) = &fields.duration {
        doc.insert("expires".to_owned(), expires(duration, change.now())?.into());
    }
    who.signs_new(&mut doc);
    issue(change, doc, None).await
}

/// The columns of the key, with those of the user over them.
fn answer(user: Doc, key: Option<(Doc, String)>) -> Doc {
    let (mut shown, text) = key.unwrap_or_default();
    let kept = shown.remove("team_id");
    shown.extend(user);
    shown.extend(kept.map(|team| ("team_id".to_owned(), team)));
    shown.insert("key".to_owned(), text.into());
    shown.insert("token".to_owned(), Value::Null);
    shown
}
