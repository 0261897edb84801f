//! Organisations as answers show them.
use crate::manage::shown::Table;
use crate::manage::teams::TEAMS;
use crate::manage::{Manage, Refusal};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use bartizan_layers::facts::Scope;
use serde_json::json;

/// All organisations.
pub(super) const ORGANIZATIONS: Table = Table {
    columns: r#"{
        "organization_id": null, "organization_alias": null, "budget_id": null, "spend": 0.0,
        "metadata": {}, "models": [], "model_spend": {}, "created_by": null, "updated_by": null,
        "users": null, "object_permission": null, "object_permission_id": null
    }"#,
    id: "organization_id",
    scope: Some(Scope::Organization),
};

/// Users in organisations. What they spend there is not counted by itself.
pub(super) const PLACES: Table = Table {
    columns: r#"{
        "user_id": null, "organization_id": null, "user_role": null, "spend": 0.0,
        "budget_id": null, "user": null
    }"#,
    id: "",
    scope: None,
};

/// Organisations with their budgets.
///
/// # Errors
///
/// As the store says.
pub(super) async fn rows(room: &Manage, things: &[Thing]) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&ORGANIZATIONS, things).await?;
    room.with_budgets(&mut rows).await?;
    rows.iter_mut().for_each(|row| drop(row.remove("budget_reset_at")));
    Ok(rows)
}

/// Places in organisations with their budgets.
///
/// # Errors
///
/// As the store says.
pub(super) async fn places(room: &Manage, things: &[Thing]) -> Result<Vec<Doc>, Refusal> {
    let mut rows = room.rows(&PLACES, things).await?;
    room.with_budgets(&mut rows).await?;
    rows.iter_mut().for_each(|row| drop(row.remove("budget_reset_at")));
    Ok(rows)
}

/// Organisations with their budgets, members and teams.
///
/// # Errors
///
/// As the store says.
pub(super) async fn whole(room: &Manage, things: &[Thing]) -> Result<Vec<Doc>, Refusal> {
    let mut rows = rows(room, things).await?;
    for (row, thing) in rows.iter_mut().zip(things) {
        let filter = Filter { organization: Some(thing.id.clone()), ..Filter::default() };
        let members = room.store.things(Kind::OrganizationMember, &filter, Page::ALL).await?;
        let teams = room.store.things(Kind::Team, &filter, Page::ALL).await?;
        row.insert("members".to_owned(), json!(places(room, &members).await?));
        row.insert("teams".to_owned(), json!(room.rows(&TEAMS, &teams).await?));
    }
    Ok(rows)
}
