//! Who may make keys, as the config says (`key_generation_settings`).
use super::rights::{Standing, standing};
use crate::config::{Making, MakingKeys};
use crate::identity::Role;
use crate::manage::{Refusal, Who};
use crate::store::{Doc, Kind, Work};
use serde_json::Value;

/// Whether `who` may make the key that `asked` is for.
///
/// # Errors
///
/// If its role is none of those that may, or a field is missing that each such key must have.
pub(super) async fn may_make(
    work: &mut Work,
    who: &Who,
    settings: &MakingKeys,
    asked: &Doc,
) -> Result<(), Refusal> {
    let Some(team) = asked.get("team_id").and_then(Value::as_str) else {
        let Some(rule) = &settings.personal else { return Ok(()) };
        let role = who.role().name().unwrap_or("unknown");
        return check(rule, asked, role, |roles| {
            format!(
                "Personal key creation has been restricted by admin. Allowed roles={roles:?}. \
                 Your role={role}"
            )
        });
    };
    let Some(rule) = settings.team.as_ref().filter(|_| who.role() != Role::Admin) else {
        return Ok(());
    };
    let team = work.thing(Kind::Team, team).await?;
    let as_what = team.zip(who.user()).and_then(|(team, user)| standing(&team, user));
    // Who is no member is told so where the team is looked at.
    let Some(as_what) = as_what else { return Ok(()) };
    let role = if as_what == Standing::Admin { "admin" } else { "user" };
    check(rule, asked, role, |roles| {
        format!("Team member role {role} not in allowed_team_member_roles={roles:?}")
    })
}

fn check(
    rule: &Making,
    asked: &Doc,
    role: &str,
    refused: impl FnOnce(&[String]) -> String,
) -> Result<(), Refusal> {
    if let Some(roles) = rule.roles.as_ref().filter(|roles| !roles.iter().any(|one| one == role)) {
        return Err(Refusal::bad_request(refused(roles)));
    }
    match rule.required.iter().find(|name| !asked.contains_key(name.as_str())) {
        Some(name) => {
            let message = format!("Required param {name} not in data");
            Err(Refusal::bad_request(message).param(name))
        }
        None => Ok(()),
    }
}
