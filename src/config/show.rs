//! What people get to see of a config: everything but its secrets.
use super::mask;
use super::yaml::{Kind, Node};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::path::Path;

/// What stands in the place of a secret: that there is one may be seen.
const HIDDEN: &str = "[hidden]";

/// The section in which only names may be seen.
const CREDENTIALS: &str = "credential_list";

/// The answer of `/config/yaml`, ready to be sent: the name of the file and what stands in it, as
/// it was written there and in what it includes.
pub(super) fn answer(path: Option<&Path>, root: Option<&Node>) -> Bytes {
    let file = path.and_then(Path::file_name).map(|name| name.to_string_lossy());
    let sections = root.into_iter().flat_map(Node::entries).filter_map(|(name, value)| {
        let name = name.as_text()?;
        // Only here is a text more than a section that went wrong.
        let is_lost = value.text().is_some() && name != "include";
        let shown = if is_lost { HIDDEN.into() } else { hidden(value, &name) };
        Some((name, shown))
    });
    let config: Map<_, _> = sections.collect();
    json!({"file": file, "config": config}).to_string().into()
}

/// What `/model/info` shows of a map: everything but credentials.
pub(super) fn without_secrets(map: &Node) -> Map<String, Value> {
    let shows = |(name, _): &&(Node, Node)| {
        name.as_text().is_some_and(|name| mask::is_map(&name) || !mask::is_hidden(&name))
    };
    let shown = map.entries().filter(shows).filter_map(|(name, value)| {
        let name = name.as_text()?;
        let value = match value.kind {
            Kind::Map(_) if !mask::is_map(&name) => Value::Object(without_secrets(value)),
            _ => hidden(value, &name),
        };
        Some((name, value))
    });
    shown.collect()
}

/// The value of a key with its secrets hidden. References to secrets are none.
fn hidden(node: &Node, key: &str) -> Value {
    match &node.kind {
        Kind::List(items) => items.iter().map(|item| hidden(item, key)).collect(),
        Kind::Map(entries) => {
            let is_own = ["credential_name", "credential_info"];
            let holds = |name: &str| match key {
                CREDENTIALS => !is_own.contains(&name),
                _ => mask::is_hidden(key),
            };
            let member = |(name, value): &(Node, Node)| {
                let name = name.as_text()?;
                let within = if holds(&name) && !mask::is_hidden(&name) { key } else { &name };
                let value = hidden(value, within);
                Some((name, value))
            };
            entries.iter().filter_map(member).collect()
        }
        Kind::Null | Kind::Bool(_) => node.to_json(),
        Kind::Text(text) if mask::is_reference_alone(text) => text.as_str().into(),
        _ if mask::is_hidden(key) || key == CREDENTIALS => HIDDEN.into(),
        Kind::Text(text) if mask::may_hold_a_secret(text) => HIDDEN.into(),
        _ => node.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::{answer, hidden, without_secrets};
    use serde_json::{Value, json};
    use std::path::Path;

    fn shown(text: &str) -> Value {
        hidden(&yaml::parse(text, 0).unwrap(), "")
    }

    #[test]
    fn a_secret_is_hidden_and_its_key_is_not() {
        for text in [
            "api_key: s3cret",
            "api_key: os.environ/KEY s3cret",
            "a: [{aws_secret_access_key: s3cret}]",
            "extra_headers: {X-Anything: s3cret}",
            "environment_variables: {ANYTHING: s3cret}",
            "vertex_credentials: {type: s3cret}",
            "api_keys: [s3cret]",
            "database_url: postgres://me:s3cret@host/db",
            "api_base: https://host/v1?a=b&subscription-key=s3cret",
            "a: Bearer s3cret",
            "alert_to_webhook_url: https://hooks.test/s3cret",
            "alerting_args: {slack_webhook: s3cret}",
            "anything: https://hooks.test/s3cret",
            "credential_values: {anything: s3cret}",
            "default_query_params: {anything: s3cret}",
        ] {
            let shown = shown(text).to_string();
            assert!(shown.contains("[hidden]") && !shown.contains("s3cret"), "{text}: {shown}");
        }
        assert_eq!(shown("api_key: 5"), json!({"api_key": "[hidden]"}));
    }

    #[test]
    fn what_is_no_secret_is_shown_as_it_stands() {
        let text =
            "{model: openai/gpt, api_key: os.environ/KEY, max_tokens: 5, ok: true, no: null}";
        let value = json!({
            "model": "openai/gpt", "api_key": "os.environ/KEY", "max_tokens": 5, "ok": true,
            "no": null,
        });
        assert_eq!(shown(text), value);
        let url = "api_base: https://host:1/v1?version=2";
        assert_eq!(shown(url), json!({"api_base": "https://host:1/v1?version=2"}));
    }

    #[test]
    fn the_file_is_named_without_its_directory() {
        let answered = answer(Some(Path::new("/etc/of someone/config.yaml")), None);
        assert_eq!(answered, r#"{"file":"config.yaml","config":{}}"#);
        assert_eq!(answer(None, None), r#"{"file":null,"config":{}}"#);
    }

    #[test]
    fn a_deployment_is_shown_without_the_keys_of_its_secrets() {
        let text = "{model: m, api_key: k, extra_headers: {A: b}, extra_body: {token: t, c: d}}";
        let shown = without_secrets(&yaml::parse(text, 0).unwrap());
        let headers = json!({"A": "[hidden]"});
        let wanted = json!({"model": "m", "extra_headers": headers, "extra_body": {"c": "d"}});
        assert_eq!(Value::Object(shown), wanted);
    }
}
