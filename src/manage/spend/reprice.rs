//! `/spend/reprice`: calls of the past at the prices of today.
use super::{dollars, span};
use crate::clock;
use crate::ledger::{self, Attempt};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Actor, StoreError, Work};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

/// Which calls.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(super) struct Fields {
    /// The model or its group; all if there is none.
    model: Option<String>,
    /// The first day.
    start_date: Option<String>,
    /// The last day.
    end_date: Option<String>,
}

/// Reckons calls anew from the usage that was booked, at the prices that their deployments have
/// now. Rows, sums and accounts change together; receipts stay as they were written.
#[utoipa::path(
    post,
    path = "/spend/reprice",
    request_body = Fields,
    responses((status = 200, description = "What it came to"))
)]
pub(super) async fn again(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Fields>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/spend/reprice")?;
    let (Some(start), Some(end)) = (&fields.start_date, &fields.end_date) else {
        let message = "`start_date` and `end_date` say which calls: both are needed.";
        return Err(Refusal::bad_request(message).param("start_date"));
    };
    let (from, to) = span::times(Some(start), Some(end))?;
    let times = (from.unwrap_or_default(), to.unwrap_or(i64::MAX));
    room.booked().await?;
    let models = room.models()?;
    let price = |attempt: &Attempt| models.price_at(&attempt.deployment, &attempt.model);
    let model = fields.model.as_deref();
    let mut work = room.store.work().await?;
    let done = ledger::reprice(&mut work, model, times, &price).await?;
    let shown = json!({
        "calls": done.calls,
        "changed": done.changed,
        "spend_before": dollars(done.before),
        "spend_after": dollars(done.after),
    });
    let which = format!("{} {start} {end}", model.unwrap_or("*"));
    audit(&mut work, &who.actor(), ("repriced", &which), &shown).await?;
    work.commit().await?;
    Ok(Json(shown))
}

/// Notes who has changed what calls have cost.
pub(super) async fn audit(
    work: &mut Work,
    actor: &Actor,
    (action, which): (&str, &str),
    done: &Value,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (id, at, changed_by, changed_by_key, action, kind, thing, before, \
        after) VALUES ($1, $2, $3, $4, $5, 'spend', $6, NULL, $7)";
    let args = [
        format!("{:032x}", fastrand::u128(..)).into(),
        clock::now().into(),
        actor.user.as_str().into(),
        actor.key.as_str().into(),
        action.into(),
        which.into(),
        done.to_string().into(),
    ];
    work.execute(sql, &args).await.map(|_| ())
}
