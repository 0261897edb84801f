//! OpenAI chat completions and completions of text, with what others made of them.
use super::super::asked::{Piece, Thinking};
use super::{Reading, json};
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    pub(super) fn chat(&mut self, body: &Value) {
        // A completion of text.
        self.words("user", text(body, "prompt"));
        list(body, "messages").for_each(|message| self.message(message));
        for tool in list(body, "tools").map(|tool| &tool["function"]) {
            self.tool(&tool["name"], &tool["description"], &tool["parameters"]);
        }
        self.asked.must_call = matches!(text(body, "tool_choice"), "required" | "any");
        let format = &body["response_format"];
        if format["type"] == "json_schema" {
            self.asked.schema = Some(format["json_schema"]["schema"].clone());
        }
        let effort = [&body["reasoning_effort"], &body["reasoning"]["effort"]];
        let effort = effort.into_iter().find_map(Value::as_str);
        let budget = body["reasoning"]["max_tokens"].as_u64();
        let on = (body["thinking"]["type"] == "enabled").then_some(Thinking::On);
        let effort = effort.map(|effort| Thinking::Effort(effort.to_owned()));
        self.asked.thinking = effort.or(budget.map(Thinking::Budget)).or(on);
    }

    fn message(&mut self, message: &Value) {
        let role = text(message, "role");
        if role == "tool" {
            let id = text(message, "tool_call_id");
            self.result(id, "", text(message, "content"));
            return;
        }
        self.thoughts(message);
        self.words(role, text(message, "content"));
        for part in list(message, "content") {
            self.words(role, text(part, "text"));
            self.media(Piece::Image, text(&part["image_url"], "url"));
            self.media(Piece::Document, text(&part["file"], "file_data"));
            self.media(Piece::Document, text(part, "document_url"));
            let thought = list(part, "thinking").map(|piece| text(piece, "text"));
            self.push(Piece::Thought, &thought.collect::<String>());
        }
        for call in list(message, "tool_calls") {
            let function = &call["function"];
            self.call(text(call, "id"), text(function, "name"), json(&function["arguments"]));
        }
    }

    /// In one of the ways in which providers want them back, the most telling first.
    fn thoughts(&mut self, message: &Value) {
        let blocks: Vec<&Value> = list(message, "thinking_blocks").collect();
        let details: Vec<&Value> = list(message, "reasoning_details").collect();
        for block in blocks.iter().chain(&details) {
            self.push(Piece::Thought, text(block, "thinking"));
            self.push(Piece::Thought, text(block, "text"));
            ["signature", "data"].iter().for_each(|name| self.proof(&block[name]));
        }
        if blocks.is_empty() && details.is_empty() {
            let names = ["reasoning_content", "reasoning"];
            let told = names.iter().find_map(|name| message[name].as_str());
            self.push(Piece::Thought, told.unwrap_or_default());
        }
    }
}
