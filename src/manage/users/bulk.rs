//! `/user/bulk_update`.
use super::fields::UserFields;
use super::row::USERS;
use super::update::changed;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Doc, Filter, Kind, Page};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// So many users at most.
const MOST: usize = 500;

/// Which users, and what becomes of them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Bulk {
    /// What becomes of single ones: as `/user/update` has it.
    #[schema(value_type = Vec<UserFields>)]
    users: Vec<Doc>,
    /// Whether all users are meant.
    all_users: Option<bool>,
    /// What becomes of all.
    #[schema(value_type = Option<UserFields>)]
    user_updates: Option<Doc>,
}

/// Changes many users: each for itself, so that one that fails keeps no other back.
#[utoipa::path(
    post,
    path = "/user/bulk_update",
    request_body = Bulk,
    responses((
        status = 200,
        description = "`{results, total_requested, successful_updates, failed_updates}`"
    ))
)]
pub(super) async fn bulk(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Bulk>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/user/bulk_update")?;
    let updates = updates(&room, fields).await?;
    if updates.is_empty() {
        return Err(Refusal::wrong("No users found to update"));
    }
    if updates.len() > MOST {
        let message =
            format!("Maximum {MOST} users can be updated at once. Found {} users.", updates.len());
        return Err(Refusal::wrong(message));
    }
    let (total, mut results, mut done) = (updates.len(), Vec::new(), 0);
    for doc in updates {
        let (id, email) = (doc.get("user_id").cloned(), doc.get("user_email").cloned());
        let result = match one(&room, &who, doc).await {
            Ok(row) => {
                done += 1;
                json!({
                    "user_id": row.get("user_id"), "user_email": row.get("user_email"),
                    "success": true, "error": null, "updated_user": row
                })
            }
            Err(error) => json!({
                "user_id": id, "user_email": email, "success": false,
                "error": error.message(), "updated_user": null
            }),
        };
        results.push(result);
    }
    Ok(Json(json!({
        "results": results, "total_requested": total, "successful_updates": done,
        "failed_updates": total - done
    })))
}

/// What becomes of whom.
async fn updates(room: &Manage, fields: Bulk) -> Result<Vec<Doc>, Refusal> {
    match (fields.all_users, fields.user_updates) {
        (Some(true), Some(same)) => {
            let page = Page { size: MOST as i64 + 1, ..Page::ALL };
            let users = room.store.things(Kind::User, &Filter::default(), page).await?;
            let each = users.into_iter().map(|user| {
                let mut doc = same.clone();
                doc.insert("user_id".to_owned(), user.id.into());
                doc
            });
            Ok(each.collect())
        }
        _ if fields.users.is_empty() => Err(Refusal::wrong(
            "Must specify either 'users' for individual updates or 'all_users=True' with \
             'user_updates' for bulk updates",
        )),
        _ => Ok(fields.users),
    }
}

async fn one(room: &Manage, who: &Who, doc: Doc) -> Result<Doc, Refusal> {
    let asked: Asked<UserFields> = Asked::of(doc)?;
    let mut change = room.store.change(who.actor()).await?;
    let user = changed(room, &mut change, who, &asked).await?;
    room.commit(change).await?;
    room.row(&USERS, &user).await
}
