//! Who may do what with a team.
use super::roster::{Rank, has};
use crate::identity::Role;
use crate::manage::organizations::is_admin;
use crate::manage::{Refusal, Who};
use crate::store::{Change, Thing};
use http::StatusCode;

/// Goes on for those who may manage a team's members: the proxy's admins, the team's, and those of
/// its organisation.
///
/// # Errors
///
/// 403 for all others, as LiteLLM tells it.
pub(super) async fn manages(
    change: &mut Change,
    who: &Who,
    team: &Thing,
    route: &str,
) -> Result<(), Refusal> {
    if who.role() == Role::Admin {
        return Ok(());
    }
    if let Some(user) = who.user() {
        if has(&team.doc, user, Some(Rank::Admin)) {
            return Ok(());
        }
        if let Some(organization) = team.text("organization_id")
            && is_admin(change, who, organization).await?
        {
            return Ok(());
        }
    }
    let message = format!(
        "Call not allowed. User not proxy admin OR team admin. route={route}, team_id={}",
        team.id
    );
    Err(Refusal::because(StatusCode::FORBIDDEN, message))
}

/// Goes on for those who may see a team: whoever sees everything, its members, its keys.
///
/// # Errors
///
/// 403 for all others, as LiteLLM tells it.
pub(super) fn sees(who: &Who, team: &Thing) -> Result<(), Refusal> {
    if who.role().sees_all() {
        return Ok(());
    }
    let own = who.0.team.as_deref();
    let is_member = who.user().is_some_and(|user| has(&team.doc, user, None));
    if own == Some(&*team.id) || is_member {
        return Ok(());
    }
    let message = match (who.user(), own) {
        (Some(user), _) => format!("User={user} not authorized to access this team={}", team.id),
        (None, Some(own)) => {
            format!("Team key for team={own} not authorized to access this team={}", team.id)
        }
        (None, None) => format!(
            "API key not authorized to access this team={}. No user_id or team_id associated with \
             this key.",
            team.id
        ),
    };
    Err(Refusal::python(StatusCode::FORBIDDEN, "auth_error", "error", &message))
}
