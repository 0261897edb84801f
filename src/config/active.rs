//! Parts of a model entry that decide where and for whom it is there.
use super::Fit;
use super::fields::Check;
use super::yaml::{Kind, Node};

/// Parameters without which a request means nothing, so that none may take them out.
const KEPT: [&str; 5] = ["model", "messages", "input", "prompt", "stream"];

impl Check<'_> {
    /// Whether a deployment is for this environment (`model_info.supported_environments` and the
    /// variable `LITELLM_ENVIRONMENT`).
    pub(super) fn is_active(&mut self, info: &Node, group: &str) -> bool {
        let Some(node) = info.get("supported_environments").filter(|node| !node.is_null()) else {
            return true;
        };
        let listed = texts(node);
        match self.env.get("LITELLM_ENVIRONMENT") {
            Some(here) if listed.iter().any(|one| one == here) => true,
            Some(here) => {
                let notice = format!("`{group}` is not for the environment `{here}` and left out");
                self.problems.notice(notice);
                false
            }
            None => {
                let message = format!("`{group}` is left out: LITELLM_ENVIRONMENT is not set");
                let help = format!("set it to one of: {}", listed.join(", "));
                self.warn(node, message, &help);
                false
            }
        }
    }

    /// The texts of a list, or one text.
    pub(super) fn texts(&mut self, map: &Node, key: &str) -> Vec<String> {
        let Some(node) = map.get(key).filter(|node| !node.is_null()) else { return Vec::new() };
        let all = texts(node);
        if all.is_empty() && node.items().is_empty() && !matches!(node.kind, Kind::List(_)) {
            self.error(node, format!("`{key}` must be a list"), &format!("write `{key}: [NAME]`"));
        }
        all
    }

    /// What a model entry says of requests that its provider cannot take as they are.
    pub(super) fn fit(&mut self, params: &Node) -> Fit {
        Fit {
            drop: self.flag(params, "drop_params"),
            allowed: self.texts(params, "allowed_openai_params"),
            modify: false,
            merge_thoughts: self
                .flag(params, "merge_reasoning_content_in_choices")
                .unwrap_or(false),
        }
    }

    /// `additional_drop_params`: names at the top of a request. Paths into it are named, and
    /// nothing is taken out there.
    pub(super) fn dropped(&mut self, params: &Node) -> Vec<String> {
        let all = self.texts(params, "additional_drop_params");
        let at = params.get("additional_drop_params").unwrap_or(params);
        let (kept, others) = all
            .into_iter()
            .partition(|name| !name.contains(['.', '[', '$']) && !KEPT.contains(&name.as_str()));
        let others: Vec<String> = others;
        for name in others {
            let message = format!("`{name}` is not taken out of requests");
            self.warn(at, message, "only parameters at the top of a request can be");
        }
        kept
    }
}

fn texts(node: &Node) -> Vec<String> {
    match &node.kind {
        Kind::List(items) => items.iter().filter_map(Node::as_text).collect(),
        _ => node.as_text().into_iter().collect(),
    }
}
