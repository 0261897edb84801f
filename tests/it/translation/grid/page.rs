//! The grid in `docs/dialects.md`, between two comments.
use super::Reasons;
use super::reasons::Reason;
use super::rows::{COLUMNS, Row};
use std::fmt::Write;
use std::path::Path;

/// The rows of one client's table.
pub(super) type Table = Vec<(Row, Reasons)>;

const BEGIN: &str = "<!-- grid: made by a test -->\n";
const END: &str = "<!-- end of the grid -->";

/// Asserts that the page shows this, or makes it so.
pub(super) fn check(tables: &[(&'static str, Table)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dialects.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (head, rest) = page.split_once(BEGIN).expect("the grid begins");
    let (_, tail) = rest.split_once(END).expect("the grid ends");
    let made = format!("{head}{BEGIN}{}{END}{tail}", written(tables));
    if std::env::var_os("BARTIZAN_UPDATE").is_some() {
        std::fs::write(&path, &made).expect("a writable folder");
    } else {
        assert!(made == page, "docs/dialects.md is old: run this test with BARTIZAN_UPDATE=1");
    }
}

/// The tables, one for all clients that have the same, and below them the reasons.
fn written(tables: &[(&'static str, Table)]) -> String {
    let mut notes = Vec::new();
    let mut grouped: Vec<(Vec<&str>, String)> = Vec::new();
    for (title, table) in tables {
        let table = rows(table, &mut notes);
        match grouped.iter_mut().find(|(_, known)| *known == table) {
            Some((titles, _)) => titles.push(title),
            None => grouped.push((vec![title], table)),
        }
    }
    let mut out = String::new();
    for (titles, table) in grouped {
        let names: Vec<&str> = COLUMNS.iter().map(|(_, name)| *name).collect();
        let line = "|---".repeat(names.len() + 1);
        let (titles, names) = (titles.join(", "), names.join(" | "));
        write!(out, "\n**{titles}**\n\n| to | {names} |\n{line}|\n{table}").unwrap();
    }
    out.push('\n');
    for (place, note) in notes.iter().enumerate() {
        writeln!(out, "- {}: {}.", letter(place), note).unwrap();
    }
    out
}

/// The rows of a table, one for all providers that have the same.
fn rows(table: &Table, notes: &mut Vec<&'static str>) -> String {
    let mut grouped: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (row, reasons) in table {
        let cells: Vec<String> = reasons.iter().map(|reason| cell(*reason, notes)).collect();
        let title = row.shown();
        match grouped.iter_mut().find(|(_, known)| *known == cells) {
            Some((titles, _)) => titles.push(title),
            None => grouped.push((vec![title], cells)),
        }
    }
    let lines = grouped.into_iter().map(|(titles, cells)| {
        let (titles, cells) = (titles.join(", "), cells.join(" | "));
        format!("| {titles} | {cells} |\n")
    });
    lines.collect()
}

fn cell(reason: Option<&'static Reason>, notes: &mut Vec<&'static str>) -> String {
    let Some(Reason { text, .. }) = reason else { return "✓".to_owned() };
    let known = notes.iter().position(|note| note == text);
    let place = known.unwrap_or_else(|| {
        notes.push(text);
        notes.len() - 1
    });
    letter(place)
}

fn letter(place: usize) -> String {
    let letter = (b'a'..=b'z').nth(place).expect("no more reasons than letters");
    char::from(letter).to_string()
}
