//! Cohere chat, version 2, and Ollama's own.
use super::super::asked::{Piece, Thinking};
use super::{Reading, json};
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    fn functions(&mut self, body: &Value) {
        for tool in list(body, "tools").map(|tool| &tool["function"]) {
            self.tool(&tool["name"], &tool["description"], &tool["parameters"]);
        }
    }

    pub(super) fn cohere(&mut self, body: &Value) {
        for message in list(body, "messages") {
            let role = text(message, "role");
            if role == "tool" {
                let id = text(message, "tool_call_id");
                self.result(id, "", text(message, "content"));
                continue;
            }
            self.push(Piece::Thought, text(message, "tool_plan"));
            self.words(role, text(message, "content"));
            for part in list(message, "content") {
                self.push(Piece::Thought, text(part, "thinking"));
                self.words(role, text(part, "text"));
                self.media(Piece::Image, text(&part["image_url"], "url"));
            }
            for call in list(message, "tool_calls") {
                let function = &call["function"];
                self.call(text(call, "id"), text(function, "name"), json(&function["arguments"]));
            }
        }
        self.functions(body);
        self.asked.must_call = body["tool_choice"] == "REQUIRED";
        let format = &body["response_format"];
        self.asked.schema = Some(format["json_schema"].clone()).filter(Value::is_object);
        if body["thinking"]["type"] == "enabled" {
            let budget = body["thinking"]["token_budget"].as_u64();
            self.asked.thinking = Some(budget.map_or(Thinking::On, Thinking::Budget));
        }
    }

    pub(super) fn ollama(&mut self, body: &Value) {
        for message in list(body, "messages") {
            let role = text(message, "role");
            if role == "tool" {
                let (id, name) = (text(message, "tool_call_id"), text(message, "tool_name"));
                self.result(id, name, text(message, "content"));
                continue;
            }
            self.push(Piece::Thought, text(message, "thinking"));
            self.words(role, text(message, "content"));
            for image in list(message, "images") {
                self.push(Piece::Image, image.as_str().unwrap_or_default());
            }
            for call in list(message, "tool_calls") {
                let function = &call["function"];
                let input = function["arguments"].clone();
                self.call(text(call, "id"), text(function, "name"), input);
            }
        }
        self.functions(body);
        self.asked.schema = Some(body["format"].clone()).filter(Value::is_object);
        self.asked.thinking = (body["think"] == true).then_some(Thinking::On);
    }
}
