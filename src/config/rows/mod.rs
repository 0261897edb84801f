//! `providers`: rows that a config adds to the table of providers.
#[cfg(test)]
mod tests;

use super::fields::Check;
use super::yaml::Node;
use crate::data::{self, Layout, Provider, Quirk};
use std::sync::{Mutex, PoisonError};

/// Rows of configs, by what was written of them. A deployment, its metrics and its records hold on
/// to their provider's row for as long as the process lives; a config that is read again finds its
/// own here, so that only what was never written before takes memory.
static KEPT: Mutex<Vec<(String, &'static Provider)>> = Mutex::new(Vec::new());

/// What `supported_endpoints` may name, in LiteLLM's words.
const ENDPOINTS: [&str; 5] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/rerank",
];

impl Check<'_> {
    /// The provider of that name: the config's own row, else the table's.
    pub(super) fn row(&self, name: &str) -> Option<&'static Provider> {
        let own = self.rows.iter().find(|row| row.name == name);
        own.copied().or_else(|| data::provider(name))
    }

    /// The names of all rows.
    pub(super) fn row_names(&self) -> impl Iterator<Item = &'static str> {
        let own = self.rows.iter().map(|row| row.name);
        own.chain(data::providers().iter().map(|row| row.name))
    }

    /// Reads `providers`. A row that cannot be used is left out, and reported.
    pub(super) fn own_rows(&mut self, root: &Node) {
        let Some(section) = self.section(root, "providers") else { return };
        for (at, map) in section.entries() {
            let Some(name) = at.as_text() else { continue };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || !name.chars().all(plain) {
                let message = format!("`{name}` cannot stand before the `/` of a model");
                self.error(at, message, "use letters, digits, `-`, `_` and `.`");
                continue;
            }
            let row = self.own_row(&name, at, map);
            self.rows.extend(row);
        }
    }

    fn own_row(&mut self, name: &str, at: &Node, map: &Node) -> Option<&'static Provider> {
        let what = "where it answers: what stands before `/chat/completions`";
        let base = self.required(at, map, "base_url", what)?;
        let written = format!("{name} {}", map.to_json());
        if let Some((_, row)) = kept().iter().find(|(known, _)| *known == written) {
            return Some(row);
        }
        let key_env = self.texts(map, "api_key_env");
        let row = Provider {
            name: leaked(name.to_owned()),
            title: leaked(titled(name)),
            wire: data::Wire::OpenAi,
            key_optional: key_env.is_empty(),
            key_env: all_leaked(key_env),
            base_env: all_leaked(self.texts(map, "api_base_env")),
            base: leaked(base.trim_end_matches('/').to_owned()),
            openai_base: None,
            auth: data::AuthScheme::Bearer,
            headers: &[],
            env_headers: &[],
            stream_usage: self.flag(map, "stream_options").unwrap_or(true),
            responses: self.endpoints(map).iter().any(|one| one == "/v1/responses"),
            polyglot: false,
            quirks: Box::leak(Box::new([self.own_quirk(map)])),
            layout: Layout::OPENAI,
        };
        let row: &'static Provider = Box::leak(Box::new(row));
        kept().push((written, row));
        Some(row)
    }

    fn own_quirk(&mut self, map: &Node) -> Quirk {
        let mut renames = Vec::new();
        for (theirs, here) in
            self.section(map, "param_mappings").into_iter().flat_map(Node::entries)
        {
            let pair = theirs.as_text().zip(here.as_text());
            renames.extend(pair.map(|(theirs, here)| (leaked(theirs), leaked(here))));
        }
        let refused = self.texts(map, "unsupported_params").into_iter();
        let refuses: Vec<_> = refused.map(|name| (leaked(name), "")).collect();
        let special = self.section(map, "special_handling");
        let flat = |special| self.flag(special, "convert_content_list_to_string");
        Quirk {
            texts: special.and_then(flat).unwrap_or(false),
            renames: Vec::leak(renames),
            refuses: Vec::leak(refuses),
            ignores: all_leaked(self.texts(map, "ignored_params")),
            ..Quirk::NONE
        }
    }

    fn endpoints(&mut self, map: &Node) -> Vec<String> {
        let told = self.texts(map, "supported_endpoints");
        let unknown = told.iter().find(|one| !ENDPOINTS.contains(&one.as_str()));
        if let (Some(unknown), Some(at)) = (unknown, map.get("supported_endpoints")) {
            let message = format!("`{unknown}` has no effect among `supported_endpoints`");
            self.warn(at, message, &format!("those that have are {}", ENDPOINTS.join(", ")));
        }
        told
    }
}

fn kept() -> std::sync::MutexGuard<'static, Vec<(String, &'static Provider)>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn leaked(text: String) -> &'static str {
    String::leak(text)
}

fn all_leaked(texts: Vec<String>) -> &'static [&'static str] {
    Vec::leak(texts.into_iter().map(leaked).collect())
}

/// As error messages of a LiteLLM proxy spell it: `Acme` for `acme`.
fn titled(name: &str) -> String {
    let mut title = name.to_owned();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}
