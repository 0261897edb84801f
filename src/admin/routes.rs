//! `/routes`: every path, in the shape that LiteLLM gives it (contract 3.2).
use super::json;
use crate::edge::ROWS;
use bartizan_layers::body::Body;
use http::Response;
use serde_json::{Value, json};

pub(super) fn list() -> Response<Body> {
    let rows = ROWS.iter().copied().flatten();
    let routes: Vec<Value> = rows
        .flat_map(|row| {
            let methods: Vec<_> = row.methods.split(", ").collect();
            row.paths().map(move |path| {
                let path = path.replace("*}", "}");
                json!({"path": path, "methods": methods, "name": row.summary, "endpoint": row.path})
            })
        })
        .collect();
    json(&json!({ "routes": routes }))
}
