//! `/routes`: every path, in the shape that LiteLLM gives it (contract 3.2).
use super::{Handles, elsewhere, json};
use crate::edge::ROWS;
use bartizan_layers::body::Body;
use http::Response;
use serde_json::{Value, json};

pub(super) fn list(handles: &Handles) -> Response<Body> {
    let rows = ROWS.iter().copied().flatten();
    let mut routes: Vec<Value> = rows
        .flat_map(|row| {
            let methods: Vec<_> = row.methods.split(", ").collect();
            row.paths().map(move |path| {
                let path = path.replace("*}", "}");
                json!({"path": path, "methods": methods, "name": row.summary, "endpoint": row.path})
            })
        })
        .collect();
    routes.extend(elsewhere::paths(handles).into_iter().map(|(path, endpoint)| {
        json!({
            "path": path,
            "methods": endpoint.methods,
            "name": elsewhere::SUMMARY,
            "endpoint": endpoint.path,
        })
    }));
    json(&json!({ "routes": routes }))
}
