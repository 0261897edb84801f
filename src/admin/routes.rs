//! `/routes`: every path, in the shape that LiteLLM gives it (contract 3.2).
use super::{Handles, elsewhere, json, managed};
use crate::edge::ROWS;
use bartizan_layers::body::Body;
use http::Response;
use serde_json::{Value, json};

pub(super) fn list(handles: &Handles) -> Response<Body> {
    let rows = ROWS.iter().copied().flatten().filter(|row| !row.is_managed());
    let mut routes: Vec<Value> = rows
        .flat_map(|row| {
            let methods: Vec<_> = row.methods.split(", ").collect();
            row.paths().map(move |path| {
                let path = path.replace("*}", "}");
                json!({"path": path, "methods": methods, "name": row.summary, "endpoint": row.path})
            })
        })
        .collect();
    routes.extend(managed::paths(handles).into_iter().map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        let methods: Vec<_> = methods.map(|(method, _)| method.to_ascii_uppercase()).collect();
        let name = item.as_object().and_then(|item| item.values().next()?.get("summary"));
        json!({"path": path, "methods": methods, "name": name, "endpoint": path})
    }));
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
