//! `/customer/block` and `/customer/unblock`.
use super::fields::rows;
use super::routes::Customers;
use crate::manage::bounds::check_id;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use serde_json::{Value, json};

/// Lets nobody call for these end users; those of whom nothing is known are noted.
#[utoipa::path(
    post,
    path = "/customer/block",
    request_body = Customers,
    responses((status = 200, description = "`{blocked_users}`"))
)]
pub(super) async fn block(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Customers>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/customer/block")?;
    let mut change = room.store.change(who.actor()).await?;
    let mut blocked = Vec::new();
    for id in &fields.user_ids {
        check_id("user_ids", id).map_err(Refusal::wrong)?;
        let known = change.work().thing(Kind::EndUser, id).await?;
        let mut doc = known.as_ref().map_or_else(Doc::new, |known| known.doc.clone());
        doc.insert("blocked".to_owned(), true.into());
        blocked.push(match known {
            Some(known) => change.update(&known, doc).await?,
            None => change.insert(Kind::EndUser, id, doc).await?,
        });
    }
    room.commit(change).await?;
    Ok(Json(json!({"blocked_users": rows(&room, &blocked).await?})))
}

/// Lets clients call for these end users again, and tells which of them are still blocked: none.
#[utoipa::path(
    post,
    path = "/customer/unblock",
    request_body = Customers,
    responses((status = 200, description = "`{blocked_users}`"))
)]
pub(super) async fn unblock(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Customers>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/customer/unblock")?;
    let mut change = room.store.change(who.actor()).await?;
    for id in &fields.user_ids {
        if let Some(known) = change.work().thing(Kind::EndUser, id).await? {
            let mut doc = known.doc.clone();
            doc.insert("blocked".to_owned(), false.into());
            change.update(&known, doc).await?;
        }
    }
    room.commit(change).await?;
    Ok(Json(json!({"blocked_users": []})))
}
