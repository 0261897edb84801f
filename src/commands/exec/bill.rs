//! What each model came to, as a small table below the line at the end.
use super::Ended;
use super::summary::{dollars, grouped};
use crate::telemetry::ModelTotals;

/// So many models have a row: more would scroll the command's own words away.
const ROWS: usize = 20;
/// Between two columns.
const GAP: &str = "  ";

type Column = (&'static str, fn(&ModelTotals) -> String);

const COLUMNS: [Column; 4] = [
    ("calls", |row| grouped(row.calls)),
    ("tokens in", |row| grouped(row.input_tokens.unsigned_abs())),
    ("tokens out", |row| grouped(row.output_tokens.unsigned_abs())),
    ("cost", |row| dollars(row.cost.dollars())),
];
const SAVED: Column = ("saved", |row| dollars(row.saved.dollars()));

/// The lines of the table and of the budget, each with its line feed; empty where the one line
/// above says it all.
pub(super) fn table(ended: &Ended) -> String {
    let totals = &ended.totals;
    let has_saved = totals.saved > 0.0;
    let (several, budgeted) = (totals.models.len() > 1, ended.budget.is_some());
    if totals.calls == 0 || !(several || has_saved || budgeted) {
        return String::new();
    }
    let columns: Vec<_> = COLUMNS.into_iter().chain(has_saved.then_some(SAVED)).collect();
    let mut text = aligned(&cells(&totals.models, &columns));
    let more = totals.models.len().saturating_sub(ROWS);
    if more > 0 {
        text += &format!("{GAP}and {} more\n", grouped(more as u64));
    }
    if let Some(budget) = ended.budget {
        let (max, left) = (budget.dollars(), (budget.dollars() - totals.dollars).max(0.0));
        text += &format!("{GAP}{} of {} left\n", dollars(left), dollars(max));
    }
    text
}

/// A head, and a row for each model; nothing where no model answered.
fn cells(models: &[(String, ModelTotals)], columns: &[Column]) -> Vec<Vec<String>> {
    if models.is_empty() {
        return Vec::new();
    }
    let names = columns.iter().map(|(name, _)| (*name).to_owned());
    let head = std::iter::once("model".to_owned()).chain(names).collect();
    let row = |(model, row): &(String, ModelTotals)| {
        let values = columns.iter().map(|(_, value)| value(row));
        std::iter::once(printable(model)).chain(values).collect()
    };
    std::iter::once(head).chain(models.iter().take(ROWS).map(row)).collect()
}

/// The command chose the name; it must not steer a terminal.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Names to the left, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            text += GAP;
            text += &if at == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") };
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Ended;
    use super::table;
    use crate::telemetry::{ModelTotals, Totals};
    use bartizan_layers::facts::NanoUsd;

    fn row(name: &str, calls: u64, cost: i64, saved: i64) -> (String, ModelTotals) {
        let (cost, saved) = (NanoUsd(cost), NanoUsd(saved));
        let row = ModelTotals { calls, input_tokens: 1204, output_tokens: 31, cost, saved };
        (name.to_owned(), row)
    }

    fn ended(models: Vec<(String, ModelTotals)>, budget: Option<f64>) -> Ended {
        let sum = |of: fn(&ModelTotals) -> NanoUsd| -> f64 {
            models.iter().map(|(_, row)| of(row)).sum::<NanoUsd>().dollars()
        };
        let (dollars, saved) = (sum(|row| row.cost), sum(|row| row.saved));
        let totals = Totals { calls: 3, dollars, saved, models, ..Totals::default() };
        Ended { totals, budget: budget.map(NanoUsd::from_dollars), ..Ended::default() }
    }

    #[test]
    fn one_model_without_a_budget_is_told_by_the_line_alone() {
        assert_eq!(table(&ended(vec![row("gpt-4o", 3, 500_000_000, 0)], None)), "");
        let uncalled = Ended { totals: Totals::default(), ..ended(Vec::new(), Some(1.0)) };
        assert_eq!(table(&uncalled), "");
    }

    #[test]
    fn several_models_are_rows_of_an_aligned_table() {
        let models = vec![row("gpt-4o", 12, 500_000_000, 0), row("claude\u{1b}[2J", 3, 0, 0)];
        let expected = "  model       calls  tokens in  tokens out     cost
  gpt-4o         12      1,204          31  $0.5000
  claude?[2J      3      1,204          31       $0
";
        assert_eq!(table(&ended(models, None)), expected);
    }

    #[test]
    fn what_the_cache_saved_and_what_the_budget_has_left_are_told() {
        let models = vec![row("m", 2, 500_000_000, 250_000_000)];
        let told = table(&ended(models, Some(1.5)));
        let expected = "  model  calls  tokens in  tokens out     cost    saved
  m          2      1,204          31  $0.5000  $0.2500
  $1.0000 of $1.5000 left
";
        assert_eq!(told, expected);
        let over = table(&ended(vec![row("m", 2, 3_000_000_000, 0)], Some(1.5)));
        assert!(over.ends_with("\n  $0 of $1.5000 left\n"), "{over}");
        let refused = table(&ended(Vec::new(), Some(1.5)));
        assert_eq!(refused, "  $1.5000 of $1.5000 left\n");
    }

    #[test]
    fn a_command_that_asks_for_very_many_models_gets_no_endless_table() {
        let models = (0..30).map(|at| row(&format!("m{at}"), 1, 0, 0)).collect();
        let told = table(&ended(models, None));
        assert!(told.ends_with("\n  and 10 more\n") && told.lines().count() == 22, "{told}");
    }
}
