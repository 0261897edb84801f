//! What clients ask, each in its dialect, and how they go on with what they heard.
use super::asked::{ABOUT, PDF, PNG, RESULTS, SYSTEM, TOOL, USER, arguments, schema};
use super::natives;
use super::rows::Column;
use crate::client::{Call, post};
use crate::translation::said::{list, text};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

/// A request in this dialect; `None` where it has no words for that.
pub(super) fn request(
    client: Protocol,
    column: Column,
    model: &str,
    stream: bool,
) -> Option<Value> {
    Some(match client {
        Protocol::Completions => completion(column, model, stream)?,
        Protocol::Responses => responses(column, model, stream),
        Protocol::Messages => messages(column, model, stream),
        Protocol::Gemini => gemini(column),
        Protocol::Cohere => natives::cohere(column, model, stream)?,
        Protocol::Ollama => natives::ollama(column, model, stream)?,
        _ => chat(column, model, stream),
    })
}

/// The call with that request.
pub(super) fn call(client: Protocol, model: &str, stream: bool, body: &Value) -> Call {
    let model = model.replace('/', "%2F");
    let path = match client {
        Protocol::Completions => "/v1/completions".to_owned(),
        Protocol::Responses => "/v1/responses".to_owned(),
        Protocol::Messages => "/v1/messages".to_owned(),
        Protocol::Cohere => "/v2/chat".to_owned(),
        Protocol::Ollama => "/api/chat".to_owned(),
        Protocol::Gemini if stream => {
            format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
        }
        Protocol::Gemini => format!("/v1beta/models/{model}:generateContent"),
        _ => "/v1/chat/completions".to_owned(),
    };
    post(path, body.to_string())
}

fn data(kind: &str, bytes: &str) -> String {
    format!("data:{kind};base64,{bytes}")
}

fn chat(column: Column, model: &str, stream: bool) -> Value {
    let words = json!({"type": "text", "text": USER});
    let content = match column {
        Column::Image => {
            json!([words, {"type": "image_url", "image_url": {"url": data("image/png", PNG)}}])
        }
        Column::Document => {
            let file = json!({"filename": "chart.pdf", "file_data": data("application/pdf", PDF)});
            json!([words, {"type": "file", "file": file}])
        }
        _ => USER.into(),
    };
    let system = json!({"role": "system", "content": SYSTEM});
    let user = json!({"role": "user", "content": content});
    let mut body = json!({"model": model, "messages": [system, user]});
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
    }
    if column.goes_on() {
        let function = json!({"name": TOOL, "description": ABOUT, "parameters": arguments()});
        body["tools"] = json!([{"type": "function", "function": function}]);
    }
    match column {
        Column::Tools => body["tool_choice"] = "required".into(),
        Column::Parallel => body["parallel_tool_calls"] = true.into(),
        Column::Reasoning => body["reasoning_effort"] = "medium".into(),
        Column::Structured => {
            let told = json!({"name": "wind", "schema": schema(), "strict": true});
            body["response_format"] = json!({"type": "json_schema", "json_schema": told});
        }
        _ => {}
    }
    body
}

fn completion(column: Column, model: &str, stream: bool) -> Option<Value> {
    if !matches!(column, Column::Plain | Column::Stream | Column::Error) {
        return None;
    }
    let mut body = json!({"model": model, "prompt": USER});
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
    }
    Some(body)
}

fn responses(column: Column, model: &str, stream: bool) -> Value {
    let words = json!({"type": "input_text", "text": USER});
    let content = match column {
        Column::Image => {
            json!([words, {"type": "input_image", "image_url": data("image/png", PNG)}])
        }
        Column::Document => {
            let data = data("application/pdf", PDF);
            json!([words, {"type": "input_file", "filename": "chart.pdf", "file_data": data}])
        }
        _ => USER.into(),
    };
    let user = json!({"type": "message", "role": "user", "content": content});
    let mut body = json!({"model": model, "instructions": SYSTEM, "input": [user]});
    body["store"] = false.into();
    if stream {
        body["stream"] = true.into();
    }
    if column.goes_on() {
        let (name, schema) = (TOOL, arguments());
        let tool = json!({"type": "function", "name": name, "description": ABOUT, "parameters": schema, "strict": false});
        body["tools"] = json!([tool]);
    }
    match column {
        Column::Tools => body["tool_choice"] = "required".into(),
        Column::Parallel => body["parallel_tool_calls"] = true.into(),
        Column::Reasoning => {
            body["reasoning"] = json!({"effort": "medium", "summary": "auto"});
            body["include"] = json!(["reasoning.encrypted_content"]);
        }
        Column::Structured => {
            let schema = schema();
            body["text"] = json!({"format": {"type": "json_schema", "name": "wind", "schema": schema, "strict": true}});
        }
        _ => {}
    }
    body
}

