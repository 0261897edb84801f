//! `/user/delete`.
use crate::manage::gone::{remove, remove_all, remove_member};
use crate::manage::teams::strike;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Filter, Kind};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which users.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Users {
    /// Their ids.
    user_ids: Vec<String>,
}

/// Takes users away, with their keys and their places in teams and organisations.
#[utoipa::path(
    post,
    path = "/user/delete",
    request_body = Users,
    responses(
        (status = 200, description = "How many"),
        (status = 404, description = "One is not there; then all stay"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Users>,
) -> Result<Json<u64>, Refusal> {
    who.admin("/user/delete")?;
    let mut change = room.store.change(who.actor()).await?;
    let mut count = 0;
    for id in &fields.user_ids {
        take(&mut change, id).await?;
        count += 1;
    }
    room.commit(change).await?;
    Ok(Json(count))
}

async fn take(change: &mut Change, id: &str) -> Result<(), Refusal> {
    if change.work().thing(Kind::User, id).await?.is_none() {
        let message = format!("User not found, passed user_id={id}");
        return Err(Refusal::because(StatusCode::NOT_FOUND, message));
    }
    let filter = Filter { user: Some(id.to_owned()), ..Filter::default() };
    for membership in change.work().things(Kind::TeamMember, &filter).await? {
        let team = membership.text("team_id").unwrap_or_default();
        let Some(team) = change.work().thing(Kind::Team, team).await? else { continue };
        let mut doc = team.doc.clone();
        strike(&mut doc, id);
        let team = change.update(&team, doc).await?;
        remove_member(change, &team, id).await?;
    }
    remove_all(change, Kind::OrganizationMember, &filter).await?;
    remove_all(change, Kind::Key, &filter).await?;
    remove(change, Kind::User, id).await?;
    Ok(())
}
