//! `/model/update` and `/model/{model_id}/update`.
use super::kept::{Entry, object};
use super::new::Fields;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use axum::extract::Path;
use serde_json::Value;

/// Changes a model. What is not said stays, and `null` takes a parameter away.
#[utoipa::path(
    post,
    path = "/model/update",
    request_body = Fields,
    responses((status = 200, description = "The model, its credentials hidden"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Fields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/model/update")?;
    let info = object("model_info", fields.model_info.as_ref())?;
    let own = info.get("id").filter(|id| !id.is_null());
    let own = own.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let Some(id) = own.or_else(|| fields.id.clone()) else {
        return Err(Refusal::invalid(&["body", "model_info", "id"], "Field required"));
    };
    changed(&room, &who, &id, fields).await.map(Json)
}

/// The same of the model in the path.
#[utoipa::path(
    patch,
    path = "/model/{model_id}/update",
    params(("model_id" = String, Path, description = "Its id")),
    request_body = Fields,
    responses((status = 200, description = "The model, its credentials hidden"))
)]
pub(super) async fn patch(
    room: Room,
    who: Who,
    Path(id): Path<String>,
    Asked { fields, .. }: Asked<Fields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/model/update")?;
    changed(&room, &who, &id, fields).await.map(Json)
}

async fn changed(room: &Manage, who: &Who, id: &str, fields: Fields) -> Result<Value, Refusal> {
    room.keeps_models()?;
    let mut change = room.store.change(who.actor()).await?;
    let Some(before) = change.work().thing(Kind::Model, id).await? else {
        return Err(room.unknown_model(id));
    };
    let Some(mut entry) = Entry::of(&before, room.seal.as_ref()) else {
        let message = "Its parameters were sealed with another LITELLM_SALT_KEY. Delete it, and add \
            it again.";
        return Err(Refusal::bad_request(message));
    };
    let is_of_team = entry.info.contains_key("team_id");
    if let Some(name) = fields.model_name.filter(|name| !name.trim().is_empty() && !is_of_team) {
        entry.name = name;
    }
    merge(&mut entry.params, object("litellm_params", fields.litellm_params.as_ref())?);
    let mut info = object("model_info", fields.model_info.as_ref())?;
    // Whose it is, its making says.
    for own in ["id", "team_id", "team_public_model_name", "db_model"] {
        info.remove(own);
    }
    merge(&mut entry.info, info);
    let mut doc = before.doc.clone();
    entry.write(room, id, &mut doc)?;
    who.signs(&mut doc);
    let model = change.update(&before, doc).await?;
    room.commit_models(change).await?;
    Ok(entry.row(&model))
}

fn merge(all: &mut Doc, said: Doc) {
    for (name, value) in said {
        // What an answer shows of a secret is none.
        match value {
            Value::Null => drop(all.remove(&name)),
            Value::String(text) if text == "*****" => {}
            value => drop(all.insert(name, value)),
        }
    }
}

impl Manage {
    /// Nothing was added with that id.
    pub(super) fn unknown_model(&self, id: &str) -> Refusal {
        if self.configures(id) {
            let message = format!("The model {id} is one of the config: change it there.");
            return Refusal::wrong(message);
        }
        Refusal::wrong(format!("Model with id={id} not found in db"))
    }
}
