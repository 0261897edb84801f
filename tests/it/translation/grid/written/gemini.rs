//! Gemini `generateContent`.
use super::super::asked::{Piece, Thinking};
use super::Reading;
use crate::translation::said::{list, text};
use serde_json::Value;

impl Reading {
    pub(super) fn gemini(&mut self, body: &Value) {
        let system = &body["systemInstruction"];
        list(system, "parts").for_each(|part| self.words("system", text(part, "text")));
        for content in list(body, "contents") {
            let role = text(content, "role");
            list(content, "parts").for_each(|part| self.part(role, part));
        }
        for tool in list(body, "tools").flat_map(|tool| list(tool, "functionDeclarations")) {
            let schema = either(tool, "parametersJsonSchema", "parameters");
            self.tool(&tool["name"], &tool["description"], &schema);
        }
        self.asked.must_call = body["toolConfig"]["functionCallingConfig"]["mode"] == "ANY";
        let config = &body["generationConfig"];
        if config["responseMimeType"] == "application/json" {
            self.asked.schema = Some(either(config, "responseJsonSchema", "responseSchema"));
        }
        let thinking = &config["thinkingConfig"];
        let level = thinking["thinkingLevel"].as_str().map(str::to_lowercase);
        let budget = thinking["thinkingBudget"].as_u64().map(Thinking::Budget);
        self.asked.thinking = budget.or(level.map(Thinking::Effort));
    }

    fn part(&mut self, role: &str, part: &Value) {
        match part["thought"] == true {
            true => self.push(Piece::Thought, text(part, "text")),
            false => self.words(role, text(part, "text")),
        }
        self.proof(&part["thoughtSignature"]);
        let data = &part["inlineData"];
        match text(data, "mimeType") {
            "application/pdf" => self.push(Piece::Document, text(data, "data")),
            _ => self.push(Piece::Image, text(data, "data")),
        }
        let call = &part["functionCall"];
        if call.is_object() {
            self.call(text(call, "id"), text(call, "name"), call["args"].clone());
        }
        let told = &part["functionResponse"];
        if let Some(response) = told["response"].as_object() {
            let words = response.values().map(|it| it.as_str().unwrap_or_default());
            let words: String = words.collect();
            self.result(text(told, "id"), text(told, "name"), &words);
        }
    }
}

/// A schema, as JSON Schema has it or as Google does.
fn either(told: &Value, json: &str, google: &str) -> Value {
    match &told[json] {
        Value::Null => lower(&told[google]),
        schema => schema.clone(),
    }
}

/// Google's names of types in lower case.
fn lower(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let lowered = members.iter().map(|(name, value)| match value.as_str() {
                Some(kind) if name == "type" => (name.clone(), kind.to_lowercase().into()),
                _ => (name.clone(), lower(value)),
            });
            lowered.collect()
        }
        other => other.clone(),
    }
}
