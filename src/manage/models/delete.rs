//! `/model/delete`.
use super::kept::Entry;
use super::team;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::Kind;
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which model.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Which {
    /// Its id.
    id: Option<String>,
}

/// Takes a model away that was added at run time. Calls that are open go on.
#[utoipa::path(
    post,
    path = "/model/delete",
    request_body = Which,
    responses((status = 200, description = "`{message}`"))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Which>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/model/delete")?;
    room.keeps_models()?;
    let Some(id) = fields.id.filter(|id| !id.is_empty()) else {
        return Err(Refusal::invalid(&["body", "id"], "Field required"));
    };
    let mut change = room.store.change(who.actor()).await?;
    let Some(gone) = change.delete(Kind::Model, &id).await? else {
        return Err(room.unknown_model(&id));
    };
    if let Some(entry) = Entry::of(&gone, room.seal.as_ref()) {
        team::dismiss(&mut change, &entry).await?;
    }
    room.commit_models(change).await?;
    Ok(Json(json!({"message": format!("Model: {id} deleted successfully")})))
}
