//! What is said about a value that is not of the kind that its key wants.
use super::Judged;
use crate::config::fields::{Check, described};
use crate::config::keys::{Kind, Standing};
use crate::config::known;
use crate::config::yaml::Node;

impl Check<'_> {
    /// Says what a value should have been.
    pub(super) fn misfit(&mut self, node: &Node, judged: &Judged<'_>, kind: Kind) {
        let name = judged.key.name;
        let (message, help) = match kind {
            Kind::OneOf(words) => one_of(node, name, words),
            Kind::Aliases | Kind::Map(_) | Kind::Maps(_) => (
                format!("`{name}` must be a map of keys, not {}", described(node)),
                "indent its keys below it".to_owned(),
            ),
            Kind::Header if node.text().is_some() => (
                "this is not a header's name".to_owned(),
                "use letters, digits and dashes".to_owned(),
            ),
            Kind::Url if node.text().is_some() => url(node, name),
            Kind::List(_) if name == "model_list" => (
                format!("`{name}` must be a list, not {}", described(node)),
                "begin each model with `- model_name: NAME`".to_owned(),
            ),
            Kind::Fallbacks => (
                format!("`{name}` must be {}, not {}", kind.words(), described(node)),
                "write `- GROUP: [OTHER, THIRD]`, one such line for each group".to_owned(),
            ),
            Kind::Texts | Kind::Groups if node.as_text().is_some() => (
                format!("`{name}` must be {}, not {}", kind.words(), described(node)),
                format!("put it into brackets: `{name}: [ONE, OTHER]`"),
            ),
            _ => (
                format!("`{name}` must be {}, not {}", kind.words(), described(node)),
                match judged.key.is_required() {
                    true => format!("write {name} as {}", kind.words()),
                    false => format!("write {name} as {}, or leave it out", kind.words()),
                },
            ),
        };
        self.wrong(node, judged, message, &help);
    }

    /// An error where the key has an effect, a warning where it has none yet.
    pub(super) fn wrong(&mut self, node: &Node, judged: &Judged<'_>, message: String, help: &str) {
        match judged.key.standing {
            Standing::Honoured => self.error(node, message, help),
            _ => self.warn(node, message, help),
        }
        self.wrong.insert(node.place);
    }
}

fn one_of(node: &Node, name: &str, words: &str) -> (String, String) {
    let choices: Vec<_> = words.split(' ').collect();
    let Some(word) = node.as_text() else {
        let message = format!("`{name}` must be one word, not {}", described(node));
        return (message, format!("use {}", listed(&choices, "or")));
    };
    let help = match known::nearest(&word, words.split(' ')) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", listed(&choices, "or")),
    };
    (format!("unknown {name} `{word}`"), help)
}

/// `a`, `b` or `c`.
pub(super) fn listed(words: &[&str], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn url(node: &Node, name: &str) -> (String, String) {
    let has_user = node.text().and_then(|text| text.split_once("://")).is_some_and(|(_, rest)| {
        rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
    });
    if has_user {
        let help = "take them out, for a URL is shown in lists and logs: a key belongs in \
                    `api_key` or in a header";
        return (format!("`{name}` holds a name or a password"), help.to_owned());
    }
    let help = "write it as http://HOST:PORT/PATH or https://HOST/PATH";
    (format!("`{name}` is not a URL"), help.to_owned())
}
