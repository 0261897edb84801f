//! A key as answers show it.
use super::fields::IN_METADATA;
use crate::manage::shown::Table;
use crate::manage::{Manage, Refusal};
use crate::store::{Doc, Thing};
use bartizan_layers::facts::Scope;
use serde_json::Value;

/// The columns of LiteLLM's table, with the values that a key has where nobody said anything.
const KEYS: Table = Table {
    columns: r#"{
        "token": null, "key_name": null, "key_alias": null, "soft_budget_cooldown": false,
        "spend": 0.0, "expires": null, "models": [], "aliases": {}, "config": {}, "user_id": null,
        "team_id": null, "permissions": {}, "max_parallel_requests": null, "metadata": {},
        "blocked": null, "tpm_limit": null, "rpm_limit": null, "max_budget": null,
        "soft_budget": null, "budget_duration": null, "budget_reset_at": null,
        "allowed_cache_controls": [], "allowed_routes": [], "model_spend": {},
        "model_max_budget": {}, "budget_id": null, "organization_id": null, "project_id": null,
        "object_permission": null, "router_settings": null, "created_at": null,
        "created_by": null, "updated_at": null, "updated_by": null
    }"#,
    id: "token",
    scope: Some(Scope::Key),
};

impl Manage {
    /// All columns of these keys.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(in crate::manage) async fn key_rows(&self, keys: &[Thing]) -> Result<Vec<Doc>, Refusal> {
        let mut rows = self.rows(&KEYS, keys).await?;
        rows.iter_mut().for_each(lift);
        Ok(rows)
    }

    /// All columns of one key.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(in crate::manage) async fn key_row(&self, key: &Thing) -> Result<Doc, Refusal> {
        let rows = self.key_rows(std::slice::from_ref(key)).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// The same with the text that is shown only now.
    pub(super) async fn new_key_row(&self, key: &Thing, text: String) -> Result<Doc, Refusal> {
        let mut row = self.key_row(key).await?;
        row.insert("key".to_owned(), text.into());
        row.insert("token_id".to_owned(), key.id.as_str().into());
        Ok(row)
    }
}

/// Shows beside the columns what is kept in the metadata.
fn lift(row: &mut Doc) {
    for name in IN_METADATA {
        let kept = row.get("metadata").and_then(|metadata| metadata.get(name)).cloned();
        row.insert(name.to_owned(), kept.unwrap_or(Value::Null));
    }
}
