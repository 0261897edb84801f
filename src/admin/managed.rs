//! The management API in lists of routes: it describes itself.
use super::{Handles, openapi};
use crate::manage;
use serde_json::{Map, Value, json};

/// Its paths and what is said of them, with the refusals that stand before its own; nothing where
/// there is none.
pub(super) fn paths(handles: &Handles) -> Map<String, Value> {
    let Some(Value::Object(mut paths)) = part(handles, "paths") else { return Map::new() };
    let items = paths.iter_mut().filter_map(|(path, item)| Some((path, item.as_object_mut()?)));
    let operations = items.flat_map(|(path, item)| item.iter_mut().map(move |it| (path, it)));
    for (path, (method, operation)) in operations {
        operation["operationId"] = openapi::id(method, path).into();
        operation["tags"] = json!(["management"]);
        for status in ["401", "503"] {
            let refused = json!({"$ref": "#/components/responses/Error"});
            if let Some(responses) = operation["responses"].as_object_mut() {
                responses.entry(status).or_insert(refused);
            }
        }
        for status in ["400", "403", "404", "409", "413", "422"] {
            let why = json!({
                "description": "Why it was not done",
                "content": {"application/json": {"schema": {}}},
            });
            if let Some(responses) = operation["responses"].as_object_mut() {
                responses.entry(status).or_insert(why);
            }
        }
    }
    paths
}

/// The schemas of its requests.
pub(super) fn schemas(handles: &Handles) -> Map<String, Value> {
    match part(handles, "schemas") {
        Some(Value::Object(schemas)) => schemas,
        _ => Map::new(),
    }
}

fn part(handles: &Handles, place: &str) -> Option<Value> {
    handles.manage.as_ref()?;
    let mut all: Value = serde_json::from_str(manage::OPENAPI).ok()?;
    all.get_mut(place).map(Value::take)
}
