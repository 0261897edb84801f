//! Teams as answers show them.
use crate::manage::shown::Table;
use crate::manage::{Manage, Refusal};
use crate::store::{Doc, Thing};
use bartizan_layers::facts::Scope;
use serde_json::{Value, json};

/// All teams.
pub(in crate::manage) const TEAMS: Table = Table {
    columns: r#"{
        "team_id": null, "team_alias": null, "organization_id": null, "admins": [], "members": [],
        "members_with_roles": [], "team_member_permissions": null, "metadata": {},
        "tpm_limit": null, "rpm_limit": null, "max_budget": null, "budget_duration": null,
        "models": [], "blocked": false, "router_settings": null, "spend": 0.0,
        "max_parallel_requests": null, "budget_reset_at": null, "model_id": null,
        "model_spend": {}, "model_max_budget": {}, "object_permission_id": null,
        "object_permission": null, "litellm_model_table": null
    }"#,
    id: "team_id",
    scope: Some(Scope::Team),
};

/// Users in teams.
pub(in crate::manage) const MEMBERSHIPS: Table = Table {
    columns: r#"{"user_id": null, "team_id": null, "spend": 0.0, "budget_id": null}"#,
    id: "",
    scope: Some(Scope::TeamMember),
};

/// A team alone.
///
/// # Errors
///
/// As the store says.
pub(super) async fn team_row(room: &Manage, team: &Thing) -> Result<Doc, Refusal> {
    let mut row = room.row(&TEAMS, team).await?;
    with_aliases(&mut row);
    Ok(row)
}

/// LiteLLM keeps the aliases of a team's models in a table of their own.
fn with_aliases(row: &mut Doc) {
    if let Some(aliases) = row.get("model_aliases").cloned() {
        row.insert("litellm_model_table".to_owned(), json!({"model_aliases": aliases}));
    }
}

/// Places in teams with the budgets that they have there.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn memberships(
    room: &Manage,
    memberships: &[Thing],
) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&MEMBERSHIPS, memberships).await?;
    room.with_budgets(&mut rows).await?;
    Ok(rows)
}

/// Teams with those places in them that are among `places`.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn with_memberships(
    room: &Manage,
    teams: &[Thing],
    places: &[Thing],
) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&TEAMS, teams).await?;
    let places = memberships(room, places).await?;
    for (row, team) in rows.iter_mut().zip(teams) {
        with_aliases(row);
        let own = places.iter().filter(|place| place.get("team_id") == Some(&json!(team.id)));
        let own: Vec<_> = own.cloned().map(Value::Object).collect();
        row.insert("team_memberships".to_owned(), own.into());
    }
    rows.sort_by_key(|row| row.get("team_alias").and_then(Value::as_str).map(str::to_owned));
    Ok(rows)
}
