//! What the config knows now: series of anything else can end.
use std::collections::HashSet;

/// The values that labels of deployments and of requested models may still get.
#[derive(Debug, Default)]
pub struct Live {
    ids: HashSet<String>,
    models: HashSet<String>,
    names: HashSet<String>,
}

impl Live {
    /// Knows one more deployment.
    pub fn deployment(&mut self, labels: &super::DeploymentLabels) {
        self.ids.insert(escaped(&labels.model_id));
        self.models.insert(escaped(&labels.model));
    }

    /// Knows one more name that may be asked for.
    pub fn name(&mut self, name: &str) {
        self.names.insert(escaped(name));
    }

    /// Whether the config has this deployment.
    pub(super) fn has(&self, labels: &super::DeploymentLabels) -> bool {
        self.ids.contains(&escaped(&labels.model_id))
    }

    /// Whether a series with these labels, as they are printed, may still be counted in.
    pub(super) fn keeps(&self, labels: &str) -> bool {
        let known = |label: &str, live: &HashSet<String>| {
            value_of(labels, label)
                .is_none_or(|value| value == super::labels::NONE || live.contains(value))
        };
        let requested = value_of(labels, "requested_model");
        known("model_id", &self.ids)
            && known("model", &self.models)
            && known("fallback_model", &self.names)
            && (requested == Some(super::labels::OTHER) || known("requested_model", &self.names))
    }
}

/// A label's value as it is printed.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

/// The printed value of a label. Quotes inside values are escaped, so that no value can look like
/// a label.
fn value_of<'a>(labels: &'a str, label: &str) -> Option<&'a str> {
    let begins = |at: usize| {
        labels.get(..at).is_some_and(|before| matches!(before.as_bytes().last(), None | Some(b',')))
    };
    let (at, _) = labels.match_indices(label).find(|(at, found)| {
        let after = labels.get(at + found.len()..).unwrap_or_default();
        begins(*at) && after.starts_with("=\"")
    })?;
    let value = labels.get(at + label.len() + 2..)?;
    let mut escape = false;
    let end = value.bytes().position(|byte| {
        let ends = byte == b'"' && !escape;
        escape = byte == b'\\' && !escape;
        ends
    })?;
    value.get(..end)
}

#[cfg(test)]
mod tests {
    use super::{Live, value_of};
    use crate::telemetry::DeploymentLabels;

    fn live() -> Live {
        let labels = DeploymentLabels {
            model_id: "id\"1".into(),
            model_group: "gpt".into(),
            model: "gpt-4o".into(),
            litellm_model_name: "openai/gpt-4o".into(),
            api_provider: "openai",
            api_base: "".into(),
        };
        let mut live = Live::default();
        live.deployment(&labels);
        live.name("gpt");
        live
    }

    #[test]
    fn series_of_what_the_config_knows_are_kept() {
        for labels in [
            "",
            r#"route="/v1/chat/completions",status="200""#,
            r#"model="gpt-4o",model_id="id\"1",requested_model="gpt""#,
            r#"model_id="None",requested_model="other""#,
            r#"model="None",requested_model="None""#,
        ] {
            assert!(live().keeps(labels), "{labels}");
        }
    }

    #[test]
    fn series_of_what_has_vanished_are_not() {
        for labels in [
            r#"model_id="id""#,
            r#"model_id="id\"1",requested_model="old""#,
            r#"model="gpt-4",model_id="None""#,
            r#"api_base="a",model_id="other""#,
        ] {
            assert!(!live().keeps(labels), "{labels}");
        }
    }

    #[test]
    fn a_value_cannot_look_like_a_label() {
        let labels = r#"key="x,model_id=\"y\\",model_id="z""#;
        assert_eq!(value_of(labels, "model_id"), Some("z"));
        assert_eq!(value_of(labels, "model"), None);
    }
}
