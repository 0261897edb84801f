//! The budget that all members of a team have who have none of their own.
use super::fields::TeamFields;
use super::roster::new_budget;
use crate::manage::bounds::{check_bounds, merge};
use crate::manage::gone::shared_budget;
use crate::manage::{Refusal, Who};
use crate::store::{Change, Doc, Filter, Kind};
use serde_json::{Value, json};

/// Takes over what a request says of it into `team`, and into its members if there are any. `asked`
/// is the request as it was written.
///
/// # Errors
///
/// If there can be no such budget, or the store fails.
pub(super) async fn share(
    change: &mut Change,
    who: &Who,
    (id, team): (&str, &mut Doc),
    (fields, asked): (&TeamFields, &Doc),
) -> Result<(), Refusal> {
    let told = [
        ("max_budget", "team_member_budget", json!(fields.team_member_budget)),
        (
            "budget_duration",
            "team_member_budget_duration",
            json!(fields.team_member_budget_duration),
        ),
        ("rpm_limit", "team_member_rpm_limit", json!(fields.team_member_rpm_limit)),
        ("tpm_limit", "team_member_tpm_limit", json!(fields.team_member_tpm_limit)),
    ];
    let told = told.into_iter().filter(|(_, name, _)| asked.contains_key(*name));
    let bounds: Doc = told.map(|(name, _, value)| (name.to_owned(), value)).collect();
    if bounds.is_empty() {
        return Ok(());
    }
    check_bounds(&bounds).map_err(Refusal::wrong)?;
    if let Some(budget) = shared_budget(team)
        && let Some(budget) = change.work().thing(Kind::Budget, budget).await?
    {
        let mut doc = budget.doc.clone();
        merge(&mut doc, bounds);
        who.signs(&mut doc);
        change.update(&budget, doc).await?;
        return Ok(());
    }
    if bounds.values().all(Value::is_null) {
        return Ok(());
    }
    let budget = new_budget(change, who, bounds.into()).await?;
    let metadata = team.entry("metadata").or_insert_with(|| json!({}));
    if let Value::Object(metadata) = metadata {
        metadata.insert("team_member_budget_id".to_owned(), budget.as_str().into());
    }
    let filter = Filter { team: Some(id.to_owned()), ..Filter::default() };
    for member in change.work().things(Kind::TeamMember, &filter).await? {
        if member.text("budget_id").is_none() {
            let mut doc = member.doc.clone();
            doc.insert("budget_id".to_owned(), budget.as_str().into());
            change.update(&member, doc).await?;
        }
    }
    Ok(())
}