fn messages(column: Column, model: &str, stream: bool) -> Value {
    let words = json!({"type": "text", "text": USER});
    let bytes =
        |kind: &str, bytes: &str| json!({"type": "base64", "media_type": kind, "data": bytes});
    let content = match column {
        Column::Image => json!([words, {"type": "image", "source": bytes("image/png", PNG)}]),
        Column::Document => {
            json!([words, {"type": "document", "source": bytes("application/pdf", PDF)}])
        }
        _ => USER.into(),
    };
    let user = json!({"role": "user", "content": content});
    let mut body =
        json!({"model": model, "max_tokens": 4096, "system": SYSTEM, "messages": [user]});
    if stream {
        body["stream"] = true.into();
    }
    if column.goes_on() {
        body["tools"] = json!([{"name": TOOL, "description": ABOUT, "input_schema": arguments()}]);
    }
    match column {
        Column::Tools => body["tool_choice"] = json!({"type": "any"}),
        Column::Reasoning => {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": 2048});
        }
        Column::Structured => {
            let format = json!({"type": "json_schema", "schema": schema()});
            body["output_config"] = json!({"format": format});
        }
        _ => {}
    }
    body
}

fn gemini(column: Column) -> Value {
    let words = json!({"text": USER});
    let bytes = |kind: &str, bytes: &str| json!({"inlineData": {"mimeType": kind, "data": bytes}});
    let parts = match column {
        Column::Image => json!([words, bytes("image/png", PNG)]),
        Column::Document => json!([words, bytes("application/pdf", PDF)]),
        _ => json!([words]),
    };
    let mut body = json!({
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": [{"role": "user", "parts": parts}],
    });
    if column.goes_on() {
        let (name, schema) = (TOOL, arguments());
        let tool = json!({"name": name, "description": ABOUT, "parametersJsonSchema": schema});
        body["tools"] = json!([{"functionDeclarations": [tool]}]);
    }
    match column {
        Column::Tools => {
            body["toolConfig"] = json!({"functionCallingConfig": {"mode": "ANY"}});
        }
        Column::Reasoning => {
            let thinking = json!({"thinkingBudget": 2048, "includeThoughts": true});
            body["generationConfig"] = json!({"thinkingConfig": thinking});
        }
        Column::Structured => {
            let schema = schema();
            body["generationConfig"] =
                json!({"responseMimeType": "application/json", "responseJsonSchema": schema});
        }
        _ => {}
    }
    body
}

/// The next request: what was heard, and what the tools that it calls gave back.
pub(super) fn go_on(client: Protocol, mut request: Value, heard: &Value) -> Value {
    let pushed = |request: &mut Value, name: &str, more: Vec<Value>| {
        request[name].as_array_mut().expect("a conversation").extend(more);
    };
    match client {
        Protocol::Responses => {
            let items: Vec<Value> = list(heard, "output").cloned().collect();
            let calls = items.iter().filter(|item| item["type"] == "function_call");
            let results = calls.zip(RESULTS).map(|(call, told)| {
                let id = &call["call_id"];
                json!({"type": "function_call_output", "call_id": id, "output": told})
            });
            let results: Vec<Value> = results.collect();
            pushed(&mut request, "input", items);
            pushed(&mut request, "input", results);
        }
        Protocol::Messages => {
            let calls = list(heard, "content").filter(|block| block["type"] == "tool_use");
            let results = calls.zip(RESULTS).map(|(call, told)| {
                json!({"type": "tool_result", "tool_use_id": call["id"], "content": told})
            });
            let results: Vec<Value> = results.collect();
            let model = json!({"role": "assistant", "content": heard["content"]});
            pushed(
                &mut request,
                "messages",
                vec![model, json!({"role": "user", "content": results})],
            );
        }
        Protocol::Gemini => {
            let content = &heard["candidates"][0]["content"];
            let calls = list(content, "parts").filter_map(|part| part.get("functionCall"));
            let results = calls.zip(RESULTS).map(|(call, told)| {
                let mut told = json!({"name": text(call, "name"), "response": {"output": told}});
                if call["id"].is_string() {
                    told["id"] = call["id"].clone();
                }
                json!({"functionResponse": told})
            });
            let results: Vec<Value> = results.collect();
            let user = json!({"role": "user", "parts": results});
            pushed(&mut request, "contents", vec![content.clone(), user]);
        }
        Protocol::Cohere | Protocol::Ollama => {
            pushed(&mut request, "messages", natives::next(client, &heard["message"]));
        }
        _ => {
            let message = &heard["choices"][0]["message"];
            let results = list(message, "tool_calls").zip(RESULTS).map(
                |(call, told)| json!({"role": "tool", "tool_call_id": call["id"], "content": told}),
            );
            let results = std::iter::once(message.clone()).chain(results);
            let results: Vec<Value> = results.collect();
            pushed(&mut request, "messages", results);
        }
    }
    request
}
