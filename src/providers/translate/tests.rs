use super::{Edits, Protocol, Translation, native};
use crate::config::Fit;
use crate::data;
use crate::providers::chat::{Client, Malformed, Target};
use serde_json::{Value, json};

const EDITS: Edits<'_> =
    Edits { defaults: &[], forced: &[], extra_body: &[], drop: &[], stream_usage: true };
const TARGET: Target<'_> = Target {
    provider: "anthropic",
    row: None,
    model: "claude-sonnet-4-5",
    like: "claude-sonnet-4-5",
    max_output: Some(8192),
    thinks: None,
    modify: false,
};
const TO_ANTHROPIC: Translation =
    Translation { client: Protocol::Chat, provider: Protocol::Messages };

fn translated(body: &Value, fit: Fit) -> Result<(Value, Option<String>), Malformed> {
    let draft = TO_ANTHROPIC.read(body.to_string().as_bytes(), &EDITS, fit)?;
    let made = draft.write(&TARGET, &EDITS, Client::default())?;
    Ok((serde_json::from_slice(&made.body).unwrap(), made.reply.dropped()))
}

fn asked(more: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

#[test]
fn members_of_nobodys_dialect_go_on_as_they_are() {
    let (body, dropped) = translated(&asked(&json!({"foo": {"a": [1]}})), Fit::default()).unwrap();
    assert_eq!(body["foo"], json!({"a": [1]}));
    assert_eq!(dropped, None);
}

#[test]
fn litellms_own_fields_go_nowhere() {
    let more = json!({"tags": ["a"], "metadata": {"a": 1}, "num_retries": 2, "mock_x": 1});
    let (body, _) = translated(&asked(&more), Fit::default()).unwrap();
    for name in ["tags", "metadata", "num_retries", "mock_x"] {
        assert_eq!(body.get(name), None, "{name}");
    }
}

#[test]
fn what_the_answer_depends_on_is_refused_dropped_or_sent_as_the_config_says() {
    let body = asked(&json!({"seed": 7}));
    let refused = translated(&body, Fit::default()).unwrap_err();
    assert_eq!(refused.param, "seed");
    let dropping = Fit { drop: Some(true), ..Fit::default() };
    assert_eq!(translated(&body, dropping).unwrap().1.as_deref(), Some("seed"));
    let audio = asked(&json!({"audio": {"voice": "x"}}));
    assert_eq!(translated(&audio, Fit::default()).unwrap_err().param, "audio");
    let allowing = Fit { allowed: vec!["audio".to_owned()], ..Fit::default() };
    assert_eq!(translated(&audio, allowing).unwrap().0["audio"]["voice"], "x");
}

#[test]
fn a_provider_is_found_however_its_base_is_written() {
    for (provider, base, protocol, place) in [
        ("ollama", "http://h:1/v1", Protocol::Ollama, "http://h:1"),
        ("ollama_chat", "http://h:1/api/generate", Protocol::Ollama, "http://h:1"),
        ("cohere_chat", "https://h/compatibility/v1", Protocol::Cohere, "https://h/v2"),
        ("cohere", "https://h/v1", Protocol::Cohere, "https://h/v2"),
        ("anthropic", "https://h/v1", Protocol::Messages, "https://h/v1"),
        ("groq", "https://h/openai/v1", Protocol::Chat, "https://h/openai/v1"),
    ] {
        let row = data::provider(provider).unwrap();
        let (spoken, found) = native(row, &base.parse().unwrap());
        assert_eq!((spoken, found.base.as_str()), (protocol, place), "{provider} at {base}");
    }
}
