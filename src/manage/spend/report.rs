//! `/global/spend/report`: what teams, end users or keys have spent, by day and model.
use super::global::Narrow;
use super::{dollars, span};
use crate::ledger::By;
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is reported.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Wanted {
    /// The first day.
    start_date: Option<String>,
    /// The last day.
    end_date: Option<String>,
    /// `team` (the default), `customer`, `internal_user`, `organization`, `tag` or `api_key`.
    group_by: Option<String>,
    /// One key or its digest.
    api_key: Option<String>,
}

/// Of each day, who has spent how much on which model.
#[utoipa::path(
    get,
    path = "/global/spend/report",
    params(Wanted),
    responses((status = 200, description = "`{group_by_day, teams: [{…, total_spend, metadata}]}`"))
)]
pub(super) async fn report(
    room: Room,
    who: Who,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/report")?;
    let (Some(start), Some(end)) = (&wanted.start_date, &wanted.end_date) else {
        let message = "Please provide start_date and end_date";
        return Err(Refusal::bad_request(message).param("start_date"));
    };
    let (kind, by, list, name) = match wanted.group_by.as_deref().unwrap_or("team") {
        "team" => ("team", By::Subject, "teams", "team_name"),
        "customer" => ("end_user", By::Subject, "customers", "customer"),
        "internal_user" => ("user", By::Subject, "users", "user_id"),
        "organization" => ("organization", By::Subject, "organizations", "organization_id"),
        "tag" => ("tag", By::Subject, "tags", "tag"),
        "api_key" => ("user", By::Key, "api_keys", "api_key"),
        _ => {
            let message = "`group_by` is one of team, customer, internal_user, organization, tag, \
                api_key.";
            return Err(Refusal::bad_request(message).param("group_by"));
        }
    };
    span::days(Some(start), Some(end), 30)?;
    room.booked().await?;
    let narrow = Narrow::between(start, end, wanted.api_key);
    let rows = narrow.days(kind)?.by(&room.store, &[By::Day, by, By::Model]).await?;
    let mut days: BTreeMap<&str, BTreeMap<&str, Vec<(&str, i64, i64)>>> = BTreeMap::new();
    for (names, sums) in &rows {
        let whose = days.entry(&names[0]).or_default().entry(&names[1]).or_default();
        let tokens = sums.prompt.saturating_add(sums.completion);
        whose.push((&names[2], sums.spend, tokens));
    }
    let shown = days.into_iter().map(|(day, whose)| {
        let whose = whose.into_iter().map(|(subject, models)| {
            let total: i64 = models.iter().map(|(_, spend, _)| spend).sum();
            let models = models.into_iter().map(|(model, spend, tokens)| {
                json!({"model": model, "spend": dollars(spend), "total_tokens": tokens})
            });
            json!({
                name: subject, "total_spend": dollars(total),
                "metadata": models.collect::<Vec<_>>(),
            })
        });
        json!({"group_by_day": day, list: whose.collect::<Vec<_>>()})
    });
    Ok(Json(shown.collect()))
}
