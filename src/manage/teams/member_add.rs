//! `/team/member_add` and `/team/bulk_member_add`.
use super::access::manages;
use super::roster::{Member, Rank, Seat, enlist, has, known, seat};
use super::row::{memberships, team_row};
use super::{not_there, team_of};
use crate::manage::users::user_rows;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Change, Doc, Filter, Kind, Thing};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// So many members at most.
const MOST: usize = 500;

/// Who joins which team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Addition {
    /// The team's id.
    team_id: String,
    /// One member, or several.
    member: OneOrMore,
    /// US dollars that each may spend in this team.
    #[serde(default)]
    max_budget_in_team: Option<f64>,
}

/// One member, or several.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
enum OneOrMore {
    One(Member),
    More(Vec<Member>),
}

/// Lets members into a team. Users whom nobody knows are made.
#[utoipa::path(
    post,
    path = "/team/member_add",
    request_body = Addition,
    responses(
        (status = 200, description = "The team, `updated_users`, `updated_team_memberships`"),
        (status = 400, description = "All of them are in it already"),
        (status = 403, description = "The caller is no admin of the team"),
        (status = 404, description = "There is no such team"),
    )
)]
pub(super) async fn add(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Addition>,
) -> Result<Json<Doc>, Refusal> {
    let members = match fields.member {
        OneOrMore::One(member) => vec![member],
        OneOrMore::More(members) => members,
    };
    if members.is_empty() {
        return Err(Refusal::wrong("No member/members passed in"));
    }
    let mut change = room.store.change(who.actor()).await?;
    let team = reached(&mut change, &who, &fields.team_id, "/team/member_add").await?;
    let budget = positive(fields.max_budget_in_team)?;
    let (team, seats) = admit(&mut change, &who, &team, &members, budget).await?;
    if seats.is_empty() {
        return Err(already(&members));
    }
    room.commit(change).await?;
    answer(&room, &who, &team, seats).await.map(Json)
}

/// The team, for those who may manage its members. For others it is as if it were not theirs,
/// whether it is there or not.
///
/// # Errors
///
/// 404 and 403.
pub(super) async fn reached(
    change: &mut Change,
    who: &Who,
    id: &str,
    route: &str,
) -> Result<Thing, Refusal> {
    match team_of(change, id).await? {
        Some(team) => manages(change, who, &team, route).await.map(|()| team),
        None if who.role().sees_all() => Err(not_there(id)),
        None => {
            let message = format!(
                "Call not allowed. User not proxy admin OR team admin. route={route}, team_id={id}"
            );
            Err(Refusal::because(StatusCode::FORBIDDEN, message))
        }
    }
}

/// Whether a budget can be one.
fn positive(budget: Option<f64>) -> Result<Option<f64>, Refusal> {
    match budget {
        Some(budget) if budget < 0.0 => {
            let message = format!("max_budget_in_team cannot be negative. Received: {budget:?}");
            Err(Refusal::wrong(message))
        }
        budget => Ok(budget),
    }
}

/// Lets those of `members` in who are not in it yet.
async fn admit(
    change: &mut Change,
    who: &Who,
    team: &Thing,
    members: &[Member],
    budget: Option<f64>,
) -> Result<(Thing, Vec<Seat>), Refusal> {
    let (mut doc, mut seats) = (team.doc.clone(), Vec::new());
    for member in members {
        let user = known(change, member).await?;
        if user.is_some_and(|user| has(&doc, &user.id, None)) {
            continue;
        }
        let place = seat(change, who, (&team.id, &doc), member, budget).await?;
        enlist(&mut doc, std::slice::from_ref(&place));
        seats.push(place);
    }
    if seats.is_empty() {
        return Ok((team.clone(), seats));
    }
    Ok((change.update(team, doc).await?, seats))
}

fn already(members: &[Member]) -> Refusal {
    let message = match members {
        [one] => {
            let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "None".to_owned());
            let (id, email) = (told(&one.user_id), told(&one.user_email));
            format!("User already in team. Member: user_id={id}, user_email={email}.")
        }
        _ => "All users are already in team.".to_owned(),
    };
    Refusal::error(StatusCode::BAD_REQUEST, "team_member_already_in_team", message).param("member")
}

async fn answer(room: &Manage, who: &Who, team: &Thing, seats: Vec<Seat>) -> Result<Doc, Refusal> {
    let (users, places): (Vec<_>, Vec<_>) =
        seats.into_iter().map(|seat| (seat.user, seat.membership)).unzip();
    let mut row = team_row(room, team).await?;
    row.insert("updated_users".to_owned(), json!(user_rows(room, who, &users).await?));
    row.insert("updated_team_memberships".to_owned(), json!(memberships(room, &places).await?));
    Ok(row)
}

/// Who joins which team, all at once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Bulk {
    /// The team's id.
    team_id: String,
    /// The members.
    #[serde(default)]
    members: Option<Vec<Member>>,
    /// Whether all users join.
    #[serde(default)]
    all_users: Option<bool>,
    /// US dollars that each may spend in this team.
    #[serde(default)]
    max_budget_in_team: Option<f64>,
}

/// Lets many members into a team, 500 at most.
#[utoipa::path(
    post,
    path = "/team/bulk_member_add",
    request_body = Bulk,
    responses((
        status = 200,
        description = "`{team_id, results, total_requested, successful_additions, \
            failed_additions, updated_team}`"
    ))
)]
pub(super) async fn add_many(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Bulk>,
) -> Result<Json<Value>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let mut team = reached(&mut change, &who, &fields.team_id, "/team/bulk_member_add").await?;
    let members = match fields.members {
        _ if fields.all_users == Some(true) => {
            who.admin("/team/bulk_member_add")?;
            everyone(&mut change).await?
        }
        members => members.unwrap_or_default(),
    };
    if members.is_empty() {
        return Err(Refusal::wrong("At least one member is required"));
    }
    if members.len() > MOST {
        return Err(Refusal::wrong(format!("Maximum {MOST} members can be added at once")));
    }
    let budget = positive(fields.max_budget_in_team)?;
    let mut results = Vec::new();
    for member in &members {
        let one = std::slice::from_ref(member);
        let (after, seats) = admit(&mut change, &who, &team, one, budget).await?;
        team = after;
        let error = seats.is_empty().then(|| already(one).message());
        results.push(json!({
            "user_id": seats.first().map_or(member.user_id.as_deref(), |it| Some(&it.user.id)),
            "user_email": member.user_email, "success": error.is_none(), "error": error
        }));
    }
    room.commit(change).await?;
    let done = results.iter().filter(|result| result["success"] == true).count();
    Ok(Json(json!({
        "team_id": team.id, "results": results, "total_requested": members.len(),
        "successful_additions": done, "failed_additions": members.len() - done,
        "updated_team": team_row(&room, &team).await?
    })))
}

async fn everyone(change: &mut Change) -> Result<Vec<Member>, Refusal> {
    let users = change.work().things(Kind::User, &Filter::default()).await?;
    let member =
        |user: Thing| Member { user_id: Some(user.id), user_email: None, role: Rank::User };
    Ok(users.into_iter().map(member).collect())
}
