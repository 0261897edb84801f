//! What a key has spent, where somebody changes that or its window.
use crate::clock;
use crate::identity::Role;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Account, Change, Doc, Kind, StoreError, Thing, Work};
use bartizan_layers::cost::{BudgetWindow, Zone};
use bartizan_layers::facts::{NanoUsd, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

/// Sets what a key has spent, where that was asked for, and gives it another window where its
/// budget has another duration than `before`.
///
/// # Errors
///
/// As the store says, or if the amount is below zero.
pub(super) async fn settle(
    change: &mut Change,
    key: &Thing,
    before: Option<&Doc>,
    spend: Option<f64>,
) -> Result<Option<Account>, Refusal> {
    let now = change.now().div_euclid(1000);
    if spend.is_some_and(|spend| spend < 0.0) {
        let message = "What was spent cannot be less than nothing.";
        return Err(Refusal::bad_request(message).param("spend"));
    }
    let duration = |doc: &Doc| doc.get("budget_duration").cloned();
    let changed = before.is_some_and(|before| duration(before) != duration(&key.doc));
    if spend.is_none() && !changed {
        return Ok(None);
    }
    let mut account = open_account(change.work(), Scope::Key, &key.id, now).await?;
    if changed || account.until.is_none() {
        account.until = end(&key.doc, now);
    }
    if let Some(spend) = spend {
        account.spend = NanoUsd::from_dollars(spend).0;
    }
    change.set_account(account.clone()).await?;
    if account.spend == 0 && spend.is_some() {
        models_anew(change, &key.id).await?;
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

/// Sets what a thing has spent in its window.
///
/// # Errors
///
/// As the store says, or if the amount is below zero.
pub(in crate::manage) async fn set_spent(
    change: &mut Change,
    (scope, thing): (Scope, &Thing),
    spend: f64,
) -> Result<(), Refusal> {
    if spend < 0.0 {
        let message = "What was spent cannot be less than nothing.";
        return Err(Refusal::bad_request(message).param("spend"));
    }
    let now = change.now().div_euclid(1000);
    let account = open_account(change.work(), scope, &thing.id, now).await?;
    let until = account.until.or_else(|| end(&thing.doc, now));
    let spend = NanoUsd::from_dollars(spend).0;
    Ok(change.set_account(Account { spend, until, ..account }).await?)
}

/// When the window ends that is open now.
fn end(doc: &Doc, now: i64) -> Option<i64> {
    let window = doc.get("budget_duration").and_then(Value::as_str);
    let window: Option<BudgetWindow> = window.and_then(|text| text.parse().ok());
    window.map(|window| window.end(now, &Zone::Utc))
}

/// An account; one whose window is over is empty, and has no window yet.
async fn open_account(
    work: &mut Work,
    scope: Scope,
    id: &str,
    now: i64,
) -> Result<Account, StoreError> {
    let account = work.account(scope.name(), id).await?;
    let is_over = account.until.is_some_and(|until| until <= now);
    Ok(if is_over { Account { spend: 0, until: None, ..account } } else { account })
}

/// What `/key/{key}/reset_spend` asks for.
#[derive(Debug, Deserialize)]
struct Reset {
    /// US dollars that count as spent from now on.
    reset_to: f64,
}

/// Sets what a key has spent back to what is asked for.
pub(super) async fn reset(room: &Room, who: &Who, key: &str, body: Doc) -> Result<Value, Refusal> {
    let route = "/key/reset_spend";
    if who.role() != Role::User {
        who.admin(route)?;
    }
    let reset_to = Asked::<Reset>::of(body)?.fields.reset_to;
    let mut change = room.store.change(who.actor()).await?;
    let found = change.work().thing(Kind::Key, &super::text::id_of(key)).await?;
    let found = found.ok_or_else(super::unknown)?;
    super::block::may_block(&mut change, who, &found, route).await?;
    let now = change.now().div_euclid(1000);
    let before = open_account(change.work(), Scope::Key, &found.id, now).await?;
    let before = NanoUsd(before.spend).dollars();
    if reset_to > before {
        let message = format!("reset_to ({reset_to}) cannot be more than was spent ({before})");
        return Err(Refusal::bad_request(message).param("reset_to"));
    }
    let account = settle(&mut change, &found, None, Some(reset_to)).await?;
    // It is no change of the document, but one that the audit log has.
    let after = change.update(&found, found.doc.clone()).await?;
    room.commit(change).await?;
    let until = account.and_then(|account| account.until);
    Ok(json!({
        "key_hash": after.id,
        "spend": reset_to,
        "previous_spend": before,
        "max_budget": after.doc.get("max_budget"),
        "budget_reset_at": until.map(|until| clock::iso(until.saturating_mul(1000))),
    }))
}
