//! Whose call it was, for those who are told when a budget runs out.
use crate::alerts::About;
use crate::identity::Caller;
use crate::telemetry::Outcome;

/// Whose call it was.
pub(super) fn about(outcome: &Outcome<'_>) -> About {
    let end_user = outcome.told().and_then(|told| told.end_user.as_deref());
    let mut about = About { customer_id: end_user.map(str::to_owned), ..About::default() };
    let Some(principal) = outcome.principal() else { return about };
    about.token = Some(principal.key.to_string());
    about.user_id = Some(principal.user.to_string()).filter(|user| !user.is_empty());
    about.team_id = principal.team.as_deref().map(str::to_owned);
    let Some(caller) = principal.about.get::<Caller>() else { return about };
    let alias =
        |holder: Option<&crate::identity::Holder>| Some(holder?.alias.as_deref()?.to_owned());
    about.key_alias = alias(Some(&caller.key.holder));
    about.team_alias = alias(caller.team.as_deref());
    about.user_email = alias(caller.user.as_deref());
    about.organization_id = caller.organization.as_ref().map(|it| it.id.to_string());
    about
}
