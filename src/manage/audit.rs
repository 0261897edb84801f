//! `/audit`: who changed what.
use super::paging::Paging;
use super::{Query, Refusal, Room, Who};
use crate::clock;
use crate::store::{AuditFilter, Audited, Doc, Kind, Page};
use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

/// Entries on a page, where nobody said.
const USUAL: i64 = 10;

/// The last millisecond of a day.
const DAY: i64 = 86_400_000;

/// What LiteLLM calls the tables that things of each kind are kept in.
const TABLES: [(Kind, &str); 10] = [
    (Kind::Key, "LiteLLM_VerificationToken"),
    (Kind::User, "LiteLLM_UserTable"),
    (Kind::Team, "LiteLLM_TeamTable"),
    (Kind::TeamMember, "LiteLLM_TeamMembership"),
    (Kind::Organization, "LiteLLM_OrganizationTable"),
    (Kind::OrganizationMember, "LiteLLM_OrganizationMembership"),
    (Kind::EndUser, "LiteLLM_EndUserTable"),
    (Kind::Budget, "LiteLLM_BudgetTable"),
    (Kind::Tag, "LiteLLM_TagTable"),
    (Kind::AccessGroup, "LiteLLM_AccessGroupTable"),
];

serves! {
    GET "/audit" => list,
    GET "/audit/{id}" => one,
}

/// Which entries are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
struct Asking {
    page: Option<i64>,
    page_size: Option<i64>,
    /// `created`, `updated` or `deleted`.
    action: Option<String>,
    /// A kind of thing, such as `key`, or what LiteLLM calls its table.
    table_name: Option<String>,
    /// The thing's id; of a key its digest.
    object_id: Option<String>,
    /// The user who did it.
    changed_by: Option<String>,
    /// The digest of the key that it was done with.
    changed_by_api_key: Option<String>,
    /// A time, or a day in UTC: from its beginning.
    start_date: Option<String>,
    /// A time, or a day in UTC: to its end.
    end_date: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
}

/// Lists who changed what, the last change first. Secrets are masked.
#[utoipa::path(
    get,
    path = "/audit",
    params(Asking),
    responses((status = 200, description = "The entries of one page"))
)]
async fn list(room: Room, who: Who, Query(asking): Query<Asking>) -> Result<Json<Doc>, Refusal> {
    who.sees_all("/audit")?;
    let paging = Paging::new(asking.page, asking.page_size, USUAL)?;
    let ascending = match asking.sort_order.as_deref() {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => {
            return Err(Refusal::invalid(
                &["query", "sort_order"],
                "Input should be 'asc' or 'desc'",
            ));
        }
    };
    let (entries, total) = room.store.audit(&filter(asking)?, paging.page(ascending)).await?;
    let entries = entries.into_iter().map(shown).collect();
    Ok(Json(paging.answer("audit_logs", entries, total)))
}

/// Shows one entry.
#[utoipa::path(
    get,
    path = "/audit/{id}",
    params(("id" = String, Path, description = "The entry's id")),
    responses((status = 200, description = "The entry"))
)]
async fn one(room: Room, who: Who, Path(id): Path<String>) -> Result<Json<Doc>, Refusal> {
    who.sees_all("/audit")?;
    let filter = AuditFilter { id: Some(id.clone()), ..AuditFilter::default() };
    let (entries, _) = room.store.audit(&filter, Page::ALL).await?;
    let entry = entries.into_iter().next().ok_or_else(|| {
        let message = format!("Audit log with ID {id} not found");
        Refusal::detail(StatusCode::NOT_FOUND, json!({"message": message}))
    })?;
    Ok(Json(shown(entry)))
}

fn filter(asking: Asking) -> Result<AuditFilter, Refusal> {
    let told = |text: Option<String>| text.filter(|text| !text.is_empty());
    let kind = told(asking.table_name).map(|name| {
        let known = TABLES.into_iter().find(|(_, table)| *table == name);
        known.map_or(name, |(kind, _)| kind.name().to_owned())
    });
    let time = |text: Option<String>, name: &str, more: i64| {
        let Some(text) = told(text) else { return Ok(None) };
        let is_day = !text.contains(':');
        let time = clock::parse(&text).map(|time| if is_day { time + more } else { time });
        let message = "Input should be a time such as 2026-11-22T06:00:00Z, or a day";
        time.map(Some).ok_or_else(|| Refusal::invalid(&["query", name], message))
    };
    Ok(AuditFilter {
        id: None,
        by: told(asking.changed_by),
        by_key: told(asking.changed_by_api_key),
        action: told(asking.action),
        kind,
        thing: told(asking.object_id),
        from: time(asking.start_date, "start_date", 0)?,
        to: time(asking.end_date, "end_date", DAY - 1)?,
    })
}

fn shown(entry: Audited) -> Doc {
    let doc = |text: Option<String>| {
        text.and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default()
    };
    let table = TABLES.into_iter().find(|(kind, _)| kind.name() == entry.kind);
    let columns = [
        ("id", entry.id.into()),
        ("updated_at", clock::iso(entry.at).into()),
        ("changed_by", entry.by.into()),
        ("changed_by_api_key", entry.by_key.into()),
        ("action", entry.action.into()),
        ("table_name", table.map_or(entry.kind, |(_, table)| table.to_owned()).into()),
        ("object_id", entry.thing.into()),
        ("before_value", doc(entry.before)),
        ("updated_values", doc(entry.after)),
    ];
    columns.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}
