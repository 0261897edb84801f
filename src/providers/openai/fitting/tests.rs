use super::fit;
use crate::data::{Quirks, provider};
use crate::providers::chat::Lost;
use crate::providers::openai::{EditPlan, edited};
use crate::providers::{Contents, Operation, Prompt};
use bartizan_layers::wire::scan::Skim;
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

fn quirks(name: &str, model: &str) -> Quirks {
    provider(name).expect("a row").quirks_of(model)
}

/// What the provider `name` gets of a client's own request, and what it is not told.
async fn spliced(name: &str, model: &str, body: &str, plan: &EditPlan<'_>) -> (String, Lost) {
    let quirks = quirks(name, model);
    let plan = EditPlan { quirks: &quirks, ..*plan };
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    let mut skim = Skim::default();
    skim.push(&bytes);
    let prompt = Prompt::new(Contents::of(skim.into_text(vec![bytes])), None);
    let edited = edited(&Operation::ChatCompletions, &prompt, &plan).expect("a request");
    let sent = edited.body.collect().await.expect("in memory").to_bytes();
    (String::from_utf8(sent.to_vec()).expect("text"), edited.lost)
}

static MODEL: Bytes = Bytes::from_static(b"\"m\"");

/// Which changes nothing where the client's model is `m`.
fn plan() -> EditPlan<'static> {
    EditPlan {
        model: Some(&MODEL),
        version: None,
        defaults: &[],
        extra_body: &[],
        drop: &[],
        stream_usage: false,
        keep_metadata: false,
        quirks: const { &Quirks::NONE },
        allowed: &[],
    }
}

/// What the provider gets of a request that is spliced and of one that was translated: the same.
async fn both(name: &str, model: &str, body: &Value) -> (Value, Lost) {
    let (sent, lost) = spliced(name, model, &body.to_string(), &plan()).await;
    let (mut told, mut other) = (body.as_object().expect("an object").clone(), Lost::default());
    fit(&mut told, &quirks(name, model), &mut other);
    assert_eq!(serde_json::from_str::<Value>(&sent).expect("JSON"), Value::Object(told), "{name}");
    assert_eq!(lost.names().collect::<Vec<_>>().len(), other.names().count(), "{name}");
    (serde_json::from_str(&sent).expect("JSON"), lost)
}

