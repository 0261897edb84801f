//! Anthropic messages.
use super::super::asked::{Piece, Thinking};
use super::Reading;
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    pub(super) fn messages(&mut self, body: &Value) {
        self.words("system", text(body, "system"));
        list(body, "system").for_each(|block| self.words("system", text(block, "text")));
        for message in list(body, "messages") {
            let role = text(message, "role");
            self.words(role, text(message, "content"));
            list(message, "content").for_each(|block| self.block(role, block));
        }
        for tool in list(body, "tools") {
            self.tool(&tool["name"], &tool["description"], &tool["input_schema"]);
        }
        self.asked.must_call = body["tool_choice"]["type"] == "any";
        let formats = [&body["output_format"], &body["output_config"]["format"]];
        let format = formats.into_iter().find(|format| format["type"] == "json_schema");
        self.asked.schema = format.map(|format| format["schema"].clone());
        let thinking = &body["thinking"];
        self.asked.thinking = match text(thinking, "type") {
            "enabled" => thinking["budget_tokens"].as_u64().map(Thinking::Budget),
            "adaptive" => Some(Thinking::On),
            _ => None,
        };
    }

    fn block(&mut self, role: &str, block: &Value) {
        let data = text(&block["source"], "data");
        match text(block, "type") {
            "text" => self.words(role, text(block, "text")),
            "image" => self.push(Piece::Image, data),
            "document" => self.push(Piece::Document, data),
            "thinking" => {
                self.push(Piece::Thought, text(block, "thinking"));
                self.proof(&block["signature"]);
            }
            "redacted_thinking" => self.proof(&block["data"]),
            "tool_use" => self.call(text(block, "id"), text(block, "name"), block["input"].clone()),
            "tool_result" => {
                let parts = list(block, "content").map(|part| text(part, "text"));
                let told = text(block, "content").to_owned() + &parts.collect::<String>();
                self.result(text(block, "tool_use_id"), "", &told);
            }
            other => panic!("{other} is no block"),
        }
    }
}
