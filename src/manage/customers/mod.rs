//! `/customer/*`, which older clients call `/end_user/*`: those for whom clients say they call.
mod block;
mod fields;
mod routes;

serves! {
    POST "/customer/new" => routes::new,
    GET "/customer/info" => routes::info,
    POST "/customer/update" => routes::update,
    POST "/customer/delete" => routes::delete,
    GET "/customer/list" => routes::list,
    POST "/customer/block" => block::block,
    POST "/customer/unblock" => block::unblock,
    ;
    POST "/end_user/new" => routes::new,
    GET "/end_user/info" => routes::info,
    POST "/end_user/update" => routes::update,
    POST "/end_user/delete" => routes::delete,
    GET "/end_user/list" => routes::list,
    POST "/end_user/block" => block::block,
    POST "/end_user/unblock" => block::unblock,
}
