//! The grid: clients' dialects × providers × what is asked. Every cell works, or says why its
//! provider cannot.
//!
//! A proxy stands between clients and providers, both played here: each asks and answers in its own
//! words. What comes through is read by readers that know nothing of the program's own. The page
//! `docs/dialects.md` shows what came of it; with `BARTIZAN_UPDATE` set a run writes that.
mod asked;
mod cells;
mod clients;
mod fakes;
mod natives;
mod page;
mod proofs;
mod reasons;
mod rows;
mod written;

use self::cells::{Cell, Played};
use self::reasons::{Reason, Whose, reason};
use self::rows::{CLIENTS, COLUMNS, Column, ROWS, Row};
use bartizan::data;
use bartizan::providers::translate::Protocol;

/// All cells of a row, in the order of the columns: nothing where it works, else why it cannot.
type Reasons = Vec<Option<&'static Reason>>;

/// What is wrong with a cell, beside the reason that it has.
fn wrong(cell: &Cell, reason: Option<&Reason>) -> Option<String> {
    match (cell, reason.map(|reason| reason.whose)) {
        (Cell::Works, None) => None,
        (Cell::Wordless, Some(Whose::Client(_))) => None,
        (Cell::Fails { loud: true, .. }, Some(Whose::Wire(_) | Whose::Provider(_))) => None,
        // It is asked, and says itself what it cannot.
        (Cell::Works, Some(Whose::Provider(_) | Whose::Chat(_))) => None,
        (Cell::Works, Some(_)) => Some("it works, against its reason".to_owned()),
        (Cell::Wordless, _) => Some("the client has no words for it".to_owned()),
        (Cell::Fails { why, .. }, None) => Some(why.clone()),
        (Cell::Fails { why, .. }, Some(_)) => Some(format!("nobody is told that it fails: {why}")),
    }
}

/// One row of one client's table.
async fn judged(played: &Played, client: Protocol, row: &Row, bad: &mut Vec<String>) -> Reasons {
    let mut reasons = Vec::with_capacity(COLUMNS.len());
    for (column, name) in COLUMNS {
        let cell = played.cell(client, row, column).await;
        let reason = reason(client, played.spoken(client, row), row, column);
        if let Some(wrong) = wrong(&cell, reason) {
            bad.push(format!("{client:?} to {}, {name}: {wrong}", row.title));
        }
        reasons.push(reason);
    }
    reasons
}

#[tokio::test]
async fn every_cell_of_the_grid_works_or_says_why_its_provider_cannot() {
    let played = Played::start().await;
    let (mut tables, mut bad) = (Vec::new(), Vec::new());
    for (client, title) in CLIENTS {
        let mut table = Vec::with_capacity(ROWS.len());
        for row in &ROWS {
            table.push((*row, judged(&played, client, row, &mut bad).await));
        }
        tables.push((title, table));
    }
    assert!(bad.is_empty(), "{} cells are wrong:\n{}", bad.len(), bad.join("\n"));
    page::check(&tables);
}

#[test]
fn a_reason_of_a_provider_is_one_that_the_catalogue_knows_too() {
    for reason in reasons::all() {
        let Whose::Provider(provider) = reason.whose else { continue };
        let flag = match reason.column {
            Column::Image => "vision",
            Column::Document => "pdf_input",
            _ => continue,
        };
        let able = |name: &&str| {
            let known = data::model(&format!("{provider}/{name}"));
            known.is_some_and(|model| model.supports.has(flag))
        };
        let able: Vec<&str> = data::models_of(provider).filter(able).collect();
        assert!(able.is_empty(), "{provider}: {flag} is known of {able:?}");
    }
}
