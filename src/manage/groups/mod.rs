//! `/access_group/*`: names for several models, which keys and teams may have in their lists.
mod routes;

serves! {
    POST "/access_group/new" => routes::new,
    GET "/access_group/list" => routes::list,
    GET "/access_group/info" => routes::info,
    GET "/access_group/{access_group}/info" => routes::info_of,
    POST "/access_group/update" => routes::update,
    PUT "/access_group/{access_group}/update" => routes::update_of,
    POST "/access_group/delete" => routes::delete,
    DELETE "/access_group/{access_group}/delete" => routes::delete_of,
}
