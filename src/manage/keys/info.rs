//! `/key/info` and `/v2/key/info`.
use super::rights::sees;
use super::text::id_of;
use super::unknown;
use crate::manage::{Asked, Query, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Keys that are told of by one request at most.
const MOST: usize = 500;

/// Which key is meant: the one that asks, if none is named.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Which {
    key: Option<String>,
}

/// Tells everything about a key but its text.
#[utoipa::path(
    get,
    path = "/key/info",
    params(Which),
    responses((status = 200, description = "The key and all its fields"))
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(which): Query<Which>,
) -> Result<Json<Value>, Refusal> {
    let told = which.key.unwrap_or_else(|| who.0.key.to_string());
    let key = room.store.thing(Kind::Key, &id_of(&told)).await?.ok_or_else(unknown)?;
    if !sees(&room.store, &who, &key).await? {
        let role = who.role().name().unwrap_or("unknown");
        let message = format!("You are not allowed to access this key's info. Your role={role}");
        return Err(Refusal::forbidden(message));
    }
    let row = without_token(room.key_row(&key).await?);
    Ok(Json(json!({"key": told, "info": row})))
}

/// The keys that are asked about, by their texts or digests.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Several {
    keys: Vec<String>,
}

/// Tells everything about several keys. Those that there are not, and those of others, are left
/// out.
#[utoipa::path(
    post,
    path = "/v2/key/info",
    request_body = Several,
    responses((status = 200, description = "The keys and all their fields"))
)]
pub(super) async fn several(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Several>,
) -> Result<Json<Value>, Refusal> {
    if fields.keys.is_empty() || fields.keys.len() > MOST {
        let message = format!("List should have from 1 to {MOST} keys");
        return Err(Refusal::invalid(&["body", "keys"], &message));
    }
    let mut seen = Vec::new();
    for told in &fields.keys {
        let key = room.store.thing(Kind::Key, &id_of(told)).await?;
        if let Some(key) = key
            && sees(&room.store, &who, &key).await?
        {
            seen.push(key);
        }
    }
    let rows: Vec<_> = room.key_rows(&seen).await?.into_iter().map(without_token).collect();
    Ok(Json(json!({"key": fields.keys, "info": rows})))
}

fn without_token(mut row: Doc) -> Doc {
    row.shift_remove("token");
    row
}
