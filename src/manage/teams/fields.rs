//! What may be said of a team.
use super::roster::Member;
use crate::store::Doc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The fields of a team that requests may set.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct TeamFields {
    /// What it is found by; made where there is none.
    #[serde(skip_serializing)]
    pub(super) team_id: Option<String>,
    /// A name for people.
    pub(super) team_alias: Option<String>,
    /// The organisation that it belongs to.
    pub(super) organization_id: Option<String>,
    /// Who is in it from the beginning.
    #[serde(skip_serializing)]
    pub(super) members_with_roles: Option<Vec<Member>>,
    /// The routes of keys that its plain members may call.
    pub(super) team_member_permissions: Option<Vec<String>>,
    /// Anything that is to be known of it.
    pub(super) metadata: Option<Map<String, Value>>,
    /// The models that its keys may ask for; all if there are none.
    pub(super) models: Option<Vec<String>>,
    /// Names that stand for other models.
    pub(super) model_aliases: Option<Map<String, Value>>,
    /// Whether its keys may not be used.
    pub(super) blocked: Option<bool>,
    /// US dollars that its keys may spend together in each `budget_duration`.
    pub(super) max_budget: Option<f64>,
    /// US dollars at which somebody is told.
    pub(super) soft_budget: Option<f64>,
    /// After which its budget starts anew, such as `30d`.
    pub(super) budget_duration: Option<String>,
    /// Calls of its keys that may be open at once.
    pub(super) max_parallel_requests: Option<i64>,
    /// Tokens of its keys in a minute.
    pub(super) tpm_limit: Option<i64>,
    /// Calls of its keys in a minute.
    pub(super) rpm_limit: Option<i64>,
    /// Tokens in a minute, by model.
    pub(super) model_tpm_limit: Option<Map<String, Value>>,
    /// Calls in a minute, by model.
    pub(super) model_rpm_limit: Option<Map<String, Value>>,
    /// What may be spent by model.
    pub(super) model_max_budget: Option<Map<String, Value>>,
    /// Words that all calls of its keys bear.
    pub(super) tags: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub(super) guardrails: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub(super) policies: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub(super) prompts: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub(super) router_settings: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub(super) object_permission: Option<Map<String, Value>>,
    /// US dollars that each member may spend who has no budget of its own.
    #[serde(skip_serializing)]
    pub(super) team_member_budget: Option<f64>,
    /// After which the budgets of members start anew.
    #[serde(skip_serializing)]
    pub(super) team_member_budget_duration: Option<String>,
    /// Calls of each member in a minute.
    #[serde(skip_serializing)]
    pub(super) team_member_rpm_limit: Option<i64>,
    /// Tokens of each member in a minute.
    #[serde(skip_serializing)]
    pub(super) team_member_tpm_limit: Option<i64>,
}

/// What LiteLLM keeps in the metadata of a team.
const IN_METADATA: [&str; 5] =
    ["model_tpm_limit", "model_rpm_limit", "tags", "guardrails", "prompts"];

/// Moves what LiteLLM keeps there into the metadata.
pub(super) fn into_metadata(said: &mut Doc, before: Option<&Doc>) {
    let moved = IN_METADATA.map(|name| (name, said.remove(name)));
    if moved.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let told = said.remove("metadata").filter(|value| !value.is_null());
    let told = told.or_else(|| before?.get("metadata").cloned());
    let mut metadata = match told {
        Some(Value::Object(metadata)) => metadata,
        _ => Doc::new(),
    };
    for (name, value) in moved {
        match value {
            Some(Value::Null) => drop(metadata.remove(name)),
            Some(value) => drop(metadata.insert(name.to_owned(), value)),
            None => {}
        }
    }
    said.insert("metadata".to_owned(), metadata.into());
}
