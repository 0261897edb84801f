//! `/global/spend/report`: what teams, end users or keys have spent, by day and model.
use super::global::Narrow;
use super::{dollars, span};
use crate::ledger::{By, Totals};
use crate::manage::{Query, Refusal, Room, Who};
use crate::store::Kind;
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
    /// One team.
    team_id: Option<String>,
}

/// A model, the digest of a key, what it has spent on the model, and its tokens.
type OfModel<'a> = (&'a str, &'a str, i64, i64);

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
    let mut narrowed = narrow.days(kind)?;
    narrowed.subjects.extend(wanted.team_id.filter(|_| kind == "team"));
    let rows = narrowed.by(&room.store, &[By::Day, by, By::Model, By::Key]).await?;
    let titles = if kind == "team" { titles(&room, &rows).await? } else { BTreeMap::new() };
    let mut days: BTreeMap<&str, BTreeMap<&str, Vec<OfModel<'_>>>> = BTreeMap::new();
    for (names, sums) in &rows {
        let whose = days.entry(&names[0]).or_default().entry(&names[1]).or_default();
        let tokens = sums.prompt.saturating_add(sums.completion);
        whose.push((&names[2], &names[3], sums.spend, tokens));
    }
    let shown = days.into_iter().map(|(day, whose)| {
        let whose = whose.into_iter().map(|(subject, models)| {
            let total: i64 = models.iter().map(|(_, _, spend, _)| spend).sum();
            let models = models.into_iter().map(|(model, key, spend, tokens)| {
                json!({
                    "model": model, "api_key": key, "spend": dollars(spend),
                    "total_tokens": tokens,
                })
            });
            json!({
                name: titles.get(subject).map_or(subject, String::as_str), "total_spend": dollars(total),
                "metadata": models.collect::<Vec<_>>(),
            })
        });
        json!({"group_by_day": day, list: whose.collect::<Vec<_>>()})
    });
    Ok(Json(shown.collect()))
}

/// What people call the teams of a report.
async fn titles(
    room: &Room,
    rows: &[(Vec<String>, Totals)],
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut titles = BTreeMap::new();
    for (names, _) in rows {
        let Some(id) = names.get(1).filter(|id| !titles.contains_key(*id)) else { continue };
        let team = room.store.thing(Kind::Team, id).await?;
        let title = team.as_ref().and_then(|team| team.text("team_alias"));
        titles.insert(id.clone(), title.unwrap_or(id).to_owned());
    }
    Ok(titles)
}
