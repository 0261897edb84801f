//! The edits that an OpenAI request may get: exactly those that `docs/lossless.md` names.
use super::fitting::{Fitting, names};
use crate::data::Quirks;
use crate::providers::chat::Lost;
use crate::providers::{Operation, Prompt};
use bartizan_layers::body::Body;
use bartizan_layers::wire::scan::{Duplicate, Object};
use bartizan_layers::wire::splice::{Splice, UsageAsk};
use bartizan_layers::wire::text::Text;
use bytes::Bytes;

/// What a deployment changes in a request.
#[derive(Clone, Copy, Debug)]
pub struct EditPlan<'a> {
    /// The provider's name of the model, as JSON text. Where there is none, the request's path
    /// says it, and its body does not.
    pub model: Option<&'a Bytes>,
    /// The member that says in which version of the dialect the request is, and its value as JSON
    /// text, where the provider wants one.
    pub version: Option<(&'static str, &'static str)>,
    /// Parameters for requests that do not bring their own: name, JSON text.
    pub defaults: &'a [(String, Bytes)],
    /// Parameters for all requests: name, JSON text.
    pub extra_body: &'a [(String, Bytes)],
    /// Parameters that are taken out of all requests.
    pub drop: &'a [String],
    /// Whether streams are asked for their usage.
    pub stream_usage: bool,
    /// Whether `metadata` is forwarded on paths where it would be LiteLLM's own.
    pub keep_metadata: bool,
    /// How chat completions of the provider's model differ from OpenAI's.
    pub quirks: &'a Quirks,
    /// Parameters that are sent though the provider is said to refuse them.
    pub allowed: &'a [String],
}

/// An edited request.
#[derive(Debug)]
pub struct Edited {
    /// The body to send.
    pub body: Body,
    /// Whether we asked for a usage event that the client did not ask for.
    pub usage_is_ours: bool,
    /// What the provider refuses, and is not told.
    pub lost: Lost,
    /// Whether the client wants to go without that (`drop_params`), where it says so.
    pub drop: Option<bool>,
}

/// Why a request is not edited.
#[derive(Debug, thiserror::Error)]
pub enum NotEdited {
    /// A member that matters stands twice.
    #[error(transparent)]
    Duplicate(#[from] Duplicate),
    /// The memory for bodies has no room for what has to be taken apart.
    #[error("the memory for bodies is used up")]
    NoMemory,
}

/// Applies `plan` to the `prompt` of an `operation`. Bytes outside the edits stay as they are.
///
/// # Errors
///
/// When a member that matters stands twice, or memory lacks.
pub fn edited(
    operation: &Operation,
    prompt: &Prompt,
    plan: &EditPlan<'_>,
) -> Result<Edited, NotEdited> {
    let object = prompt.layout.object(prompt.text.outline());
    let mut splice = Splice::new(&object);
    if !matches!(operation, Operation::Gemini(_)) {
        match plan.model {
            Some(model) => put(&mut splice, &prompt.text, &object, "model", model)?,
            None => take_out(&mut splice, &object, |name| name == "model"),
        }
    }
    if let Some((name, json)) = plan.version {
        put(&mut splice, &prompt.text, &object, name, &Bytes::from_static(json.as_bytes()))?;
    }
    let (mut asked, mut drop) = (Vec::new(), None);
    if operation.strips_litellm_fields() {
        strip(&mut splice, &object, operation, plan.keep_metadata)?;
        asked = names(&object, "additional_drop_params")?;
        drop = object.get("drop_params")?.and_then(|member| member.value().as_bool());
    }
    let quirks = (*operation == Operation::ChatCompletions).then_some(plan.quirks);
    let mut fitting = Fitting::new(quirks, plan.allowed, &object)?;
    let settled = Settled::new(prompt, plan, &asked, &mut fitting);
    if !settled.names.is_empty() {
        take_out(&mut splice, &object, |name| settled.has(name) && !settled.puts(name));
    }
    for (name, value) in &settled.put {
        put(&mut splice, &prompt.text, &object, name, value)?;
    }
    fitting.members(&mut splice, &object, prompt, |name| settled.has(name))?;
    for (name, value) in plan.defaults {
        let Some(name) = default_name(operation, name) else { continue };
        if settled.has(name) || !is_absent(&object, name)? || is_said_otherwise(&object, name)? {
            continue;
        }
        let Some((name, value)) = fitting.told(name, value) else { continue };
        if !settled.has(name) && is_absent(&object, name)? {
            put(&mut splice, &prompt.text, &object, name, &value)?;
        }
    }
    let asks = plan.stream_usage && !settled.has("stream_options");
    let ask = prompt.stream && asks && operation.has_stream_options();
    let usage_is_ours = ask && splice.ask_for_usage()? == UsageAsk::ByUs;
    Ok(Edited { body: splice.apply(&prompt.text), usage_is_ours, lost: fitting.lost, drop })
}

/// What is not the client's to say.
struct Settled<'a> {
    /// The client's names for it.
    names: Vec<&'a str>,
    /// What is said instead, in the provider's words.
    put: Vec<(&'a str, Bytes)>,
}

impl<'a> Settled<'a> {
    fn new(
        prompt: &'a Prompt,
        plan: &EditPlan<'a>,
        asked: &'a [String],
        fitting: &mut Fitting<'_>,
    ) -> Self {
        let mut names: Vec<&str> = plan.drop.iter().chain(asked).map(String::as_str).collect();
        let mut put = Vec::new();
        for (name, value) in plan.extra_body {
            put.push((name.as_str(), value.clone()));
        }
        let forced = prompt.forced.as_deref().map_or(&[][..], |members| members);
        for (name, value) in forced.iter().filter(|(name, _)| !is_litellm_field(name.as_bytes())) {
            names.push(name);
            put.extend(fitting.told(name, value));
        }
        Self { names, put }
    }

