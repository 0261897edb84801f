//! Golden cases.
mod answers;
mod asking;
mod clients;
mod parts;
mod streams;

use super::{read_request, write_request};
use crate::providers::chat::{
    Block, Client, Content, Lost, Malformed, Request, Role, Sampling, Target, ToolResult, ToolUse,
    Turn, Written,
};
use serde_json::{Map, Value};

fn client() -> Client {
    Client {
        id: "0f".into(),
        created: 1,
        model: "claude-x".into(),
        stream_usage: true,
        ..Client::default()
    }
}

fn target(model: &str) -> Target<'_> {
    Target {
        provider: "anthropic",
        row: None,
        model,
        like: model,
        max_output: None,
        thinks: None,
        modify: false,
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn read(value: Value) -> Request {
    read_request(object(value)).unwrap()
}

/// What is written for `model`, and what is lost.
fn written(request: Request, model: &str) -> (Written, Lost) {
    let mut lost = Lost::default();
    let written = write_request(request, &target(model), &mut lost).unwrap();
    (written, lost)
}

/// What is written for `model` when requests may be changed.
fn modified(request: Request, model: &str) -> Value {
    let target = Target { modify: true, ..target(model) };
    Value::Object(write_request(request, &target, &mut Lost::default()).unwrap().body)
}

fn refused(request: Request, model: &str) -> Malformed {
    write_request(request, &target(model), &mut Lost::default()).unwrap_err()
}

fn says(role: Role, text: &str) -> Turn {
    Turn::new(role, vec![Block::text(text)])
}

fn calls(id: &str, name: &str, input: &str) -> Block {
    let (id, name, input) = (id.into(), name.into(), input.into());
    Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None }))
}

fn gives(id: &str, text: &str) -> Block {
    let blocks = vec![Block::text(text)];
    Block::new(Content::ToolResult(ToolResult { id: id.into(), blocks, ..ToolResult::default() }))
}

fn asks(turns: Vec<Turn>) -> Request {
    let sampling = Sampling { max_tokens: Some(64), ..Sampling::default() };
    Request { turns, sampling, ..Request::default() }
}
