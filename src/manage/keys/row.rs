//! A key as answers show it.
use crate::clock;
use crate::store::{Doc, Thing};
use serde_json::Value;

/// The columns of LiteLLM's table, with the values that a key has where nobody said anything.
const COLUMNS: &str = r#"{
    "token": null, "key_name": null, "key_alias": null, "soft_budget_cooldown": false,
    "spend": 0.0, "expires": null, "models": [], "aliases": {}, "config": {}, "user_id": null,
    "team_id": null, "permissions": {}, "max_parallel_requests": null, "metadata": {},
    "blocked": null, "tpm_limit": null, "rpm_limit": null, "max_budget": null,
    "budget_duration": null, "budget_reset_at": null, "allowed_cache_controls": [],
    "allowed_routes": [], "model_spend": {}, "model_max_budget": {}, "budget_id": null,
    "organization_id": null, "created_at": null, "created_by": null, "updated_at": null,
    "updated_by": null
}"#;

/// All columns of a key. `spend` is in US dollars.
pub(in crate::manage) fn row(thing: &Thing, spend: f64) -> Doc {
    let mut row: Doc = serde_json::from_str(COLUMNS).unwrap_or_default();
    row.extend(thing.doc.clone());
    row.insert("token".to_owned(), thing.id.as_str().into());
    row.insert("spend".to_owned(), spend.into());
    row.insert("created_at".to_owned(), Value::from(clock::iso(thing.created_at)));
    row.insert("updated_at".to_owned(), Value::from(clock::iso(thing.updated_at)));
    row
}