    fn puts(&self, name: &str) -> bool {
        self.put.iter().any(|(put, _)| *put == name)
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name) || self.puts(name)
    }
}

/// Takes members out by their names.
fn take_out(splice: &mut Splice<'_, '_>, object: &Object<'_>, is_out: impl Fn(&str) -> bool) {
    for (at, member) in object.members().iter().enumerate() {
        if std::str::from_utf8(member.key()).is_ok_and(&is_out) {
            splice.remove(at);
        }
    }
}

/// Sets a member, unless it has that very value already.
fn put(
    splice: &mut Splice<'_, '_>,
    text: &Text,
    object: &Object<'_>,
    name: &str,
    json: &Bytes,
) -> Result<(), Duplicate> {
    let Some(at) = object.index(name)? else {
        splice.insert(name, json);
        return Ok(());
    };
    let value = object.members()[at].value();
    if value.raw() != json || text.is_cut(value.range().start) {
        splice.replace(at, json.clone());
    }
    Ok(())
}

/// What a default of the config is called where `operation` takes it.
fn default_name<'a>(operation: &Operation, name: &'a str) -> Option<&'a str> {
    match operation {
        Operation::Responses if name == "max_tokens" => Some("max_output_tokens"),
        _ => operation.dialect().parameter(name),
    }
}

/// Contract 2.3: a null counts as absent.
fn is_absent(object: &Object<'_>, name: &str) -> Result<bool, Duplicate> {
    Ok(object.get(name)?.is_none_or(|member| member.value().is_null()))
}

/// OpenAI refuses a request that bounds its answer by both of its names for that.
fn is_said_otherwise(object: &Object<'_>, name: &str) -> Result<bool, Duplicate> {
    match name {
        "max_tokens" => Ok(!is_absent(object, "max_completion_tokens")?),
        "max_completion_tokens" => Ok(!is_absent(object, "max_tokens")?),
        _ => Ok(false),
    }
}

/// Takes LiteLLM's own fields out. `metadata` is OpenAI's too: in responses, and where a
/// completion is stored.
fn strip(
    splice: &mut Splice<'_, '_>,
    object: &Object<'_>,
    operation: &Operation,
    keep_metadata: bool,
) -> Result<(), Duplicate> {
    let stored = object.get("store")?.and_then(|member| member.value().as_bool()) == Some(true);
    let keep_metadata = keep_metadata || stored || *operation == Operation::Responses;
    for (at, member) in object.members().iter().enumerate() {
        let metadata = member.key() == b"metadata" && !keep_metadata;
        if metadata || is_litellm_field(member.key()) {
            splice.remove(at);
        }
    }
    Ok(())
}

/// The fields that LiteLLM consumes and never forwards (contract 3.3), but for `metadata`.
#[must_use]
pub fn is_litellm_field(name: &[u8]) -> bool {
    matches!(
        name,
        b"litellm_metadata"
            | b"tags"
            | b"fallbacks"
            | b"context_window_fallbacks"
            | b"content_policy_fallbacks"
            | b"num_retries"
            | b"timeout"
            | b"request_timeout"
            | b"stream_timeout"
            | b"cache"
            | b"caching"
            | b"cooldown_time"
            | b"guardrails"
            | b"disable_fallbacks"
            | b"litellm_session_id"
            | b"litellm_trace_id"
            | b"litellm_call_id"
            | b"priority"
            | b"allowed_openai_params"
            | b"drop_params"
            | b"additional_drop_params"
            | b"no-log"
            | b"user_config"
            | b"enable_tag_filtering"
            | b"prompt_id"
            | b"prompt_variables"
            | b"router_settings_override"
            | b"secret_fields"
            | b"api_key"
            | b"api_base"
            | b"base_url"
            | b"api_version"
            | b"fastest_response"
    ) || name.starts_with(b"mock_")
}

