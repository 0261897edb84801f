//! Keys for people to read.
use serde_json::Value;

/// The columns of a list.
const COLUMNS: [&str; 8] = ["ALIAS", "KEY", "SPEND", "BUDGET", "USER", "TEAM", "MODELS", "STATE"];

/// One line for each key.
pub(super) fn list(keys: &[Value]) -> String {
    let head = COLUMNS.map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(keys.iter().map(row)).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn row(key: &Value) -> Vec<String> {
    let spend = key.get("spend").and_then(Value::as_f64).unwrap_or_default();
    let models = key.get("models").and_then(Value::as_array).map(Vec::as_slice);
    let models: Vec<_> = models.unwrap_or_default().iter().filter_map(Value::as_str).collect();
    let budget = match (key.get("max_budget").and_then(Value::as_f64), text(key, "budget_duration"))
    {
        (None, _) => "-".to_owned(),
        (Some(max), None) => format!("${max}"),
        (Some(max), Some(each)) => format!("${max} / {each}"),
    };
    vec![
        word(key, "key_alias"),
        word(key, "key_name"),
        format!("${spend:.4}"),
        budget,
        word(key, "user_id"),
        word(key, "team_id"),
        if models.is_empty() { "all".to_owned() } else { plain(&models.join(",")) },
        state(key),
    ]
}

fn state(key: &Value) -> String {
    let ends = text(key, "expires");
    match key.get("blocked") {
        Some(Value::Bool(true)) => "blocked".to_owned(),
        _ => ends.map_or_else(|| "active".to_owned(), |time| format!("until {time}")),
    }
}

/// One line for each field that says something.
pub(super) fn one(key: &Value) -> String {
    let is_said = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let fields = key.as_object().into_iter().flatten().filter(|(_, value)| is_said(value));
    let line = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), plain);
        format!("{name:<24} {value}\n")
    };
    fields.map(line).collect()
}

fn text<'v>(key: &'v Value, field: &str) -> Option<&'v str> {
    key.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn word(key: &Value, field: &str) -> String {
    text(key, field).map_or_else(|| "-".to_owned(), plain)
}

/// Without what would move a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
