//! `/key/aliases`.
use crate::manage::paging::Paging;
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

/// Aliases on a page, where nobody said.
const USUAL: i64 = 50;

/// Which aliases are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Asking {
    page: Option<i64>,
    size: Option<i64>,
    search: Option<String>,
}

/// The aliases of keys, in the order of the alphabet: of one's own, or of all for an admin.
#[utoipa::path(
    get,
    path = "/key/aliases",
    params(Asking),
    responses((status = 200, description = "The aliases of one page"))
)]
pub(super) async fn aliases(
    room: Room,
    who: Who,
    Query(asking): Query<Asking>,
) -> Result<Json<Value>, Refusal> {
    let user = if who.role().sees_all() { None } else { Some(super::list::own_user(&who)?) };
    let paging = Paging::new(asking.page, asking.size, USUAL)?;
    let (search, page) = (asking.search.unwrap_or_default(), paging.page(true));
    let (aliases, total) = room.store.key_aliases(&search, user, page).await?;
    Ok(Json(json!({
        "aliases": aliases,
        "total_count": total,
        "current_page": asking.page.unwrap_or(1),
        "total_pages": total.saturating_add(page.size - 1) / page.size,
        "size": page.size,
    })))
}
