//! `/user/update`.
use super::email::is_taken;
use super::fields::UserFields;
use super::row::USERS;
use crate::manage::bounds::{check_bounds, check_id, merge};
use crate::manage::settled::{Spend, settle};
use crate::manage::teams::user_with_email;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind, Thing};
use axum::Json;
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde_json::Value;

/// Changes a user, who is named by its id or its address; one that is named by an id and is not
/// there yet is made. `null` takes a bound away; `spend` is what counts as spent from now on.
#[utoipa::path(
    post,
    path = "/user/update",
    request_body = UserFields,
    responses(
        (status = 200, description = "`{user_id, data}`"),
        (status = 404, description = "No user has that address"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<UserFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/user/update")?;
    let mut change = room.store.change(who.actor()).await?;
    let user = changed(&room, &mut change, &who, &asked).await?;
    room.commit(change).await?;
    let mut answer = Doc::new();
    answer.insert("user_id".to_owned(), user.id.as_str().into());
    answer.insert("data".to_owned(), room.row(&USERS, &user).await?.into());
    Ok(Json(answer))
}

/// Changes one user as a part of `change`.
pub(super) async fn changed(
    room: &Manage,
    change: &mut Change,
    who: &Who,
    asked: &Asked<UserFields>,
) -> Result<Thing, Refusal> {
    asked.fields.check()?;
    let Spend { spend } = asked.also()?;
    let user = named(change, who, &asked.fields).await?;
    let mut said = asked.said();
    check_bounds(&said).map_err(|error| failed(StatusCode::BAD_REQUEST, &error))?;
    if let Some(email) = asked.fields.user_email.as_deref().filter(|email| !email.is_empty())
        && is_taken(change, email, &user.id).await?
    {
        let message = format!("User with email {email} already exists");
        return Err(failed(StatusCode::CONFLICT, &message));
    }
    // A user without a role would be one who may nothing.
    if said.get("user_role").is_some_and(Value::is_null) {
        said.remove("user_role");
    }
    let mut doc = user.doc.clone();
    merge(&mut doc, said);
    if asked.fields.user_role.as_deref() == Some("internal_user") {
        room.issuing.users.bound(&mut doc);
    }
    who.signs(&mut doc);
    let after = change.update(&user, doc).await?;
    settle(change, (Scope::User, &after), Some(&user.doc), spend).await?;
    Ok(after)
}

fn failed(status: StatusCode, error: &str) -> Refusal {
    Refusal::python(status, "auth_error", "error", error)
}

/// The user that a request names.
async fn named(change: &mut Change, who: &Who, fields: &UserFields) -> Result<Thing, Refusal> {
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (user, name) = match (told(&fields.user_id), told(&fields.user_email)) {
        (Some(id), _) => (change.work().thing(Kind::User, &id).await?, format!("user_id={id}")),
        (None, Some(email)) => {
            (user_with_email(change, &email).await?, format!("user_email={email}"))
        }
        (None, None) => {
            let message = "Either user id or user email must be provided";
            return Err(Refusal::invalid(&["body"], message));
        }
    };
    match (user, told(&fields.user_id)) {
        (Some(user), _) => Ok(user),
        // LiteLLM makes a user that is changed before it was made.
        (None, Some(id)) => {
            check_id("user_id", &id).map_err(|error| failed(StatusCode::BAD_REQUEST, &error))?;
            let mut doc = Doc::new();
            doc.insert("user_role".to_owned(), "internal_user".into());
            who.signs_new(&mut doc);
            Ok(change.insert(Kind::User, id, doc).await?)
        }
        (None, None) => {
            Err(failed(StatusCode::NOT_FOUND, &format!("User not found, passed {name}")))
        }
    }
}
