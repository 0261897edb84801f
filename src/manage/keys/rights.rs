//! Who may do what to which key.
use super::fields::KeyFields;
use crate::identity::Role;
use crate::manage::{Asked, Refusal, Who};
use crate::store::{Doc, Kind, Store, StoreError, Thing, Work};
use http::StatusCode;
use serde_json::Value;

/// What is done to a key by somebody who may be no admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// It is made.
    Generate,
    /// It is made for a team, and is nobody's.
    Service,
    /// It is changed.
    Update,
    /// It gets another text.
    Regenerate,
    /// It is taken away.
    Delete,
}

impl Task {
    /// The route that does so, as lists of permissions have it.
    pub(super) const fn route(self) -> &'static str {
        match self {
            Self::Generate => "/key/generate",
            Self::Service => "/key/service-account/generate",
            Self::Update => "/key/update",
            Self::Regenerate => "/key/regenerate",
            Self::Delete => "/key/delete",
        }
    }
}

/// What a user is in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may do what it likes with the team's keys.
    Admin,
    /// It may do what the team lets its members do.
    Member,
}

/// What a user is in a team; `None` if it is not in it.
pub(super) fn standing(team: &Thing, user: &str) -> Option<Standing> {
    let list = team.doc.get("members_with_roles").and_then(Value::as_array);
    let mut members = list.into_iter().flatten();
    let is_it = |member: &&Value| member.get("user_id").and_then(Value::as_str) == Some(user);
    let member = members.find(is_it)?;
    let admin = member.get("role").and_then(Value::as_str) == Some("admin");
    Some(if admin { Standing::Admin } else { Standing::Member })
}

/// What the members of a team may do with its keys; without a word from the team, see them.
fn permitted(team: &Thing, route: &str) -> bool {
    let told = team.doc.get("team_member_permissions").and_then(Value::as_array);
    let mut told = told.into_iter().flatten().filter_map(Value::as_str).peekable();
    if told.peek().is_none() {
        return ["/key/info", "/key/health"].contains(&route);
    }
    told.any(|one| one == route)
}

/// A user that is no admin and acts on its own keys, or on those of its teams.
pub(super) struct Delegate<'a> {
    /// Who it is.
    pub(super) user: &'a str,
    /// The team of its key, which it cannot leave.
    team: Option<&'a str>,
    task: Task,
}

impl<'a> Delegate<'a> {
    /// Who acts here; `None` for those who may do everything.
    ///
    /// # Errors
    ///
    /// For those who may do nothing, as LiteLLM tells it.
    pub(super) fn of(who: &'a Who, task: Task) -> Result<Option<Self>, Refusal> {
        match (who.role(), who.user()) {
            (Role::Admin, _) => Ok(None),
            (Role::User, Some(user)) => Ok(Some(Self { user, team: who.0.team.as_deref(), task })),
            _ => who.admin(task.route()).map(|()| None),
        }
    }

    /// Whether it may act on a key as it is.
    ///
    /// # Errors
    ///
    /// If the key is another's.
    pub(super) async fn check(&self, work: &mut Work, key: &Thing) -> Result<(), Refusal> {
        let is_own = key.text("user_id") == Some(self.user);
        let Some(team) = key.text("team_id") else {
            return if is_own { Ok(()) } else { Err(self.not_its_own()) };
        };
        // Whose key it is may take it out of use, whatever the team says.
        if is_own && matches!(self.task, Task::Delete | Task::Regenerate) {
            return Ok(());
        }
        if self.task == Task::Delete {
            // No permission of a team lets its members delete each other's keys.
            let team = work.thing(Kind::Team, team).await?;
            let as_what = team.and_then(|team| standing(&team, self.user));
            return (as_what == Some(Standing::Admin))
                .then_some(())
                .ok_or_else(|| self.not_its_own());
        }
        self.in_team(work, team).await.map(|_| ())
    }

