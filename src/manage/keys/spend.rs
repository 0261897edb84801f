//! What a key has spent, where somebody changes that.
use crate::clock;
use crate::identity::Role;
use crate::manage::settled::{open_account, settle};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use bartizan_layers::facts::{NanoUsd, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

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
    let account = settle(&mut change, (Scope::Key, &found), None, Some(reset_to)).await?;
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
