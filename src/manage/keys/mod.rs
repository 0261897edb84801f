//! `/key/*`: virtual keys.
//!
//! A key is made, changed and shown by the routes here, each in a file of its own. What a request
//! makes of a key's document is in `written`; who may do that, in `rights`; and that a key made by
//! another one never exceeds it, in `confined` and `within`.
mod aliases;
mod block;
mod confined;
mod delete;
mod fields;
mod generate;
mod health;
mod info;
mod issue;
mod list;
mod making;
mod regenerate;
mod rights;
mod row;
mod spend;
mod text;
mod update;
mod within;
mod written;

pub(super) use self::issue::{expires, issue};

use super::Refusal;

serves! {
    POST "/key/generate" => generate::generate,
    POST "/key/service-account/generate" => generate::service,
    GET "/key/info" => info::info,
    POST "/v2/key/info" => info::several,
    POST "/key/update" => update::update,
    POST "/key/bulk_update" => update::bulk,
    POST "/key/delete" => delete::delete,
    POST "/key/block" => block::block,
    POST "/key/unblock" => block::unblock,
    POST "/key/regenerate" => regenerate::regenerate,
    GET "/key/list" => list::list,
    GET "/key/aliases" => aliases::aliases,
    POST "/key/health" => health::health,
    ;
    // The text of a key, which may hold slashes, and then what is done to it.
    POST "/key/{*rest}" => regenerate::of_path,
}

/// No key has that text or that digest.
fn unknown() -> Refusal {
    Refusal::not_found("Key not found in database").param("key")
}