#[tokio::test]
async fn what_a_row_does_not_name_keeps_its_bytes() {
    let bodies = [
        (
            "openai",
            "gpt-4o",
            r#"{ "model" :"m", "max_tokens":5,"temperature": 0.20, "messages":[]}"#,
        ),
        ("openai", "o3-mini", r#"{"model":"m","max_completion_tokens" :5,"temperature": 1.0}"#),
        ("openai", "gpt-5.4", r#"{"model":"m","temperature": 0.2,"logprobs":true}"#),
        ("openai", "gpt-5-chat-latest", r#"{"model":"m","temperature": 0.2,"max_tokens":1}"#),
        ("openai_like", "o3-mini", r#"{"model":"m","max_tokens":1,"stop":"x"}"#),
        ("groq", "llama", r#"{"model":"m","n":1,"logprobs":null,"user":"u","seed":7}"#),
        ("xai", "grok-4-fast-non-reasoning", r#"{"model":"m","stop":["x"]}"#),
        (
            "mistral",
            "mistral-large",
            r#"{"model":"m","tool_choice":"auto","messages":[{"role":"tool","name":"f","tool_call_id": "abcdefgh1","content":"\u00e9"}]}"#,
        ),
        (
            "deepseek",
            "deepseek-chat",
            r#"{"model":"m","thinking": {"type":"enabled"},"messages":[{"role":"user","content": "a"}]}"#,
        ),
    ];
    for (name, model, body) in bodies {
        let (sent, lost) = spliced(name, model, body, &plan()).await;
        assert_eq!((sent.as_str(), lost), (body, Lost::default()), "{name} {model}");
    }
}

#[tokio::test]
async fn models_of_openai_that_think_get_the_bound_of_an_answer_by_its_newer_name() {
    let body = r#"{"model":"m", "max_tokens" : 64, "messages": [ ]}"#;
    for model in ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-nano", "gpt-5.1"] {
        let (sent, _) = spliced("openai", model, body, &plan()).await;
        assert_eq!(
            sent, r#"{"model":"m", "max_completion_tokens":64, "messages": [ ]}"#,
            "{model}"
        );
    }
}

#[tokio::test]
async fn a_parameter_that_stands_under_both_names_is_sent_once() {
    let body = r#"{"model":"m","max_tokens":1,"max_completion_tokens":2}"#;
    let (sent, _) = spliced("openai", "o3", body, &plan()).await;
    assert_eq!(sent, r#"{"model":"m","max_completion_tokens":2}"#);
    let body = r#"{"model":"m","random_seed":null,"seed":2}"#;
    let (sent, _) = spliced("mistral", "x", body, &plan()).await;
    assert_eq!(sent, r#"{"model":"m","random_seed":2}"#);
}

#[tokio::test]
async fn what_models_that_think_refuse_is_lost_and_what_says_nothing_is_left_out() {
    let body = json!({
        "model": "m", "temperature": 0.2, "top_p": 0.9, "stop": ["x"], "logprobs": true,
        "presence_penalty": 0, "parallel_tool_calls": false,
    });
    let (sent, lost) = both("openai", "o3-mini", &body).await;
    assert_eq!(sent, json!({"model": "m", "presence_penalty": 0}));
    assert_eq!(lost.parts, ["temperature", "top_p", "stop", "logprobs"]);
    assert_eq!(lost.hints, ["parallel_tool_calls"]);
    let body = json!({"model": "m", "stop": "x", "frequency_penalty": 0.5, "n": 2});
    let (sent, lost) = both("xai", "grok-3-mini", &body).await;
    assert_eq!((sent, lost.parts.len()), (json!({"model": "m", "n": 2}), 2));
    let (sent, lost) =
        both("groq", "llama", &json!({"model": "m", "n": 2, "top_logprobs": 1})).await;
    assert_eq!((sent, lost.parts.len()), (json!({"model": "m"}), 2));
}

#[tokio::test]
async fn the_oldest_models_that_think_get_instructions_from_the_user() {
    let messages = json!([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]);
    let body = json!({"model": "m", "messages": messages});
    let (sent, _) = both("openai", "o1-mini-2024-09-12", &body).await;
    assert_eq!(sent["messages"][0]["role"], "user");
    let (sent, _) = both("openai", "o3-mini", &body).await;
    assert_eq!(sent, body);
}

#[tokio::test]
async fn mistral_is_asked_in_its_own_words() {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({
        "model": "m", "seed": 7, "user": "u1", "tool_choice": "required", "max_completion_tokens": 5,
        "messages": [
            {"role": "developer", "name": "d", "content": "a"},
            {"role": "assistant", "content": null, "refusal": null, "reasoning_content": "Hm.",
             "tool_calls": [call("call_1"), call("abcdefgh1")]},
            {"role": "tool", "name": "f", "tool_call_id": "call_1", "content": "b"},
            {"role": "tool", "tool_call_id": "abcdefgh1", "content": "c"},
        ],
    });
    let (sent, lost) = both("mistral", "mistral-large", &body).await;
    let parameters = ["random_seed", "tool_choice", "max_tokens", "user"].map(|it| &sent[it]);
    assert_eq!(parameters, [&json!(7), &json!("any"), &json!(5), &Value::Null]);
    let messages = &sent["messages"];
    assert_eq!(messages[0], json!({"role": "system", "content": "a"}));
    let id = messages[1]["tool_calls"][0]["id"].as_str().expect("an id");
    assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!((&messages[2]["tool_call_id"], &messages[2]["name"]), (&json!(id), &json!("f")));
    assert_eq!(messages[1]["tool_calls"][1]["id"], "abcdefgh1");
    assert_eq!(messages[3]["tool_call_id"], "abcdefgh1");
    assert_eq!(messages[1].get("refusal").or(messages[1].get("reasoning_content")), None);
    assert_eq!(lost.parts.len(), 0);
    assert_eq!(lost.told().expect("names").split(", ").count(), 3, "{lost:?}");
}

#[tokio::test]
async fn deepseek_gets_texts_and_a_picture_is_never_lost_in_silence() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let text = |text: &str| json!({"type": "text", "text": text});
    let messages = json!([{"role": "user", "content": [text("lo"), text("ok"), image]}]);
    let (sent, lost) =
        both("deepseek", "deepseek-chat", &json!({"model": "m", "messages": messages})).await;
    assert_eq!(sent["messages"][0]["content"], "look");
    assert_eq!(lost.parts, ["messages.content.image_url"]);
}

#[tokio::test]
async fn messages_that_are_not_held_in_one_piece_are_changed_too() {
    let long = "x".repeat(9000);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","name":"n","content":"{long}"}}],"user":"u"}}"#
    );
    let (sent, lost) = spliced("mistral", "x", &body, &plan()).await;
    let want = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{long}"}}]}}"#);
    assert_eq!(sent, want);
    assert_eq!(lost.told().as_deref(), Some("user, messages.name"));
}

#[tokio::test]
async fn what_the_config_says_is_told_in_the_providers_words_too() {
    let one =
        |name: &str, json: &'static str| (name.to_owned(), Bytes::from_static(json.as_bytes()));
    let defaults = [one("max_tokens", "9"), one("temperature", "0.5")];
    let asked = |defaults| EditPlan { defaults, ..plan() };
    let (sent, lost) = spliced("openai", "o3", r#"{"model":"m"}"#, &asked(&defaults)).await;
    assert_eq!(sent, r#"{"model":"m","max_completion_tokens":9}"#);
    assert_eq!(lost.parts, ["temperature"]);
    let body = r#"{"model":"m","max_tokens":1,"temperature":1}"#;
    let (sent, lost) = spliced("openai", "o3", body, &asked(&defaults)).await;
    assert_eq!(sent, r#"{"model":"m","max_completion_tokens":1,"temperature":1}"#);
    assert_eq!(lost, Lost::default());
    // `extra_body` is in the provider's words.
    let extra = [one("max_completion_tokens", "3"), one("temperature", "0.5")];
    let plan = EditPlan { extra_body: &extra, ..plan() };
    let body = r#"{"model":"m","max_tokens":1,"temperature":0.1}"#;
    let (sent, lost) = spliced("openai", "o3", body, &plan).await;
    assert_eq!(sent, r#"{"model":"m","temperature":0.5,"max_completion_tokens":3}"#);
    assert_eq!(lost, Lost::default());
}

#[tokio::test]
async fn what_is_allowed_is_sent_and_what_is_to_be_dropped_is_not() {
    let body = r#"{"model":"m","stop":"x","top_p":0.5,"seed":1,"allowed_openai_params":["stop"],"additional_drop_params":["seed"]}"#;
    let allowed = ["top_p".to_owned()];
    let plan = EditPlan { allowed: &allowed, ..plan() };
    let (sent, lost) = spliced("openai", "o3", body, &plan).await;
    assert_eq!(sent, r#"{"model":"m","stop":"x","top_p":0.5}"#);
    assert_eq!(lost, Lost::default());
}
