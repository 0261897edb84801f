//! `/receipts/{id}`: what a call has cost, and why.
use super::seen::Seen;
use crate::ledger::{Calls, Order, Part};
use crate::manage::{Refusal, Room, Who};
use axum::Json;
use axum::extract::Path;
use serde_json::Value;

/// The record of a call as it stands in the journal, with the hash of its line and of the line
/// before: its usage, the prices it was charged by, its attempts, who paid and what was held. The
/// hash is that of `previous` and the record without the last three members, as it was written.
#[utoipa::path(
    get,
    path = "/receipts/{id}",
    params(("id" = String, Path, description = "`x-bartizan-receipt` of the answer, or its id")),
    responses((status = 200, description = "The record of the call"))
)]
pub(super) async fn receipt(
    room: Room,
    who: Who,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    room.booked().await?;
    let calls = Calls { id: Some(id), ..Calls::default() };
    let part = Part { order: Order::Began, ascending: false, skip: 0, size: 10 };
    let seen = Seen::by(&who);
    let mut rows = calls.rows(&room.store, part).await?.into_iter();
    // To others it is as if it were not there.
    let found = rows.find(|booked| seen.sees(&booked.record));
    let booked = found.ok_or_else(|| Refusal::not_found("There is no receipt with this id."))?;
    let mut shown: Value = serde_json::from_str(&booked.text).unwrap_or_default();
    shown["spend_nano_usd"] = booked.spend.into();
    Ok(Json(shown))
}
