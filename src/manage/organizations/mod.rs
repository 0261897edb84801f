//! `/organization/*`: teams that share models and a budget.
mod fields;
mod members;
mod routes;
mod row;

pub(super) use self::fields::{bound, check_within, is_admin};
pub(super) use self::members::enrol;

serves! {
    POST "/organization/new" => routes::new,
    PATCH "/organization/update" => routes::update,
    DELETE "/organization/delete" => routes::delete,
    GET "/organization/list" => routes::list,
    GET "/organization/info" => routes::info,
    POST "/organization/info" => routes::infos,
    POST "/organization/member_add" => members::add,
    PATCH "/organization/member_update" => members::update,
    DELETE "/organization/member_delete" => members::delete,
}
