//! What may be said of an end user.
use crate::manage::shown::Table;
use crate::manage::{Manage, Refusal};
use crate::store::{Doc, Thing};
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// All end users.
const CUSTOMERS: Table = Table {
    columns: r#"{
        "user_id": null, "blocked": false, "alias": null, "spend": 0.0,
        "allowed_model_region": null, "default_model": null, "budget_id": null
    }"#,
    id: "user_id",
    scope: Some(Scope::EndUser),
};

/// Where models are.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Region {
    /// In the European Union.
    Eu,
    /// In the United States.
    Us,
}

/// The fields of an end user that requests may set, besides those of its budget.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct CustomerFields {
    /// What clients call it.
    #[serde(skip_serializing)]
    pub(super) user_id: String,
    /// A name for people.
    pub(super) alias: Option<String>,
    /// Whether nobody may call for it.
    pub(super) blocked: Option<bool>,
    /// Where its models must be.
    pub(super) allowed_model_region: Option<Region>,
    /// The model of its calls where no other may be used.
    pub(super) default_model: Option<String>,
    /// The budget that it shares; one of its own without it.
    pub(super) budget_id: Option<String>,
    /// Anything that is to be known of it.
    pub(super) metadata: Option<Map<String, Value>>,
}

impl CustomerFields {
    /// Whether an end user can be like that.
    ///
    /// # Errors
    ///
    /// If it has no id, two budgets, or a model that is not there.
    pub(super) fn check(&self, room: &Manage, doc: &Doc) -> Result<(), Refusal> {
        if self.user_id.is_empty() {
            return Err(Refusal::invalid(&["body", "user_id"], "Field required"));
        }
        let has = |name: &str| doc.get(name).is_some_and(|value| !value.is_null());
        if has("max_budget") && has("budget_id") {
            let message = "Set either 'max_budget' or 'budget_id', not both.";
            return Err(Refusal::invalid(&["body"], message));
        }
        match &self.default_model {
            Some(model) if !room.has_model(model) => {
                let message = format!("Default Model not on proxy. Default_model={model}");
                Err(Refusal::internal(StatusCode::UNPROCESSABLE_ENTITY, message))
            }
            _ => Ok(()),
        }
    }
}

/// End users with their budgets.
///
/// # Errors
///
/// As the store says.
pub(super) async fn rows(room: &Manage, things: &[Thing]) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&CUSTOMERS, things).await?;
    room.with_budgets(&mut rows).await?;
    rows.iter_mut().for_each(|row| drop(row.remove("budget_reset_at")));
    Ok(rows)
}

/// There is no such end user.
pub(super) fn not_there(param: &str, id: &str) -> Refusal {
    let message = format!("End User Id={id} does not exist in db");
    Refusal::error(StatusCode::NOT_FOUND, "not_found", message).param(param)
}
