//! What those get to hear who are told when a budget runs out.
use super::writing::levels;
use crate::alerts::{About, Alerts, Spent};
use crate::clock;
use crate::identity::{Caller, Directory, Level, Money};
use crate::telemetry::Outcome;
use bartizan_layers::facts::Scope;

/// Where a budget refused a call, without a cost, its state is news all the same: it may be less
/// than it was, or nothing from the beginning.
pub(super) fn refused(now: i64, (directory, alerts): (&Directory, &Alerts), outcome: &Outcome<'_>) {
    let is_spent = outcome.failure().is_some_and(|failure| failure.class == "BudgetExceededError");
    if !is_spent || !alerts.are_on() {
        return;
    }
    let tell = |scope: Scope, subject: &str, money: Money| {
        directory.spent(scope.name(), subject, |holder| {
            let until = money.window.map(|window| clock::window_end(window, now));
            let amount = holder.spent.amount(now);
            let spent = Spent { scope, subject, money, amount, until };
            alerts.spent(&spent, || about(outcome));
        });
    };
    tell(Scope::Global, "", directory.proxy_money());
    levels(directory, outcome, &mut |Level { scope, subject, money, .. }| {
        tell(scope, &subject, money);
    });
}

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
