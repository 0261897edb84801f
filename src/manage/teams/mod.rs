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

use super::Refusal;
use crate::store::{Change, Kind, Thing};
use http::StatusCode;

serves! {
    POST "/team/new" => new::new,
    GET "/team/info" => info::info,
    GET "/team/list" => list::list,
    GET "/v2/team/list" => list::pages,
    GET "/team/available" => list::available,
    POST "/team/update" => update::update,
    POST "/team/block" => update::block,
    POST "/team/unblock" => update::unblock,
    POST "/team/model/add" => update::add_models,
    POST "/team/model/delete" => update::take_models,
    POST "/team/delete" => delete::delete,
    POST "/team/member_add" => member_add::add,
    POST "/team/bulk_member_add" => member_add::add_many,
    POST "/team/member_update" => member_edit::update,
    POST "/team/member_delete" => member_edit::delete,
    GET "/team/permissions_list" => permissions::list,
    POST "/team/permissions_update" => permissions::update,
}

/// The team with that id.
async fn team_of(change: &mut Change, id: &str) -> Result<Option<Thing>, Refusal> {
    Ok(change.work().thing(Kind::Team, id).await?)
}

/// There is no team with that id.
fn not_there(id: &str) -> Refusal {
    Refusal::because(StatusCode::NOT_FOUND, format!("Team not found, passed team_id={id}"))
}
