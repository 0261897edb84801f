//! What is sent to Bedrock, and read from it.
mod asking;
mod hearing;

use serde_json::{Map, Value};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}
