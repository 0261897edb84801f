//! `/key/health`.
use super::unknown;
use crate::manage::{Refusal, Room, Who};
use crate::store::Kind;
use axum::Json;
use serde_json::{Value, json};

/// Whether what the asking key has set up for itself works: the callbacks in its metadata.
#[utoipa::path(
    post,
    path = "/key/health",
    responses((status = 200, description = "Whether all is well"))
)]
pub(super) async fn health(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    if who.caller().is_none() {
        return Ok(Json(json!({"key": "healthy", "logging_callbacks": null})));
    }
    let key = room.store.thing(Kind::Key, &who.0.key).await?.ok_or_else(unknown)?;
    let logging = key.doc.get("metadata").and_then(|metadata| metadata.get("logging"));
    let list = logging.and_then(Value::as_array).into_iter().flatten();
    let names: Vec<_> = list.filter_map(|one| one.get("callback_name")?.as_str()).collect();
    if names.is_empty() {
        return Ok(Json(json!({"key": "healthy", "logging_callbacks": null})));
    }
    Ok(Json(json!({
        "key": "unhealthy",
        "logging_callbacks": {
            "callbacks": names,
            "status": "unhealthy",
            "details": "Callbacks of single keys are not in this version: they are told of no \
                        call. Set callbacks in the config.",
        },
    })))
}
