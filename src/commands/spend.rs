//! `bartizan spend` and `bartizan receipts`: what calls have cost, and whether that stands as it was
//! written.
use super::keys::{line, printed};
use super::place::Place;
use crate::cli::{Receipts, Spend};
use crate::{clock, ledger};
use anyhow::Context;
use bartizan_layers::facts::NanoUsd;
use bartizan_layers::query::encoded;
use http::Method;
use serde_json::Value;
use std::process::ExitCode;

const DAY: i64 = 86_400_000;

/// Prints what calls have cost.
///
/// # Errors
///
/// When nobody knows: no proxy and no state directory, or a day that is none.
pub fn spend(wanted: &Spend) -> anyhow::Result<ExitCode> {
    let mut path = format!("/spend/by?by={}", encoded(&wanted.by));
    if let Some(since) = &wanted.since {
        path += &format!("&start_date={}", first_day(since)?);
    }
    let rows = Place::find(&wanted.at)?.ask(Method::GET, &path, None)?;
    if wanted.at.json {
        printed(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    line(table(&wanted.by, rows.as_array().map_or(&[], Vec::as_slice)).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// `2026-11-22`, or the day so many days ago, today included.
fn first_day(told: &str) -> anyhow::Result<String> {
    let days = told.strip_suffix('d').and_then(|days| days.parse::<u16>().ok());
    if let Some(days) = days.filter(|days| *days > 0) {
        return Ok(clock::day(clock::now() - i64::from(days - 1) * DAY));
    }
    let day = clock::parse(told).map(clock::day);
    day.with_context(|| format!("--since: `{told}` is neither a day (2026-11-22) nor 7d"))
}

fn table(by: &str, rows: &[Value]) -> String {
    let number = |row: &Value, name: &str| row[name].as_i64().unwrap_or_default();
    let total = NanoUsd(rows.iter().map(|row| number(row, "spend_nano_usd")).sum());
    let head =
        [by.to_uppercase(), "CALLS".into(), "FAILED".into(), "TOKENS".into(), "SPEND".into()];
    let row = |row: &Value| {
        let name = row["name"].as_str().unwrap_or_default();
        let name = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let tokens = number(row, "prompt_tokens") + number(row, "completion_tokens");
        let spend = NanoUsd(number(row, "spend_nano_usd"));
        let counts = [number(row, "requests"), number(row, "failed"), tokens];
        let [calls, failed, tokens] = counts.map(|count| count.to_string());
        [
            if row["name"] == "" { "-".to_owned() } else { name },
            calls,
            failed,
            tokens,
            spend.to_string(),
        ]
    };
    let mut all: Vec<_> = std::iter::once(head).chain(rows.iter().map(row)).collect();
    if by != "tag" && rows.len() > 1 {
        let empty = String::new;
        all.push(["total".into(), empty(), empty(), empty(), total.to_string()]);
    }
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max();
    let widths = [0, 1, 2, 3, 4].map(|column| width(column).unwrap_or_default());
    let shown = |[name, rest @ ..]: &[String; 5]| {
        let rest = rest.iter().zip(&widths[1..]).map(|(cell, width)| format!("  {cell:>width$}"));
        format!("{name:<width$}{}\n", rest.collect::<String>(), width = widths[0])
    };
    all.iter().map(shown).collect()
}

/// Checks a journal.
///
/// # Errors
///
/// When the file cannot be read.
pub fn receipts(wanted: &Receipts) -> anyhow::Result<ExitCode> {
    let Receipts::Verify { file } = wanted;
    let shown = file.display();
    let found = ledger::verify(file).with_context(|| format!("{shown} cannot be read"))?;
    line(&format!("{} records, {} damaged lines", found.records, found.damaged));
    if found.torn > 0 {
        line(&format!("the last {} bytes are no whole line: it was being written", found.torn));
    }
    Ok(if found.damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
