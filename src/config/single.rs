//! `--model`: one model without a config.
use super::fields::Check;
use super::problem::Problem;
use super::yaml::{Kind, Node};
use super::{Deployment, Options};
use serde_json::Value;

impl Check<'_> {
    /// The one model; it answers to whatever clients ask for (contract 1).
    pub(super) fn single(&mut self, model: &str, options: &Options) -> Vec<Deployment> {
        let mut params = vec![entry("model", Kind::Text(model.to_owned()))];
        let mut add = |name, value: Option<Kind>| {
            params.extend(value.map(|value| entry(name, value)));
        };
        add("api_base", options.api_base.clone().map(Kind::Text));
        add("temperature", options.temperature.map(Kind::Float));
        add("max_tokens", options.max_tokens.and_then(|n| i64::try_from(n).ok()).map(Kind::Int));
        add("extra_headers", self.told_headers(options));
        let name = options.alias.as_deref().unwrap_or(model);
        let one = vec![
            entry("model_name", Kind::Text(name.to_owned())),
            entry("litellm_params", Kind::Map(params)),
        ];
        self.deployment(&node(Kind::Map(one))).into_iter().collect()
    }

    /// Names the flags that say something of a model that is not there.
    pub(super) fn without_model(&mut self, options: &Options) {
        let given = [
            ("--alias", options.alias.is_some()),
            ("--api_base", options.api_base.is_some()),
            ("--headers", options.headers.is_some()),
            ("--temperature", options.temperature.is_some()),
            ("--max_tokens", options.max_tokens.is_some()),
        ];
        let given: Vec<_> = given.iter().filter(|one| one.1).map(|one| one.0).collect();
        if !given.is_empty() {
            let names = given.join(", ");
            self.problems.notice(format!("without --model there is no effect of {names}"));
        }
    }

    fn told_headers(&mut self, options: &Options) -> Option<Kind> {
        let told: Result<Value, _> = serde_json::from_str(options.headers.as_ref()?.expose());
        if let Ok(Value::Object(members)) = told {
            let text = |value: Value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let header = |(name, value)| (node(Kind::Text(name)), node(Kind::Text(text(value))));
            return Some(Kind::Map(members.into_iter().map(header).collect()));
        }
        // The text itself is not shown: headers carry keys.
        let message = "--headers is not a JSON object and is not used";
        let help = r#"write it as --headers '{"name": "value"}'"#;
        self.problems.add(Problem::error(message, Default::default()).help(help));
        None
    }
}

fn entry(name: &str, value: Kind) -> (Node, Node) {
    (node(Kind::Text(name.to_owned())), node(value))
}

fn node(kind: Kind) -> Node {
    Node { kind, place: Default::default() }
}