    /// Whether it may act on the keys of a team, and as what.
    async fn in_team(&self, work: &mut Work, id: &str) -> Result<(Thing, Standing), Refusal> {
        let team = work.thing(Kind::Team, id).await?;
        let found = team.and_then(|team| standing(&team, self.user).map(|as_what| (team, as_what)));
        // Of a team that there is not, nothing else is said.
        let (team, as_what) = found.ok_or_else(|| self.not_in_team(id))?;
        let route = self.task.route();
        if as_what == Standing::Admin || permitted(&team, route) {
            return Ok((team, as_what));
        }
        let message = format!(
            "Team member does not have permissions for endpoint: {route}. An admin of the team \
             can give them: /team/permissions_update, team_member_permissions."
        );
        let kind = "team_member_permission_error";
        Err(Refusal::error(StatusCode::UNAUTHORIZED, kind, message).param(route))
    }

    /// Whether it may set what a request sets: what was spent, and who is blocked, admins say.
    ///
    /// # Errors
    ///
    /// With the field that it may not set.
    pub(super) fn may_set(
        &self,
        asked: &Asked<KeyFields>,
        before: Option<&Thing>,
    ) -> Result<(), Refusal> {
        let was_blocked = before.is_some_and(|key| key.doc.get("blocked") == Some(&true.into()));
        let unblocks = was_blocked && asked.doc.contains_key("blocked");
        let unblocks = unblocks && asked.fields.blocked != Some(true);
        let name = match (asked.fields.spend, unblocks) {
            (Some(_), _) => "spend",
            (None, true) => "blocked",
            (None, false) => return Ok(()),
        };
        Err(Refusal::forbidden(format!("Only an admin can set {name}.")).param(name))
    }

    /// Decides whose a key is that is made, or changed, to be as `key` says. Returns its team.
    ///
    /// # Errors
    ///
    /// If it would be another's.
    pub(super) async fn owns(
        &self,
        work: &mut Work,
        key: &mut Doc,
        before: Option<&Thing>,
    ) -> Result<Option<Thing>, Refusal> {
        let text = |doc: &Doc, name: &str| {
            doc.get(name).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned)
        };
        if before.is_none() && text(key, "team_id").is_none() {
            key.extend(self.team.map(|team| ("team_id".to_owned(), Value::from(team))));
        }
        let (mut team, mut as_what) = (None, None);
        let same = |name| before.is_some_and(|it| it.text(name) == text(key, name).as_deref());
        let stays = same("team_id") && same("user_id");
        if let Some(id) = text(key, "team_id").filter(|_| !stays) {
            let (found, standing) = self.in_team(work, &id).await?;
            (team, as_what) = (Some(found), Some(standing));
        } else if let Some(id) = text(key, "team_id") {
            team = work.thing(Kind::Team, &id).await?;
        }
        if stays || (self.task == Task::Service && team.is_some()) {
            return Ok(team);
        }
        let Some(user) = text(key, "user_id") else {
            key.insert("user_id".to_owned(), self.user.into());
            return Ok(team);
        };
        let leads = as_what == Some(Standing::Admin)
            && team.as_ref().is_some_and(|team| standing(team, &user).is_some());
        if user == self.user || leads { Ok(team) } else { Err(self.not_for(&user)) }
    }

    fn not_its_own(&self) -> Refusal {
        let message =
            format!("You are not allowed to do this to a key of others. Your ID={}", self.user);
        Refusal::forbidden(message)
    }

    fn not_in_team(&self, team: &str) -> Refusal {
        let message = format!("User={} not assigned to team={team}", self.user);
        Refusal::forbidden(message).param("team_id")
    }

    fn not_for(&self, user: &str) -> Refusal {
        let message = format!(
            "User can only create keys for themselves. Got user_id={user}, Your ID={}",
            self.user
        );
        Refusal::forbidden(message).param("user_id")
    }
}

/// Whether somebody may see a key: its own, its user's, those of teams that show them.
///
/// # Errors
///
/// As the store says.
pub(super) async fn sees(store: &Store, who: &Who, key: &Thing) -> Result<bool, StoreError> {
    if who.role().sees_all() || *who.0.key == *key.id {
        return Ok(true);
    }
    let Some(user) = who.user().filter(|_| who.caller().is_some()) else { return Ok(false) };
    if key.text("user_id") == Some(user) {
        return Ok(true);
    }
    let Some(team) = key.text("team_id") else { return Ok(false) };
    let Some(team) = store.thing(Kind::Team, team).await? else { return Ok(false) };
    let standing = standing(&team, user);
    Ok(standing.is_some_and(|it| it == Standing::Admin || permitted(&team, "/key/info")))
}
