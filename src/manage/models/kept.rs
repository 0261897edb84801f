//! How a model is kept, and what is shown of it.
use crate::clock;
use crate::config::check_model;
use crate::manage::{Manage, Refusal};
use crate::store::{Change, Doc, Seal, Thing};
use serde_json::{Map, Value, json};

/// The field of the document with the parameters.
const SEALED: &str = "sealed_params";

/// An entry of `model_list`.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    /// `litellm_params`, credentials included.
    pub(super) params: Doc,
    /// `model_info`.
    pub(super) info: Doc,
}

impl Entry {
    /// What is kept of a model; `None` with another secret than it was sealed with.
    pub(super) fn of(model: &Thing, seal: Option<&Seal>) -> Option<Self> {
        let params = seal?.open(&model.id, model.text(SEALED)?)?;
        let info = model.doc.get("model_info").and_then(Value::as_object);
        Some(Self {
            name: model.text("model_name")?.to_owned(),
            params: serde_json::from_str(&params).ok()?,
            info: info.cloned().unwrap_or_default(),
        })
    }

    /// As the config has it.
    fn json(&self) -> Value {
        let mut info = self.info.clone();
        info.insert("db_model".to_owned(), true.into());
        json!({"model_name": self.name, "litellm_params": self.params, "model_info": info})
    }

    /// Writes it into the document of the model with that id, if it can be built.
    ///
    /// # Errors
    ///
    /// 400, with what is wrong with it.
    pub(super) fn write(&self, room: &Manage, id: &str, doc: &mut Doc) -> Result<(), Refusal> {
        let told = |message: String| Refusal::bad_request(message).param("litellm_params");
        check_model(&self.json().to_string()).map_err(told)?;
        let Some(seal) = &room.seal else {
            let message = "Credentials cannot be kept: set LITELLM_SALT_KEY or a master key.";
            return Err(Refusal::bad_request(message));
        };
        let params = Value::Object(self.params.clone()).to_string();
        doc.insert("model_name".to_owned(), self.name.as_str().into());
        doc.insert("model_info".to_owned(), self.info.clone().into());
        doc.insert(SEALED.to_owned(), seal.seal(id, &params).into());
        Ok(())
    }

    /// As answers show it.
    pub(super) fn row(&self, model: &Thing) -> Value {
        let mut shown = self.json();
        if let Some(params) = shown.get_mut("litellm_params").and_then(Value::as_object_mut) {
            params.iter_mut().for_each(|(name, value)| hide(name, value));
        }
        let mut row = json!({"model_id": model.id});
        if let (Some(row), Value::Object(shown)) = (row.as_object_mut(), shown) {
            row.extend(shown);
            let text = |field: &str| Value::from(model.text(field).unwrap_or_default());
            row.insert("created_by".to_owned(), text("created_by"));
            row.insert("updated_by".to_owned(), text("updated_by"));
            row.insert("created_at".to_owned(), clock::iso(model.created_at).into());
            row.insert("updated_at".to_owned(), clock::iso(model.updated_at).into());
        }
        row
    }
}

/// The entry of `model_list` that a model of the store is, as JSON; `None` where it cannot be read
/// with this seal.
#[must_use]
pub fn entry(model: &Thing, seal: Option<&Seal>) -> Option<String> {
    Entry::of(model, seal).map(|entry| entry.json().to_string())
}

/// Hides what may be a secret. Where it refers to a variable, that is shown.
fn hide(name: &str, value: &mut Value) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(_, value)| hide("secret", value)),
        Value::Array(list) => list.iter_mut().for_each(|value| hide(name, value)),
        Value::String(text) if text.starts_with("os.environ/") => {}
        Value::String(_) if is_plain(name) => {}
        Value::String(text) => *text = "*****".to_owned(),
        _ => {}
    }
}

/// Parameters whose texts are no secrets.
fn is_plain(name: &str) -> bool {
    let names = [
        "model",
        "custom_llm_provider",
        "api_version",
        "region_name",
        "aws_region_name",
        "vertex_project",
        "vertex_location",
        "organization",
        "tags",
        "mock_response",
        "service_tier",
        "reasoning_effort",
        "drop_params",
    ];
    names.contains(&name)
}

/// The object in a field; empty where none is.
///
/// # Errors
///
/// 422, if it is something else.
pub(super) fn object(field: &str, value: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(Refusal::invalid(&["body", field], "Input should be an object")),
    }
}

impl Manage {
    /// Goes on where models may be added.
    ///
    /// # Errors
    ///
    /// 400 elsewhere.
    pub(super) fn keeps_models(&self) -> Result<(), Refusal> {
        if self.models {
            return Ok(());
        }
        Err(Refusal::wrong(
            "Set `general_settings.store_model_in_db: true`, or STORE_MODEL_IN_DB=True in the \
             environment, to add models at run time.",
        ))
    }

    /// Whether the config itself has a deployment with that id.
    pub(super) fn configures(&self, id: &str) -> bool {
        let deployments = self.router.as_ref().map_or(&[][..], |router| router.deployments());
        deployments.iter().map(|one| one.config()).any(|it| it.id == id && !is_added(&it.info))
    }

    /// Makes changes, and waits until the models are in force here.
    ///
    /// # Errors
    ///
    /// As the store says; 503 if they are kept and not in force.
    pub(super) async fn commit_models(&self, change: Change) -> Result<(), Refusal> {
        self.commit(change).await?;
        if self.router.is_none() || self.directory.models().settled().await {
            return Ok(());
        }
        Err(Refusal::error(
            http::StatusCode::SERVICE_UNAVAILABLE,
            "internal_server_error",
            "It is kept, but not in force yet: the config cannot be read. The log says why.",
        ))
    }
}

fn is_added(info: &Map<String, Value>) -> bool {
    info.get("db_model").and_then(Value::as_bool) == Some(true)
}
