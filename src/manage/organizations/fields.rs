//! What may be said of an organisation, and what its teams may have.
use crate::identity::Role;
use crate::manage::{Refusal, Who, budgets};
use crate::store::{Change, Doc, Kind, Thing, member_id};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The fields of an organisation that requests may set, besides those of its budget.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct OrganizationFields {
    /// What it is found by; made where there is none.
    #[serde(skip_serializing)]
    pub(super) organization_id: Option<String>,
    /// A name for people.
    pub(super) organization_alias: Option<String>,
    /// The models that its keys may ask for; all if there are none.
    pub(super) models: Option<Vec<String>>,
    /// Anything that is to be known of it.
    pub(super) metadata: Option<Map<String, Value>>,
    /// The budget that it shares; one of its own without it.
    pub(super) budget_id: Option<String>,
    /// Tokens in a minute, by model.
    pub(super) model_tpm_limit: Option<Map<String, Value>>,
    /// Calls in a minute, by model.
    pub(super) model_rpm_limit: Option<Map<String, Value>>,
    /// Kept for clients that send it.
    pub(super) object_permission: Option<Map<String, Value>>,
}

/// Whether somebody may manage an organisation: an admin of the proxy, or its own.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn is_admin(
    change: &mut Change,
    who: &Who,
    organization: &str,
) -> Result<bool, Refusal> {
    if who.role() == Role::Admin {
        return Ok(true);
    }
    let Some(user) = who.user() else { return Ok(false) };
    let id = member_id(organization, user);
    let member = change.work().thing(Kind::OrganizationMember, &id).await?;
    Ok(member.is_some_and(|member| member.text("user_role") == Some("org_admin")))
}

/// Whether a team has no more than its organisation: no greater budget, no other models, no higher
/// limits.
///
/// # Errors
///
/// 400, if it has, or there is no such organisation.
pub(in crate::manage) async fn check_within(
    change: &mut Change,
    team: &Doc,
) -> Result<(), Refusal> {
    let id = team.get("organization_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let Some(id) = id else { return Ok(()) };
    let wrong = |message: String| Refusal::internal(StatusCode::BAD_REQUEST, message);
    let Some(organization) = change.work().thing(Kind::Organization, id).await? else {
        return Err(wrong(format!("Organization not found for organization_id={id}")));
    };
    let budget = match organization.text("budget_id") {
        Some(budget) => change.work().thing(Kind::Budget, budget).await?,
        None => None,
    };
    let most = |name: &str| budget.as_ref().and_then(|budget| budget.doc.get(name)?.as_f64());
    for name in ["max_budget", "tpm_limit", "rpm_limit"] {
        let own = team.get(name).and_then(Value::as_f64);
        if let (Some(own), Some(most)) = (own, most(name))
            && own > most
        {
            return Err(wrong(format!(
                "Team {name} ({own:?}) exceeds organization's {name} ({most:?}). Organization: {id}"
            )));
        }
    }
    match foreign(&organization, team) {
        Some(model) => Err(wrong(format!(
            "Model '{model}' not in organization's allowed models. Organization: {id}"
        ))),
        None => Ok(()),
    }
}

/// The first model of a team that its organisation does not have.
fn foreign<'a>(organization: &Thing, team: &'a Doc) -> Option<&'a str> {
    let list = |doc: &'a Doc| doc.get("models").and_then(Value::as_array);
    let most = organization.doc.get("models").and_then(Value::as_array)?;
    if most.is_empty() || most.iter().any(|model| model == "all-proxy-models") {
        return None;
    }
    let own = list(team)?.iter().filter_map(Value::as_str);
    let mut own = own.filter(|model| *model != "no-default-models");
    own.find(|model| !most.iter().any(|it| it == model))
}

/// The organisation with that id.
///
/// # Errors
///
/// 404, if there is none.
pub(super) async fn there(change: &mut Change, id: &str) -> Result<Thing, Refusal> {
    let organization = change.work().thing(Kind::Organization, id).await?;
    organization.ok_or_else(|| {
        let message = format!("Organization not found for organization_id={id}");
        Refusal::because(StatusCode::NOT_FOUND, message)
    })
}

/// The organisation, for those who may manage it. For others it is as if it were not theirs,
/// whether it is there or not.
///
/// # Errors
///
/// 401 and 404.
pub(super) async fn managed(
    change: &mut Change,
    who: &Who,
    id: &str,
    route: &str,
) -> Result<Thing, Refusal> {
    if !is_admin(change, who, id).await? {
        who.admin(route)?;
    }
    there(change, id).await
}

/// Changes the budget of something, which is made where it has none. Tells its id.
///
/// # Errors
///
/// As the budget is.
pub(in crate::manage) async fn bound(
    change: &mut Change,
    who: &Who,
    own: Option<&str>,
    bounds: Doc,
) -> Result<Option<String>, Refusal> {
    if bounds.is_empty() {
        return Ok(None);
    }
    if let Some(own) = own
        && change.work().thing(Kind::Budget, own).await?.is_some()
    {
        return budgets::change_budget(change, who, own, bounds).await.map(|it| Some(it.id));
    }
    // It has none, or the one that it had was deleted.
    if bounds.values().all(Value::is_null) {
        return Ok(None);
    }
    budgets::make(change, who, None, bounds).await.map(|it| Some(it.id))
}
