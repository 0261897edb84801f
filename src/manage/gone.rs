//! What goes with a thing when it goes.
use super::Refusal;
use crate::identity::Tenant;
use crate::store::{Change, Doc, Filter, Kind, Thing, member_id};
use bartizan_layers::facts::Scope;
use serde_json::Value;

/// Takes a thing away with what it spent: nobody who gets its name later begins with a debt.
///
/// # Errors
///
/// As the store says.
pub(super) async fn remove(
    change: &mut Change,
    kind: Kind,
    id: &str,
) -> Result<Option<Thing>, Refusal> {
    let scope = match kind {
        Kind::Key => Some(Scope::Key),
        Kind::User => Some(Scope::User),
        Kind::Team => Some(Scope::Team),
        Kind::TeamMember => Some(Scope::TeamMember),
        Kind::Organization => Some(Scope::Organization),
        Kind::EndUser => Some(Scope::EndUser),
        Kind::Tag => Some(Scope::Tag),
        Kind::OrganizationMember | Kind::Budget | Kind::AccessGroup | Kind::Model => None,
    };
    let gone = change.delete(kind, id).await?;
    if let Some(scope) = scope.filter(|_| gone.is_some()) {
        change.work().forget_account(scope.name(), id).await?;
        disown(change, kind, id).await?;
    }
    Ok(gone)
}

/// Leaves what providers keep for somebody to the admins.
///
/// # Errors
///
/// As the store says.
pub(super) async fn disown(change: &mut Change, kind: Kind, id: &str) -> Result<(), Refusal> {
    let tenant = match kind {
        Kind::Key => Tenant::key(id),
        Kind::User => Tenant::user(id),
        Kind::Team => Tenant::team(id),
        _ => return Ok(()),
    };
    change.work().carry_objects(tenant.name(), Tenant::admin().name()).await?;
    Ok(())
}

/// Takes away all things of a kind that `filter` lets through.
///
/// # Errors
///
/// As the store says.
pub(super) async fn remove_all(
    change: &mut Change,
    kind: Kind,
    filter: &Filter,
) -> Result<Vec<Thing>, Refusal> {
    let things = change.work().things(kind, filter).await?;
    for thing in &things {
        remove(change, kind, &thing.id).await?;
    }
    Ok(things)
}

/// Takes a user out of a team: its place there, its budget there, its keys of that team, and the
/// team off the user. The team's own list stays as it is.
///
/// # Errors
///
/// As the store says.
pub(super) async fn remove_member(
    change: &mut Change,
    team: &Thing,
    user: &str,
) -> Result<(), Refusal> {
    let member = remove(change, Kind::TeamMember, &member_id(&team.id, user)).await?;
    let budget = member.as_ref().and_then(|member| member.text("budget_id"));
    // The one that all its members share stays with the team.
    if let Some(budget) = budget.filter(|id| Some(*id) != shared_budget(&team.doc)) {
        remove(change, Kind::Budget, budget).await?;
    }
    let filter =
        Filter { user: Some(user.to_owned()), team: Some(team.id.clone()), ..Filter::default() };
    remove_all(change, Kind::Key, &filter).await?;
    let Some(user) = change.work().thing(Kind::User, user).await? else { return Ok(()) };
    let mut doc = user.doc.clone();
    if let Some(Value::Array(teams)) = doc.get_mut("teams") {
        teams.retain(|id| id.as_str() != Some(&team.id));
    }
    change.update(&user, doc).await?;
    Ok(())
}

/// The budget that each member of a team has who has none of its own.
pub(super) fn shared_budget(team: &Doc) -> Option<&str> {
    team.get("metadata")?.get("team_member_budget_id")?.as_str()
}
