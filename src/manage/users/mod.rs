//! `/user/*`: those who have keys.
mod bulk;
mod delete;
mod email;
mod fields;
mod info;
mod list;
mod new;
mod row;
mod update;

pub(super) use self::list::sort;
pub(super) use self::row::user_rows;

serves! {
    POST "/user/new" => new::new,
    GET "/user/info" => info::info,
    GET "/v2/user/info" => info::own_row,
    GET "/user/available_roles" => info::roles,
    POST "/user/update" => update::update,
    POST "/user/delete" => delete::delete,
    GET "/user/list" => list::list,
    POST "/user/bulk_update" => bulk::bulk,
}
