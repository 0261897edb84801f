//! Things as answers show them: all columns of LiteLLM's tables, with what was spent.
use super::{Manage, Refusal};
use crate::clock;
use crate::store::{Account, Doc, Kind, Page, Thing};
use bartizan_layers::cost::BudgetWindow;
use bartizan_layers::facts::{NanoUsd, Scope};
use serde_json::Value;
use std::collections::HashMap;

/// How things of one kind are shown.
#[derive(Debug)]
pub(super) struct Table {
    /// The columns of LiteLLM's table as JSON, with the values that stand there where nobody said
    /// anything.
    pub(super) columns: &'static str,
    /// The column that has the id; empty where several make it up.
    pub(super) id: &'static str,
    /// Whose accounts tell what was spent.
    pub(super) scope: Option<Scope>,
}

/// What several others may share.
pub(super) const BUDGETS: Table = Table {
    columns: r#"{
        "budget_id": null, "max_budget": null, "soft_budget": null, "max_parallel_requests": null,
        "tpm_limit": null, "rpm_limit": null, "model_max_budget": null, "budget_duration": null,
        "budget_reset_at": null, "created_by": null, "updated_by": null
    }"#,
    id: "budget_id",
    scope: None,
};

impl Table {
    /// All columns of a thing, as if nothing had been spent.
    pub(super) fn row(&self, thing: &Thing) -> Doc {
        let mut row: Doc = serde_json::from_str(self.columns).unwrap_or_default();
        row.extend(thing.doc.clone());
        if !self.id.is_empty() {
            row.insert(self.id.to_owned(), thing.id.as_str().into());
        }
        row.insert("created_at".to_owned(), clock::iso(thing.created_at).into());
        row.insert("updated_at".to_owned(), clock::iso(thing.updated_at).into());
        if self.scope.is_some() {
            row.insert("spend".to_owned(), 0.0.into());
        }
        told_end(&mut row, None);
        row
    }
}

/// Says when the window of a row's budget ends: `until`, in seconds since 1970, or with the one
/// that is open by the calendar.
fn told_end(row: &mut Doc, until: Option<i64>) {
    let window = row.get("budget_duration").and_then(Value::as_str);
    let window: Option<BudgetWindow> = window.and_then(|text| text.parse().ok());
    let end = window.map(|window| {
        until.unwrap_or_else(|| clock::window_end(window, clock::now().div_euclid(1000)))
    });
    let end = end.map(|end| clock::iso(end.saturating_mul(1000)));
    row.insert("budget_reset_at".to_owned(), end.into());
}

impl Manage {
    /// All columns of these things, in their order.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(super) async fn rows(&self, table: &Table, things: &[Thing]) -> Result<Vec<Doc>, Refusal> {
        let mut rows: Vec<_> = things.iter().map(|thing| table.row(thing)).collect();
        let Some(scope) = table.scope else { return Ok(rows) };
        let ids: Vec<_> = things.iter().map(|thing| thing.id.as_str()).collect();
        let accounts = self.store.accounts_of(scope.name(), &ids).await?;
        let accounts: HashMap<_, _> =
            accounts.iter().map(|account| (account.subject.as_str(), account)).collect();
        for (row, id) in rows.iter_mut().zip(ids) {
            if let Some(account) = accounts.get(id) {
                told_spend(row, account);
            }
        }
        Ok(rows)
    }

    /// All columns of one thing.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(super) async fn row(&self, table: &Table, thing: &Thing) -> Result<Doc, Refusal> {
        let rows = self.rows(table, std::slice::from_ref(thing)).await?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// All columns of keys, with the alias of their teams as far as those are among `teams`.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(super) async fn key_rows_with(
        &self,
        keys: &[Thing],
        teams: &[Thing],
    ) -> Result<Vec<Doc>, Refusal> {
        let mut rows = self.key_rows(keys).await?;
        let aliases: HashMap<_, _> =
            teams.iter().map(|team| (team.id.as_str(), team.text("team_alias"))).collect();
        for (key, row) in keys.iter().zip(&mut rows) {
            // LiteLLM writes what Python has for nothing where there is no team.
            let alias = key
                .text("team_id")
                .map_or(Value::from("None"), |team| aliases.get(team).copied().flatten().into());
            row.insert("team_alias".to_owned(), alias);
        }
        Ok(rows)
    }

    /// Puts beside each `budget_id` the budget that it names, as `litellm_budget_table`.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub(super) async fn with_budgets(&self, rows: &mut [Doc]) -> Result<(), Refusal> {
        let mut budgets: HashMap<String, Doc> = HashMap::new();
        if rows.len() > FEW {
            let all = self.store.things(Kind::Budget, &Default::default(), Page::ALL).await?;
            budgets.extend(all.iter().map(|thing| (thing.id.clone(), BUDGETS.row(thing))));
        }
        for row in rows.iter_mut() {
            let id = row.get("budget_id").and_then(Value::as_str).map(str::to_owned);
            let mut shown = Value::Null;
            if let Some(id) = id {
                if !budgets.contains_key(&id)
                    && let Some(thing) = self.store.thing(Kind::Budget, &id).await?
                {
                    budgets.insert(id.clone(), BUDGETS.row(&thing));
                }
                shown = budgets.get(&id).cloned().into();
            }
            row.insert("litellm_budget_table".to_owned(), shown);
        }
        Ok(())
    }
}

/// For more rows than these all budgets are read at once.
const FEW: usize = 20;

/// What was spent in the window that is open now, in US dollars, and when it ends.
fn told_spend(row: &mut Doc, account: &Account) {
    let now = clock::now().div_euclid(1000);
    let until = account.until.filter(|until| *until > now);
    let is_over = account.until.is_some() && until.is_none();
    let spent = if is_over { 0 } else { account.spend };
    row.insert("spend".to_owned(), NanoUsd(spent).dollars().into());
    told_end(row, until);
}
