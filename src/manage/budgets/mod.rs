//! `/budget/*`: bounds that several others may share.
mod fields;
mod routes;

pub(super) use self::fields::{BudgetFields, change_budget, make, there};

serves! {
    POST "/budget/new" => routes::new,
    POST "/budget/update" => routes::update,
    POST "/budget/info" => routes::info,
    GET "/budget/list" => routes::list,
    GET "/budget/settings" => routes::settings,
    POST "/budget/delete" => routes::delete,
}
