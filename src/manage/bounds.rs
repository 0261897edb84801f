//! What ids and bounds may be, whoever has them.
use crate::store::Doc;
use bartizan_layers::cost::BudgetWindow;
use serde_json::Value;

/// The longest id in bytes: it stands in headers, labels and messages.
const LONGEST: usize = 512;

/// The id that was asked for, or a new one where none was.
///
/// # Errors
///
/// What is wrong with it: it is too long, or has characters that no line can have.
pub(super) fn id_or_new(field: &str, id: Option<&str>) -> Result<String, String> {
    match id {
        None | Some("") => Ok(fresh_id()),
        Some(id) => check_id(field, id).map(|()| id.to_owned()),
    }
}

/// Whether something can have that id.
///
/// # Errors
///
/// As [`id_or_new`].
pub(super) fn check_id(field: &str, id: &str) -> Result<(), String> {
    if id.is_empty() {
        return Err(format!("{field} cannot be empty"));
    }
    if id.len() > LONGEST {
        return Err(format!("{field} cannot be longer than {LONGEST} bytes"));
    }
    if id.chars().any(char::is_control) {
        return Err(format!("{field} cannot have control characters"));
    }
    Ok(())
}

/// A random UUID.
pub(super) fn fresh_id() -> String {
    // Version 4 of variant 1.
    let bits = fastrand::u128(..) & !(0xf000 << 64 | 0xc000 << 48) | 0x4000 << 64 | 0x8000 << 48;
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts: Vec<_> = parts.into_iter().filter_map(|part| hex.get(part)).collect();
    parts.join("-")
}

/// Whether the budgets and limits in `said` are such that calls can be measured by them.
///
/// # Errors
///
/// What is wrong with which.
pub(super) fn check_bounds(said: &Doc) -> Result<(), String> {
    for (name, value) in said {
        let bounds = name.contains("budget") || name.ends_with("_limit");
        let is_limit = bounds || name == "max_parallel_requests";
        if is_limit && value.as_f64().is_some_and(|number| number < 0.0) {
            return Err(format!("{name} cannot be negative. Received: {value}"));
        }
        let is_window = name.ends_with("budget_duration");
        if let Some(text) = value.as_str().filter(|_| is_window) {
            let window: Result<BudgetWindow, _> = text.parse();
            window.map_err(|error| format!("{name} `{text}`: {error}"))?;
        }
    }
    for name in ["model_rpm_limit", "model_tpm_limit"] {
        let by_model = said.get(name).and_then(Value::as_object).into_iter().flatten();
        for (model, limit) in by_model {
            if limit.as_u64().is_none() {
                return Err(format!(
                    "{name} of `{model}` is no whole number from 0. Received: {limit}"
                ));
            }
        }
    }
    Ok(())
}

/// Puts what was said into a document: `null` takes a field away.
pub(super) fn merge(doc: &mut Doc, said: Doc) {
    for (name, value) in said {
        if value.is_null() {
            doc.remove(&name);
        } else {
            doc.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check_bounds, check_id, fresh_id, id_or_new, merge};
    use serde_json::{Value, json};

    fn doc(value: Value) -> crate::store::Doc {
        match value {
            Value::Object(doc) => doc,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn new_ids_are_uuids_of_version_four() {
        for _ in 0..100 {
            let id = fresh_id();
            let parts: Vec<_> = id.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
            assert_ne!(fresh_id(), id);
        }
    }

    #[test]
    fn an_id_is_one_short_line() {
        for id in ["a", "ann@example.com", "Ünï 🦀", "'; DROP TABLE things; --", "%", "a/b"] {
            assert_eq!(id_or_new("user_id", Some(id)).as_deref(), Ok(id));
        }
        for id in ["a\0b", "a\r\nb", "\u{7f}"] {
            assert!(check_id("user_id", id).is_err(), "{id:?}");
        }
        assert!(check_id("user_id", &"a".repeat(513)).is_err());
        assert_eq!(id_or_new("user_id", Some("")).unwrap().len(), 36);
    }

    #[test]
    fn bounds_that_measure_nothing_are_refused() {
        for good in [
            json!({"max_budget": 0.0, "budget_duration": "30d", "tpm_limit": 0}),
            json!({"max_budget": null, "budget_duration": null, "budget_id": "b"}),
            json!({"model_rpm_limit": {"gpt": 1}}),
        ] {
            assert_eq!(check_bounds(&doc(good)), Ok(()));
        }
        for (bad, told) in [
            (json!({"max_budget": -1.0}), "max_budget cannot be negative. Received: -1.0"),
            (json!({"rpm_limit": -1}), "rpm_limit cannot be negative. Received: -1"),
            (json!({"budget_duration": "soon"}), "budget_duration `soon`"),
            (json!({"team_member_budget_duration": "0d"}), "team_member_budget_duration `0d`"),
            (json!({"model_rpm_limit": {"gpt": "x"}}), "model_rpm_limit of `gpt`"),
        ] {
            let error = check_bounds(&doc(bad)).unwrap_err();
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn null_takes_a_field_away() {
        let mut kept = doc(json!({"a": 1, "b": 2}));
        merge(&mut kept, doc(json!({"a": null, "c": 3})));
        assert_eq!(kept, doc(json!({"b": 2, "c": 3})));
    }
}
