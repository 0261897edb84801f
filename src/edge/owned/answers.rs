//! What answers tell of objects.
use super::references::bare;
use crate::identity::Tenant;
use crate::providers::{Resumed, is_of_type};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{Response, header};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Longer answers tell nothing of objects, in bytes.
const LONGEST: usize = 8 << 20;

/// An answer whose body was read, if it is JSON of a good status.
pub(super) enum Heard {
    /// What it says, and its text.
    Json(Parts, Value, Bytes),
    /// It says nothing that can be read.
    Other(Response<Body>),
}

/// Reads an answer.
///
/// # Errors
///
/// When the provider breaks off.
pub(super) async fn hear(rsp: Response<Body>) -> Result<Heard, BoxError> {
    let is_read = rsp.status().is_success()
        && is_of_type(rsp.headers(), "application/json")
        && !rsp.headers().contains_key(header::CONTENT_ENCODING);
    if !is_read {
        return Ok(Heard::Other(rsp));
    }
    let (parts, mut body) = rsp.into_parts();
    let mut held = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            held.extend_from_slice(&data);
        }
        if held.len() > LONGEST {
            let body = Resumed::body(vec![held.freeze()], body);
            return Ok(Heard::Other(Response::from_parts(parts, body)));
        }
    }
    let text = held.freeze();
    Ok(match serde_json::from_slice(&text) {
        Ok(told) => Heard::Json(parts, told, text),
        Err(_) => Heard::Other(Response::from_parts(parts, Body::Full(text))),
    })
}

/// The object that an answer to its making is about.
pub(super) fn made(told: &Value) -> Vec<Box<str>> {
    // Of what has an id, people choose the name. A run that makes its thread and an upload that
    // ends as a file tell what stays.
    let places = match told.get("id") {
        Some(_) => ["/id", "/thread_id", "/file/id"],
        None => ["/name", "/file/name", "/file/id"],
    };
    ids(places.iter().filter_map(|place| told.pointer(place)))
}

/// The objects that a provider has made of another one.
pub(super) fn followed(told: &Value) -> Vec<Box<str>> {
    let fields = ["output_file_id", "error_file_id"].iter().filter_map(|name| told.get(name));
    let results = told.get("result_files").and_then(Value::as_array).into_iter().flatten();
    let results = results.map(|file| file.get("id").unwrap_or(file));
    ids(fields.chain(results))
}

fn ids<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<Box<str>> {
    let texts = values.filter_map(Value::as_str).map(bare);
    texts.filter(|id| !id.is_empty()).map(Into::into).collect()
}

fn id_of(object: &Value) -> Option<&str> {
    object.get("id").or_else(|| object.get("name"))?.as_str().map(bare)
}

/// The lists of objects in an answer.
fn lists(told: &mut Value) -> Vec<&mut Vec<Value>> {
    match told {
        Value::Array(list) => vec![list],
        Value::Object(members) => members.values_mut().filter_map(Value::as_array_mut).collect(),
        _ => Vec::new(),
    }
}

/// The ids of the objects that a list has.
pub(super) fn listed(told: &mut Value) -> Vec<Box<str>> {
    let lists = lists(told);
    lists.iter().flat_map(|list| list.iter().filter_map(id_of)).map(Into::into).collect()
}

/// Leaves of a list what is the tenant's own.
pub(super) fn keep_own(told: &mut Value, owners: &HashMap<Box<str>, Tenant>, tenant: &Tenant) {
    for list in lists(told) {
        list.retain(|object| {
            id_of(object).is_some_and(|id| owners.get(id).is_some_and(|owner| owner == tenant))
        });
    }
    let Some(members) = told.as_object_mut() else { return };
    // Where the page begins and ends would name the objects of others.
    let data = members.get("data").and_then(Value::as_array);
    let end = |object: Option<&Value>| object.and_then(id_of).map(Value::from);
    let ends = data.map(|data| [end(data.first()), end(data.last())]);
    for (name, id) in ["first_id", "last_id"].into_iter().zip(ends.into_iter().flatten()) {
        replace(members, name, id.unwrap_or_default());
    }
}

fn replace(members: &mut Map<String, Value>, name: &str, value: Value) {
    if let Some(slot) = members.get_mut(name) {
        *slot = value;
    }
}

/// The answer as it was.
pub(super) fn as_it_was(parts: Parts, text: Bytes) -> Response<Body> {
    Response::from_parts(parts, Body::Full(text))
}

/// The answer with another text.
pub(super) fn rewritten(mut parts: Parts, told: &Value) -> Response<Body> {
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::Full(told.to_string().into()))
}
