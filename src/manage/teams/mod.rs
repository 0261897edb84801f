//! `/team/*`: users who share keys, models and budgets.
mod access;
mod delete;
mod fields;
mod info;
mod list;
mod member_add;
mod member_edit;
mod new;
mod permissions;
mod roster;
mod row;
mod shared;
mod update;

pub(super) use self::delete::take;
pub(super) use self::roster::{
    Member, Rank, enlist, has, known, seat, strike, user_of, user_with_email,
};
pub(super) use self::row::{TEAMS, with_memberships};

use super::{Manage, Refusal};
use crate::store::{Change, Kind, Thing};
use http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(new::new))
        .routes(routes!(info::info))
        .routes(routes!(list::list))
        .routes(routes!(list::pages))
        .routes(routes!(list::available))
        .routes(routes!(update::update))
        .routes(routes!(update::block))
        .routes(routes!(update::unblock))
        .routes(routes!(update::add_models))
        .routes(routes!(update::take_models))
        .routes(routes!(delete::delete))
        .routes(routes!(member_add::add))
        .routes(routes!(member_add::add_many))
        .routes(routes!(member_edit::update))
        .routes(routes!(member_edit::delete))
        .routes(routes!(permissions::list))
        .routes(routes!(permissions::update))
}

/// The team with that id.
async fn team_of(change: &mut Change, id: &str) -> Result<Option<Thing>, Refusal> {
    Ok(change.work().thing(Kind::Team, id).await?)
}

/// There is no team with that id.
fn not_there(id: &str) -> Refusal {
    Refusal::because(StatusCode::NOT_FOUND, format!("Team not found, passed team_id={id}"))
}
