use super::answer;
use crate::providers::{Contents, Operation, Prompt};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn echo(operation: Operation, request: Value) -> String {
    let stream = request["stream"] == true;
    let text = Bytes::from(request.to_string()).into();
    let prompt = Prompt::new(Contents { stream, ..Contents::of(text) }, None);
    let rsp = answer(&operation, &prompt);
    String::from_utf8(rsp.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_last_message_comes_back_with_usage() {
    let request = json!({"messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "hello there"}]},
    ]});
    let chat: Value =
        serde_json::from_str(&echo(Operation::ChatCompletions, request).await).unwrap();
    assert_eq!(chat["choices"][0]["message"]["content"], "hello there");
    assert_eq!(
        chat["usage"],
        json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8})
    );
}

#[tokio::test]
async fn a_stream_ends_as_its_dialect_ends() {
    let chat = json!({"stream": true, "messages": [{"role": "user", "content": "a b"}],
                      "stream_options": {"include_usage": true}});
    let events = echo(Operation::ChatCompletions, chat.clone()).await;
    assert!(events.contains(r#""finish_reason":"stop""#) && events.ends_with("data: [DONE]\n\n"));
    assert!(events.contains(r#""choices":[],"usage""#), "{events}");
    let events = echo(Operation::Messages, chat).await;
    assert!(events.ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    let events = echo(Operation::Responses, json!({"stream": true, "input": "a b"})).await;
    assert!(events.contains("event: response.completed\n"));
}

#[tokio::test]
async fn structured_output_and_forced_tools_fit_their_schemas() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "age": {"$ref": "#/$defs/age"},
        "kind": {"enum": ["a", "b"]}, "tags": {"type": "array"},
    }, "$defs": {"age": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}});
    let messages = json!([{"role": "user", "content": "hi"}]);
    let fits = json!({"name": "hi", "age": 0, "kind": "a", "tags": []});
    let request = json!({"messages": messages, "response_format":
        {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}});
    let chat: Value =
        serde_json::from_str(&echo(Operation::ChatCompletions, request).await).unwrap();
    let content = chat["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(content).unwrap(), fits);

    let request = json!({"messages": messages, "tool_choice": "required",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]});
    let chat: Value =
        serde_json::from_str(&echo(Operation::ChatCompletions, request).await).unwrap();
    assert_eq!(chat["choices"][0]["finish_reason"], "tool_calls");
    let arguments = &chat["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"];
    assert_eq!(serde_json::from_str::<Value>(arguments.as_str().unwrap()).unwrap(), fits);
}

#[tokio::test]
async fn the_same_text_has_the_same_embedding() {
    let request = json!({"input": ["a", "b", "a"]});
    let answer: Value = serde_json::from_str(&echo(Operation::Embeddings, request).await).unwrap();
    let vector = |at: usize| &answer["data"][at]["embedding"];
    assert_eq!(vector(0), vector(2));
    assert_ne!(vector(0), vector(1));
}
