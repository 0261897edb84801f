//! The management API as tests call it.
use crate::client::{Answer, Call, get, with_body};
use crate::proxy::{CREDENTIAL, KEY, Proxy, Setup, with};
use serde_json::{Value, json};

/// A proxy with the models `gpt` and `claude/*`, which nobody calls.
pub(crate) fn house() -> Setup {
    with(&config(""))
}

/// Its config, with more lines in `litellm_settings`.
pub(crate) fn config(settings: &str) -> String {
    format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: http://127.0.0.1:9, api_key: {CREDENTIAL}}}
  - model_name: claude/*
    litellm_params: {{model: openai/*, api_base: http://127.0.0.1:9, api_key: {CREDENTIAL}}}
general_settings: {{master_key: {KEY}}}
litellm_settings:
  request_timeout: 5
{settings}"
    )
}

/// A call of the management API.
pub(crate) fn manage(method: &'static str, path: &str, body: &Value) -> Call {
    match method {
        "GET" => get(path),
        method => with_body(method, path, "application/json", body.to_string()),
    }
}

/// The path with a query in which every value is encoded.
pub(crate) fn query(path: &str, values: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> =
        values.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("{path}?{}", pairs.join("&"))
}

impl Proxy {
    /// Makes a call of the management API with that key.
    pub(crate) async fn ask(
        &self,
        key: &str,
        method: &'static str,
        path: &str,
        body: Value,
    ) -> Answer {
        manage(method, path, &body).key(key).send(self.addr()).await
    }

    /// Posts as the admin, and expects it to be done.
    #[track_caller]
    pub(crate) fn done(&self, path: &str, body: Value) -> impl Future<Output = Value> {
        let path = path.to_owned();
        async move { self.ask(KEY, "POST", &path, body).await.expect(200).json() }
    }

    /// Gets as the admin, and expects it to be there.
    pub(crate) async fn got(&self, path: &str) -> Value {
        self.ask(KEY, "GET", path, Value::Null).await.expect(200).json()
    }

    /// Makes a user of that role, and tells the text of its key.
    pub(crate) async fn user(&self, id: &str, role: &str) -> String {
        let user = self.done("/user/new", json!({"user_id": id, "user_role": role})).await;
        user["key"].as_str().expect("a key").to_owned()
    }

    /// Makes a key of that document, and tells its text.
    pub(crate) async fn key(&self, doc: Value) -> String {
        let key = self.done("/key/generate", doc).await;
        key["key"].as_str().expect("a key").to_owned()
    }
}
