//! The table as a page of the docs.
use super::{Key, SECTIONS, Standing, of};

const HEAD: &str = "# All keys of the config

Made by `bartizan schema --markdown` from the table that also drives `bartizan check` and `bartizan schema`;
a test keeps it true. [config.md](config.md) tells how a config is read.

What becomes of a key:

- **yes**: it does what its meaning says.
- *later*: not in this version. It is named in one notice at every start and has no effect.
- *accepted*: known and harmless, without an effect of its own.
- *sent*: a parameter of requests. A deployment's value is sent where a request brings none; so is any other key of
  `litellm_params` that stands nowhere here.
- *Python*: it names Python code, which cannot run here. A warning says so.
";

/// All keys as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (section, _) in SECTIONS {
        let title = if section.is_empty() { "The file".to_owned() } else { format!("`{section}`") };
        page += &format!(
            "\n## {title}\n\n| key | value | default | | meaning |\n|---|---|---|---|---|\n"
        );
        of(section).for_each(|key| page += &row(&key));
    }
    page
}

fn row(key: &Key) -> String {
    let standing = match key.standing {
        Standing::Honoured => "**yes**",
        Standing::Later => "*later*",
        Standing::PythonOnly => "*Python*",
        Standing::Accepted => "*accepted*",
        Standing::Sent => "*sent*",
    };
    let default = match key.default {
        "" | "required" => key.default.to_owned(),
        default => format!("`{default}`"),
    };
    let Key { name, meaning, .. } = key;
    format!("| `{name}` | {} | {default} | {standing} | {meaning} |\n", value(key))
}

fn value(key: &Key) -> String {
    use super::Kind;
    match key.kind {
        Kind::OneOf(words) => {
            words.split(' ').map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Map("") => "a map".to_owned(),
        Kind::Map(section) => format!("keys of `{section}`"),
        Kind::Maps("provider_budget") => "by provider, keys of `provider_budget`".to_owned(),
        Kind::Maps(section) => format!("by group, keys of `{section}`"),
        Kind::List("") => "a list".to_owned(),
        Kind::List(section) => format!("a list of `{section}`"),
        Kind::Secret => "a secret text".to_owned(),
        Kind::Aliases => "a map of names".to_owned(),
        Kind::Fallbacks => "a list of maps of one key".to_owned(),
        kind => kind.words().to_owned(),
    }
}
