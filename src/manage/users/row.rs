//! Users as answers show them.
use crate::manage::shown::Table;
use crate::manage::{Manage, Refusal, Who};
use crate::store::{Doc, Thing};
use bartizan_layers::facts::Scope;

/// All users.
pub(in crate::manage) const USERS: Table = Table {
    columns: r#"{
        "user_id": null, "user_alias": null, "team_id": null, "sso_user_id": null,
        "organization_id": null, "object_permission_id": null, "teams": [], "user_role": null,
        "max_budget": null, "spend": 0.0, "user_email": null, "models": [], "metadata": {},
        "max_parallel_requests": null, "tpm_limit": null, "rpm_limit": null,
        "budget_duration": null, "budget_reset_at": null, "allowed_cache_controls": [],
        "policies": [], "model_spend": {}, "model_max_budget": {},
        "organization_memberships": null, "object_permission": null
    }"#,
    id: "user_id",
    scope: Some(Scope::User),
};

/// Users as those see them who let them in: what else they have is for the proxy's admins.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn user_rows(
    room: &Manage,
    who: &Who,
    users: &[Thing],
) -> Result<Vec<Doc>, Refusal> {
    if who.role().sees_all() {
        return room.rows(&USERS, users).await;
    }
    let bare = |user: &Thing| USERS.row(&Thing { doc: Doc::new(), ..user.clone() });
    Ok(users.iter().map(bare).collect())
}
