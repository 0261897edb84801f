//! Golden cases.
mod answers;
mod reading;
mod requests;
mod schemas;
mod settings;
mod streams;

use super::write_request;
use crate::providers::chat::{Client, Lost, Request, Target};
use serde_json::{Map, Value};

/// The model of that name, on Google's own API.
fn target(model: &str) -> Target<'_> {
    Target {
        provider: "gemini",
        row: None,
        model,
        like: model,
        max_output: None,
        thinks: None,
        modify: false,
    }
}

fn client(array: bool) -> Client {
    Client {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        created: 1,
        model: "asked".to_owned(),
        array,
        ..Client::default()
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}

/// A request in Google's words, and what is lost of it.
fn written(request: Request, model: &str) -> (Value, Vec<String>) {
    let mut lost = Lost::default();
    let written = write_request(request, &target(model), &mut lost).unwrap();
    (Value::Object(written.body), lost.names().map(str::to_owned).collect())
}
