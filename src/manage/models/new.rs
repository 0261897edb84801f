//! `/model/new`.
use super::kept::{Entry, object};
use super::team;
use crate::manage::bounds::{check_id, fresh_id};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A model, as an entry of `model_list`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Fields {
    /// What clients ask for.
    pub(super) model_name: Option<String>,
    /// The provider's model, its address and its credential.
    pub(super) litellm_params: Option<Value>,
    /// Which one, where that is asked; `model_info.id` says the same.
    pub(super) id: Option<String>,
    /// Its id, prices, and what else is known of it; `team_id` gives it to a team.
    pub(super) model_info: Option<Value>,
}

/// Adds a model. It is in force when this is answered, on other instances within seconds.
#[utoipa::path(
    post,
    path = "/model/new",
    request_body = Fields,
    responses((status = 200, description = "The model, its credentials hidden"))
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Fields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/model/new")?;
    room.keeps_models()?;
    let Some(name) = fields.model_name.filter(|name| !name.trim().is_empty()) else {
        return Err(Refusal::invalid(&["body", "model_name"], "Field required"));
    };
    check_id("model_name", &name).map_err(Refusal::wrong)?;
    let params = object("litellm_params", fields.litellm_params.as_ref())?;
    if params.get("model").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(Refusal::invalid(&["body", "litellm_params", "model"], "Field required"));
    }
    let mut info = object("model_info", fields.model_info.as_ref())?;
    let id = match info.get("id") {
        None | Some(Value::Null) => fresh_id(),
        Some(Value::String(id)) => id.clone(),
        Some(id) => id.to_string(),
    };
    check_id("model_info.id", &id).map_err(Refusal::wrong)?;
    info.insert("id".to_owned(), id.as_str().into());
    let mut entry = Entry { name, params, info };
    let mut change = room.store.change(who.actor()).await?;
    if room.configures(&id) || change.work().thing(Kind::Model, &id).await?.is_some() {
        let message = format!("A model with the id {id} exists already.");
        return Err(Refusal::because(StatusCode::CONFLICT, message));
    }
    team::admit(&mut change, &mut entry, &id).await?;
    let mut doc = Doc::new();
    entry.write(&room, &id, &mut doc)?;
    who.signs_new(&mut doc);
    let model = change.insert(Kind::Model, id, doc).await?;
    room.commit_models(change).await?;
    Ok(Json(entry.row(&model)))
}
