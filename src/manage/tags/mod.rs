//! `/tag/*`: words that calls bear, and what may be spent under them.
mod routes;

serves! {
    POST "/tag/new" => routes::new,
    POST "/tag/update" => routes::update,
    POST "/tag/info" => routes::info,
    GET "/tag/list" => routes::list,
    POST "/tag/delete" => routes::delete,
}
