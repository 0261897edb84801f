//! Claims about the dialect.
mod answers;
mod namespaces;
mod provider_streams;
mod requests;
mod streams;

use crate::providers::chat::{Answer, Client, Request};
use serde_json::{Map, Value};

/// An object's members.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// A client that asked for `request`.
fn client(request: &Value) -> Client {
    Client {
        id: "0a".to_owned(),
        created: 1_700_000_000,
        model: "m".to_owned(),
        stream_usage: true,
        custom: vec!["patch".to_owned()],
        echo: super::echo(&members(request.clone())),
        ..Client::default()
    }
}

/// What a client is told of an answer.
fn told(answer: Answer, client: &Client) -> Value {
    serde_json::from_slice(&super::write_answer(answer, client)).unwrap()
}

fn read(body: Value) -> Request {
    super::read_request(members(body)).unwrap()
}
