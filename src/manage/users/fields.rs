//! What may be said of a user.
use crate::manage::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The fields of a user that requests may set.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct UserFields {
    /// What it is found by; made where there is none.
    #[serde(skip_serializing)]
    pub(super) user_id: Option<String>,
    /// Its address; no two users have the same.
    pub(super) user_email: Option<String>,
    /// A name for people.
    pub(super) user_alias: Option<String>,
    /// `proxy_admin`, `proxy_admin_viewer`, `internal_user` or `internal_user_viewer`.
    pub(super) user_role: Option<String>,
    /// Who it is for the identity provider.
    pub(super) sso_user_id: Option<String>,
    /// The models that its keys may ask for; all if there are none.
    pub(super) models: Option<Vec<String>>,
    /// US dollars that its keys may spend together in each `budget_duration`.
    pub(super) max_budget: Option<f64>,
    /// US dollars that count as spent from now on.
    #[serde(skip_serializing)]
    pub(super) spend: Option<f64>,
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
    /// Anything that is to be known of it.
    pub(super) metadata: Option<Map<String, Value>>,
    /// What requests may say of caches.
    pub(super) allowed_cache_controls: Option<Vec<String>>,
    /// Kept for clients that send it.
    pub(super) guardrails: Option<Vec<String>>,
}

/// What a new user gets besides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewUser {
    /// Whether it gets a key. Default true.
    pub(super) auto_create_key: Option<bool>,
    /// The teams that it joins: ids, or `{team_id, user_role, max_budget_in_team}`.
    pub(super) teams: Option<Vec<Joining>>,
    /// The team that it joins, and that its key is for.
    pub(super) team_id: Option<String>,
    /// The organisations that it joins.
    pub(super) organizations: Option<Vec<String>>,
    /// Of the key: a name for people.
    pub(super) key_alias: Option<String>,
    /// Of the key: how long it lasts, such as `30d`.
    pub(super) duration: Option<String>,
    /// Of the key: names that stand for other models.
    pub(super) aliases: Option<Map<String, Value>>,
    /// Of the key: kept for clients that send it.
    pub(super) config: Option<Map<String, Value>>,
    /// Of the key: kept for clients that send it.
    pub(super) permissions: Option<Map<String, Value>>,
}

/// A team that a new user joins.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Joining {
    /// As a plain member.
    Id(String),
    /// As somebody.
    As {
        /// The team.
        team_id: String,
        /// `user` or `admin`.
        #[serde(default)]
        user_role: Option<String>,
        /// US dollars that it may spend there.
        #[serde(default)]
        max_budget_in_team: Option<f64>,
    },
}

const ROLES: [&str; 4] =
    ["proxy_admin", "proxy_admin_viewer", "internal_user", "internal_user_viewer"];

impl UserFields {
    /// Whether a user can be like that, as far as the words go.
    ///
    /// # Errors
    ///
    /// If there is no such role.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match self.user_role.as_deref() {
            Some(role) if !ROLES.contains(&role) => {
                let message = format!("Input should be one of {}", ROLES.join(", "));
                Err(Refusal::invalid(&["body", "user_role"], &message))
            }
            _ => Ok(()),
        }
    }
}
