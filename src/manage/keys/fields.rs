//! What may be said of a key.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The fields of a key that requests may set (contract 4.2). Others are ignored.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct KeyFields {
    /// The key's own text, instead of one that is made; of a key that is changed, its text or its
    /// digest.
    #[serde(skip_serializing)]
    pub key: Option<String>,
    /// A name for people; no two keys have the same.
    pub key_alias: Option<String>,
    /// How long it lasts, such as `30d`; for ever without it.
    #[serde(skip_serializing)]
    pub duration: Option<String>,
    /// The models that it may ask for; all if there are none.
    pub models: Option<Vec<String>>,
    /// Names that stand for other models.
    pub aliases: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub config: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub permissions: Option<Map<String, Value>>,
    /// What was spent, in US dollars.
    #[serde(skip_serializing)]
    pub spend: Option<f64>,
    /// US dollars that it may spend in each `budget_duration`.
    pub max_budget: Option<f64>,
    /// US dollars at which somebody is told.
    pub soft_budget: Option<f64>,
    /// After which its budget starts anew, such as `30d`.
    pub budget_duration: Option<String>,
    /// The budget that it shares.
    pub budget_id: Option<String>,
    /// US dollars more, until `temp_budget_expiry`.
    pub temp_budget_increase: Option<f64>,
    /// Until when there is more.
    pub temp_budget_expiry: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// For which team it is.
    pub team_id: Option<String>,
    /// For which organisation it is.
    pub organization_id: Option<String>,
    /// Kept for clients that send it.
    pub project_id: Option<String>,
    /// Calls that may be open at once.
    pub max_parallel_requests: Option<i64>,
    /// Tokens in a minute.
    pub tpm_limit: Option<i64>,
    /// Calls in a minute.
    pub rpm_limit: Option<i64>,
    /// Kept for clients that send it.
    pub tpm_limit_type: Option<String>,
    /// Kept for clients that send it.
    pub rpm_limit_type: Option<String>,
    /// Tokens in a minute, by model.
    pub model_tpm_limit: Option<Map<String, Value>>,
    /// Calls in a minute, by model.
    pub model_rpm_limit: Option<Map<String, Value>>,
    /// What may be spent by model: `{model: {budget_limit, time_period}}`.
    pub model_max_budget: Option<Map<String, Value>>,
    /// Anything that is to be known of it.
    pub metadata: Option<Map<String, Value>>,
    /// What requests may say of caches.
    pub allowed_cache_controls: Option<Vec<String>>,
    /// The routes that it may call: paths, patterns, `llm_api_routes`, `management_routes`,
    /// `info_routes`.
    pub allowed_routes: Option<Vec<String>>,
    /// Whether it may not be used.
    pub blocked: Option<bool>,
    /// Words that all its calls bear.
    pub tags: Option<Vec<String>>,
    /// Parameters that each request must have.
    pub enforced_params: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub guardrails: Option<Vec<String>>,
    /// `default`, `llm_api`, `management` or `read_only`.
    #[serde(skip_serializing)]
    pub key_type: Option<String>,
    /// Kept for clients that send it.
    pub object_permission: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub router_settings: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub auto_rotate: Option<bool>,
    /// Kept for clients that send it.
    pub rotation_interval: Option<String>,
    /// The text that a key gets which is made anew, instead of one that is made.
    #[serde(skip_serializing)]
    pub new_key: Option<String>,
}

/// Fields that are kept in the metadata, as in LiteLLM's table.
pub(super) const IN_METADATA: [&str; 7] = [
    "model_rpm_limit",
    "model_tpm_limit",
    "rpm_limit_type",
    "tpm_limit_type",
    "guardrails",
    "tags",
    "enforced_params",
];
