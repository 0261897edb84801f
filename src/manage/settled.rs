//! What somebody has spent, where a person changes that or its window.
use super::Refusal;
use crate::clock;
use crate::store::{Account, Change, Doc, StoreError, Thing, Work};
use bartizan_layers::cost::BudgetWindow;
use bartizan_layers::facts::{NanoUsd, Scope};
use serde::Deserialize;
use serde_json::Value;

/// What was spent, as a request says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Spend {
    /// US dollars that count as spent from now on.
    pub(super) spend: Option<f64>,
}

/// Sets what a thing has spent, where that was asked for, and gives it another window where its
/// budget has another duration than `before`.
///
/// # Errors
///
/// As the store says, or if the amount is below zero.
pub(super) async fn settle(
    change: &mut Change,
    (scope, thing): (Scope, &Thing),
    before: Option<&Doc>,
    spend: Option<f64>,
) -> Result<Option<Account>, Refusal> {
    let now = change.now().div_euclid(1000);
    if spend.is_some_and(|spend| spend < 0.0) {
        let message = "What was spent cannot be less than nothing.";
        return Err(Refusal::bad_request(message).param("spend"));
    }
    let end = |doc: &Doc| {
        let window = doc.get("budget_duration").and_then(Value::as_str);
        let window: Option<BudgetWindow> = window.and_then(|text| text.parse().ok());
        window.map(|window| clock::window_end(window, now))
    };
    let duration = |doc: &Doc| doc.get("budget_duration").cloned();
    let changed = before.is_some_and(|before| duration(before) != duration(&thing.doc));
    if spend.is_none() && !changed {
        return Ok(None);
    }
    let mut account = open_account(change.work(), scope, &thing.id, now).await?;
    if changed || account.until.is_none() {
        account.until = end(&thing.doc);
    }
    if let Some(spend) = spend {
        account.spend = NanoUsd::from_dollars(spend).0;
    }
    change.set_account(account.clone()).await?;
    if scope == Scope::Key && account.spend == 0 && spend.is_some() {
        models_anew(change, &thing.id).await?;
    }
    Ok(Some(account))
}

/// A key that has spent nothing has spent nothing on any model.
async fn models_anew(change: &mut Change, id: &str) -> Result<(), StoreError> {
    for account in change.work().accounts_of_key(id).await? {
        if account.scope == Scope::ModelPerKey.name() && account.spend != 0 {
            change.set_account(Account { spend: 0, ..account }).await?;
        }
    }
    Ok(())
}

/// An account; one whose window is over is empty, and has no window yet.
///
/// # Errors
///
/// As the store says.
pub(super) async fn open_account(
    work: &mut Work,
    scope: Scope,
    id: &str,
    now: i64,
) -> Result<Account, StoreError> {
    let account = work.account(scope.name(), id).await?;
    let is_over = account.until.is_some_and(|until| until <= now);
    Ok(if is_over { Account { spend: 0, until: None, ..account } } else { account })
}
