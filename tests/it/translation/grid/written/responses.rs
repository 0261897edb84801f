//! OpenAI responses.
use super::super::asked::{Piece, Thinking};
use super::{Reading, json};
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    pub(super) fn responses(&mut self, body: &Value) {
        self.words("system", text(body, "instructions"));
        list(body, "input").for_each(|item| self.item(item));
        for tool in list(body, "tools") {
            self.tool(&tool["name"], &tool["description"], &tool["parameters"]);
        }
        self.asked.must_call = body["tool_choice"] == "required";
        let format = &body["text"]["format"];
        if format["type"] == "json_schema" {
            self.asked.schema = Some(format["schema"].clone());
        }
        let effort = body["reasoning"]["effort"].as_str();
        self.asked.thinking = effort.map(|effort| Thinking::Effort(effort.to_owned()));
    }

    fn item(&mut self, item: &Value) {
        match text(item, "type") {
            "reasoning" => self.proof(&item["encrypted_content"]),
            "function_call" => {
                self.call(text(item, "call_id"), text(item, "name"), json(&item["arguments"]));
            }
            "function_call_output" => {
                self.result(text(item, "call_id"), "", text(item, "output"));
            }
            _ => {
                let role = text(item, "role");
                self.words(role, text(item, "content"));
                for part in list(item, "content") {
                    self.words(role, text(part, "text"));
                    self.media(Piece::Image, text(part, "image_url"));
                    self.media(Piece::Document, text(part, "file_data"));
                }
            }
        }
    }
}
