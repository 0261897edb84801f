//! Judges keys and values by the table of keys.
mod fits;
mod misfit;
mod values;

use self::misfit::listed;
use super::fields::Check;
use super::keys::{self, Key, Standing};
use super::known;
use super::mask;
use super::yaml::Node;

/// Whose key it is: its full name, and how much a wrong value matters.
struct Judged<'k> {
    key: Key,
    full: &'k str,
}

impl Check<'_> {
    /// Judges the keys of a map by the rows of `section`: known, of a later version, or nobody's.
    /// `path` is what messages call the map.
    pub(super) fn keys(&mut self, map: &Node, path: &str, section: &str) {
        let is_of_credential = path.ends_with("credential_values");
        for (at, value) in map.entries() {
            let Some(name) = at.as_text() else { continue };
            let is_anchor = section.is_empty() && name.starts_with("x-");
            if self.is_absent(value) || is_anchor {
                continue;
            }
            let shown = mask::message(&name);
            let full = if path.is_empty() { shown } else { format!("{path}.{shown}") };
            match keys::find(section, &name) {
                Some(key) if key.standing == Standing::Sent && is_of_credential => {
                    let message = format!(
                        "`{full}` has no effect: a credential holds no parameters of requests"
                    );
                    self.warn(at, message, "move it to the `litellm_params` of its deployments");
                }
                Some(key) => self.known(at, value, &Judged { key, full: &full }),
                None if section == "model_info" => {}
                None if section == "litellm_params" && !is_of_credential => {
                    self.parameter(at, value, &name);
                }
                None => self.unknown(at, section, &name, &full),
            }
        }
    }

    /// Null is as if the key were absent, unless a variable or a file was to be there: whoever
    /// wrote that wants to know what becomes of the key.
    fn is_absent(&self, value: &Node) -> bool {
        let told = self.problems.found();
        value.is_null() && !told.iter().any(|problem| problem.place == value.place)
    }

    fn known(&mut self, at: &Node, value: &Node, judged: &Judged<'_>) {
        match judged.key.standing {
            Standing::PythonOnly => {
                let message = format!("`{}` names Python code, which cannot run here", judged.full);
                self.warn(at, message, "remove it, or do the same in front of the proxy");
                return;
            }
            Standing::Later => {
                self.later.insert(judged.full.to_owned());
            }
            Standing::Honoured | Standing::Accepted | Standing::Sent => {}
        }
        self.value(value, judged);
    }

    fn unknown(&mut self, at: &Node, section: &str, name: &str, full: &str) {
        let has_neighbours =
            section.is_empty() || section.contains("settings") || section == "model_list[]";
        let home = keys::home(section, name).filter(|_| has_neighbours);
        if let Some(home) = home {
            let place = if home.is_empty() { "the top of the file" } else { home };
            let message = format!("`{full}` has no effect here: it belongs under `{place}`");
            let message = message.replace("under `the top of the file`", "at the top of the file");
            let help = match home {
                "" => format!("move `{name}:` to the top of the file"),
                _ => format!("move it below `{}:`", home.trim_end_matches("[]")),
            };
            return self.warn(at, message, &help);
        }
        let rows: Vec<_> = keys::of(section).map(|key| key.name).collect();
        let help = match known::nearest(name, rows.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if rows.len() < 10 => format!("its keys are {}", listed(&rows, "and")),
            None => "remove it, or check its spelling".to_owned(),
        };
        let message = format!("unknown key `{full}`: it has no effect");
        match section {
            // A row that is understood in part would ask for something else than was meant.
            "provider" | "special_handling" => self.error(at, message, &help),
            _ => self.warn(at, message, &help),
        }
    }

    /// A key of `litellm_params` that has no row: a parameter of requests, or a slip.
    fn parameter(&mut self, at: &Node, value: &Node, name: &str) {
        // Short names of parameters are near to each other without being slips.
        let shortest = |key: &Key| if key.standing == Standing::Sent { 6 } else { 4 };
        let rows = keys::of("litellm_params").filter(|key| key.name.len() >= shortest(key));
        let near = known::nearest(name, rows.map(|key| key.name));
        let is_price = super::price::is_price(name);
        let near = near.filter(|near| {
            !is_price && strsim::damerau_levenshtein(name, near) <= (name.len() / 5).clamp(1, 2)
        });
        if let Some(near) = near {
            let message = format!("`{name}` is no key that is known: it is sent as a parameter");
            let message = match known::is_secret(name) {
                true => format!("`{name}` looks like a credential and is not sent"),
                false => message,
            };
            self.warn(at, message, &format!("did you mean `{near}`?"));
        } else if known::is_secret(name) && !is_price {
            let message = format!("`{name}` looks like a credential and is not sent");
            self.warn(value, message, "put the provider's key into `api_key`");
        }
    }
}
