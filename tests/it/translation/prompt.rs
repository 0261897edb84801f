//! What a request must not lose on its way.
use super::said::{arguments_of, list, text};
use bartizan::providers::translate::Protocol;
use serde_json::Value;

/// What a client asks, piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Words of anyone.
    Text(String),
    /// Base64, a URL or a file's id.
    Media(String),
    /// A tool's name, offered or called.
    Name(String),
    /// A call's arguments.
    Arguments(Value),
    /// What a tool gave back: text, or JSON.
    Result(Value),
}

/// Reads a request of this dialect.
pub(super) fn read(client: Protocol, body: &Value) -> Prompt {
    let mut prompt = Prompt::default();
    match client {
        Protocol::Responses => prompt.responses(body),
        Protocol::Messages => prompt.messages(body),
        Protocol::Gemini => prompt.gemini(body),
        Protocol::Ollama => prompt.ollama(body),
        Protocol::Cohere => prompt.cohere(body),
        _ => prompt.chat(body),
    }
    prompt
}

impl Prompt {
    fn text(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.pieces.push(Piece::Text(text.trim().to_owned()));
        }
    }

    fn media(&mut self, source: &Value) {
        if let Some(source) = source.as_str() {
            let data = source.split_once(";base64,").map_or(source, |(_, data)| data);
            // Google's clients write base64 that fits into URLs; others do not take it.
            let is_base64 = !data.contains("://");
            let data =
                if is_base64 { data.replace('-', "+").replace('_', "/") } else { data.into() };
            self.pieces.push(Piece::Media(data));
        }
    }

    fn file(&mut self, id: &Value) {
        self.pieces.extend(id.as_str().map(|id| Piece::Media(id.to_owned())));
    }

    fn name(&mut self, name: &Value) {
        self.pieces.extend(name.as_str().map(|name| Piece::Name(name.to_owned())));
    }

    fn call(&mut self, name: &Value, arguments: &Value) {
        self.name(name);
        let arguments = match arguments {
            Value::String(text) => arguments_of(text),
            Value::Null => arguments_of(""),
            other => other.clone(),
        };
        self.pieces.push(Piece::Arguments(arguments));
    }

    /// A content: text, or parts with `kind` before the names of their types.
    fn content(&mut self, content: &Value) {
        self.text(content.as_str().unwrap_or_default());
        for part in content.as_array().into_iter().flatten() {
            self.text(text(part, "text"));
            self.text(text(part, "refusal"));
            let image = &part["image_url"];
            self.media(if image.is_object() { &image["url"] } else { image });
            self.media(&part["input_audio"]["data"]);
            for file in [part, &part["file"]] {
                ["file_data", "file_url"].iter().for_each(|it| self.media(&file[it]));
                self.file(&file["file_id"]);
            }
        }
    }

    fn chat(&mut self, body: &Value) {
        for message in list(body, "messages") {
            if message["role"] == "tool" || message["role"] == "function" {
                self.result(&message["content"]);
                continue;
            }
            self.content(&message["content"]);
            for call in list(message, "tool_calls").map(|call| &call["function"]) {
                self.call(&call["name"], &call["arguments"]);
            }
        }
        list(body, "tools").for_each(|tool| self.name(&tool["function"]["name"]));
        list(body, "functions").for_each(|tool| self.name(&tool["name"]));
    }

    fn ollama(&mut self, body: &Value) {
        self.chat(body);
        let messages = list(body, "messages");
        messages.flat_map(|it| list(it, "images")).for_each(|it| self.media(it));
    }

    fn cohere(&mut self, body: &Value) {
        for message in list(body, "messages").filter(|it| it["role"] != "tool") {
            self.text(text(message, "tool_plan"));
        }
        self.chat(body);
        let in_results = list(body, "messages").flat_map(|it| list(it, "content"));
        let in_results = in_results.filter(|it| it["type"] == "document").map(|it| &it["document"]);
        for document in list(body, "documents").chain(in_results) {
            self.text(document.as_str().unwrap_or_default());
            match &document["data"] {
                Value::Object(data) => {
                    data.values().for_each(|it| self.text(it.as_str().unwrap_or_default()));
                }
                data => self.text(data.as_str().unwrap_or_default()),
            }
        }
    }

    fn result(&mut self, content: &Value) {
        match content {
            Value::String(text) if text.trim().is_empty() => {}
            Value::String(_) => self.pieces.push(Piece::Result(content.clone())),
            parts => self.content(parts),
        }
    }

    fn responses(&mut self, body: &Value) {
        self.text(text(body, "instructions"));
        self.text(text(body, "input"));
        for item in list(body, "input") {
            match text(item, "type") {
                "message" | "" => self.content(&item["content"]),
                "function_call" => self.call(&item["name"], &item["arguments"]),
                "function_call_output" | "custom_tool_call_output" => self.result(&item["output"]),
                _ => {}
            }
        }
        let functions = list(body, "tools").filter(|tool| tool["type"] == "function");
        functions.for_each(|tool| self.name(&tool["name"]));
    }

    fn messages(&mut self, body: &Value) {
        self.content(&body["system"]);
        for message in list(body, "messages") {
            self.text(message["content"].as_str().unwrap_or_default());
            list(message, "content").for_each(|block| self.block(block));
        }
        let own = |tool: &&Value| tool["input_schema"].is_object();
        list(body, "tools").filter(own).for_each(|tool| self.name(&tool["name"]));
    }

    fn block(&mut self, block: &Value) {
        self.text(text(block, "text"));
        let source = &block["source"];
        match text(source, "type") {
            "text" => self.text(text(source, "data")),
            _ => {
                ["data", "url"].iter().for_each(|it| self.media(&source[it]));
                self.file(&source["file_id"]);
            }
        }
        match text(block, "type") {
            "tool_use" => self.call(&block["name"], &block["input"]),
            "tool_result" if block["content"].is_string() => self.result(&block["content"]),
            "tool_result" => list(block, "content").for_each(|block| self.block(block)),
            _ => {}
        }
    }

    fn gemini(&mut self, body: &Value) {
        let system = either(body, "systemInstruction", "system_instruction");
        for content in list(body, "contents").chain([system]) {
            for part in list(content, "parts").filter(|part| part["thought"] != true) {
                self.part(part);
            }
        }
        for tool in list(body, "tools") {
            let functions = either(tool, "functionDeclarations", "function_declarations");
            functions.as_array().into_iter().flatten().for_each(|it| self.name(&it["name"]));
        }
    }

    fn part(&mut self, part: &Value) {
        self.text(text(part, "text"));
        self.media(&either(part, "inlineData", "inline_data")["data"]);
        let file = either(part, "fileData", "file_data");
        self.media(either(file, "fileUri", "file_uri"));
        let call = either(part, "functionCall", "function_call");
        if call.is_object() {
            self.call(&call["name"], &call["args"]);
        }
        let told = either(part, "functionResponse", "function_response");
        if told.is_object() {
            self.pieces.push(Piece::Result(told["response"].clone()));
        }
    }
}

/// Google's clients write names in two ways.
fn either<'a>(value: &'a Value, name: &str, other: &str) -> &'a Value {
    value.get(name).unwrap_or(&value[other])
}
