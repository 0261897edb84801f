//! `/spend/by`: what calls have cost, by one thing.
use super::{dollars, span};
use crate::ledger::{By, Days};
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

/// By what, from when until when.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Wanted {
    /// `key`, `user`, `team`, `organization`, `end_user`, `tag`, `model` (the default), `group`,
    /// `provider` or `day`.
    by: Option<String>,
    /// The first day; default 29 days before the last.
    start_date: Option<String>,
    /// The last day; default today.
    end_date: Option<String>,
}

/// What calls have cost, by one thing: the dearest first, days in their order.
#[utoipa::path(
    get,
    path = "/spend/by",
    params(Wanted),
    responses((status = 200, description = "`{name, spend, spend_nano_usd, requests, tokens, …}`"))
)]
pub(super) async fn by(
    room: Room,
    who: Who,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/spend/by")?;
    let (kind, by) = match wanted.by.as_deref().unwrap_or("model") {
        "key" => ("user", By::Key),
        "user" => ("user", By::Subject),
        "model" => ("user", By::Model),
        "group" => ("user", By::Group),
        "provider" => ("user", By::Provider),
        "day" => ("user", By::Day),
        "team" => ("team", By::Subject),
        "organization" => ("organization", By::Subject),
        "end_user" => ("end_user", By::Subject),
        "tag" => ("tag", By::Subject),
        _ => {
            let message = "`by` is one of key, user, team, organization, end_user, tag, model, \
                group, provider, day.";
            return Err(Refusal::bad_request(message).param("by"));
        }
    };
    let dates = (wanted.start_date.as_deref(), wanted.end_date.as_deref());
    let (from, to) = span::days(dates.0, dates.1, 30)?;
    room.booked().await?;
    let days = Days { kind, from, to, subjects: vec![], key: None, model: None };
    let mut rows = days.by(&room.store, &[by]).await?;
    if by != By::Day {
        rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.spend));
    }
    let shown = rows.iter().map(|(names, sums)| {
        json!({
            "name": names.first(),
            "spend": dollars(sums.spend),
            "spend_nano_usd": sums.spend,
            "requests": sums.requests,
            "failed": sums.failed,
            "prompt_tokens": sums.prompt,
            "completion_tokens": sums.completion,
        })
    });
    Ok(Json(shown.collect()))
}