#[cfg(test)]
mod tests {
    use super::{EditPlan, edited};
    use crate::data::Quirks;
    use crate::providers::{Contents, Operation, Prompt};
    use bartizan_layers::wire::scan::Skim;
    use bytes::Bytes;
    use http_body_util::BodyExt;

    async fn after(operation: Operation, plan: &EditPlan<'_>, body: &'static str) -> String {
        let contents = Contents {
            stream: body.contains(r#""stream":true"#),
            ..Contents::of(Bytes::from_static(body.as_bytes()).into())
        };
        let prompt = Prompt::new(contents, None);
        let edited = edited(&operation, &prompt, plan).unwrap();
        let bytes = edited.body.collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn plan(model: &Bytes) -> EditPlan<'_> {
        EditPlan {
            model: Some(model),
            version: None,
            defaults: &[],
            extra_body: &[],
            drop: &[],
            stream_usage: true,
            keep_metadata: false,
            quirks: const { &Quirks::NONE },
            allowed: &[],
        }
    }

    #[tokio::test]
    async fn only_the_model_changes_in_an_ordinary_request() {
        let model = Bytes::from_static(b"\"up\"");
        let plan = plan(&model);
        let chat = after(
            Operation::ChatCompletions,
            &plan,
            "{ \"model\" : \"down\",\n \"x\": [1.0e5, \"\\u00e9\"], \"user\":\"u\" }",
        );
        assert_eq!(
            chat.await,
            "{ \"model\" : \"up\",\n \"x\": [1.0e5, \"\\u00e9\"], \"user\":\"u\" }"
        );
    }

    #[tokio::test]
    async fn litellm_fields_go_and_metadata_stays_where_it_is_openais() {
        let model = Bytes::from_static(b"\"m\"");
        let body = r#"{"tags":["a"],"model":"m","metadata":{"a":1},"mock_response":"x"}"#;
        let chat = after(Operation::ChatCompletions, &plan(&model), body).await;
        assert_eq!(chat, r#"{"model":"m"}"#);
        let responses = after(Operation::Responses, &plan(&model), body).await;
        assert_eq!(responses, r#"{"model":"m","metadata":{"a":1}}"#);
        let messages = after(Operation::Messages, &plan(&model), body).await;
        assert_eq!(messages, body);
        let stored = r#"{"model":"m","metadata":{"a":1},"store":true}"#;
        assert_eq!(after(Operation::ChatCompletions, &plan(&model), stored).await, stored);
    }

    #[tokio::test]
    async fn the_requests_own_parameter_wins_over_the_configs_default() {
        let model = Bytes::from_static(b"\"m\"");
        let defaults = [("temperature".to_owned(), "0.7".into()), ("n".to_owned(), "2".into())];
        let extra = [("top_k".to_owned(), Bytes::from_static(b"5"))];
        let plan = EditPlan { defaults: &defaults, extra_body: &extra, ..plan(&model) };
        let body = r#"{"model":"m","temperature":1,"n":null,"top_k":1}"#;
        let chat = after(Operation::ChatCompletions, &plan, body).await;
        assert_eq!(chat, r#"{"model":"m","temperature":1,"n":2,"top_k":5}"#);
    }

    #[tokio::test]
    async fn a_stream_is_asked_for_its_usage() {
        let model = Bytes::from_static(b"\"m\"");
        let body = r#"{"model":"m","stream":true}"#;
        let chat = after(Operation::ChatCompletions, &plan(&model), body).await;
        let asked = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
        assert_eq!(chat, asked);
        assert_eq!(after(Operation::Embeddings, &plan(&model), body).await, body);
    }

    #[tokio::test]
    async fn a_long_value_is_not_taken_for_the_short_one_of_its_outline() {
        let tools = r#"{"type":"function"},"#.repeat(1000);
        let body = Bytes::from(format!(r#"{{"model":"m","tools":[{tools}1]}}"#));
        let mut skim = Skim::default();
        skim.push(&body);
        let text = skim.into_text(vec![body]);
        assert_eq!(text.outline(), r#"{"model":"m","tools":[]}"#);
        let outline = Contents::of(text.outline().clone().into());
        let prompt = Prompt::new(Contents { text: text.clone(), ..outline }, None);
        let (model, tools) = (Bytes::from_static(b"\"m\""), ("tools".to_owned(), "[]".into()));
        let plan = EditPlan { extra_body: &[tools], ..plan(&model) };
        let edited = edited(&Operation::ChatCompletions, &prompt, &plan).unwrap();
        let sent = edited.body.collect().await.unwrap().to_bytes();
        assert_eq!(sent, r#"{"model":"m","tools":[]}"#);
    }
}
