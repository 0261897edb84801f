//! Converse of AWS Bedrock.
use super::super::asked::{Piece, Thinking};
use super::{Reading, json};
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    pub(super) fn converse(&mut self, body: &Value) {
        list(body, "system").for_each(|block| self.words("system", text(block, "text")));
        for message in list(body, "messages") {
            let role = text(message, "role");
            list(message, "content").for_each(|block| self.piece(role, block));
        }
        let config = &body["toolConfig"];
        for tool in list(config, "tools").map(|tool| &tool["toolSpec"]) {
            self.tool(&tool["name"], &tool["description"], &tool["inputSchema"]["json"]);
        }
        self.asked.must_call = config["toolChoice"]["any"].is_object();
        let format = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
        self.asked.schema = format.is_object().then(|| json(&format["schema"]));
        let thinking = &body["additionalModelRequestFields"]["thinking"];
        self.asked.thinking = thinking["budget_tokens"].as_u64().map(Thinking::Budget);
    }

    fn piece(&mut self, role: &str, block: &Value) {
        let (name, told) = block.as_object().and_then(|it| it.iter().next()).expect("a block");
        match name.as_str() {
            "text" => self.words(role, text(block, "text")),
            "image" => self.push(Piece::Image, text(&told["source"], "bytes")),
            "document" => self.push(Piece::Document, text(&told["source"], "bytes")),
            "reasoningContent" => {
                self.push(Piece::Thought, text(&told["reasoningText"], "text"));
                self.proof(&told["reasoningText"]["signature"]);
            }
            "toolUse" => {
                self.call(text(told, "toolUseId"), text(told, "name"), told["input"].clone());
            }
            "toolResult" => {
                let parts: String = list(told, "content").map(|part| text(part, "text")).collect();
                self.result(text(told, "toolUseId"), "", &parts);
            }
            other => panic!("{other} is no block"),
        }
    }
}
