//! What people may see of a config's lines: values of keys that the table knows, and no secrets.
use crate::config::keys::{self, Kind};
use crate::config::mask;

/// What may be seen below a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// Its value.
    Value,
    /// Names that the operator chose, and their values.
    Names,
    /// The values of the keys in it that the table knows.
    Keys,
    /// Nothing at all.
    Nothing,
}

/// The text with everything that may be a secret replaced by stars, byte for byte, so that places
/// stay true. It works on lines, because it must also hold for a text that is no YAML. Where such
/// a text (not `is_sound`) ends a value nobody knows, so what has no key on its line is hidden.
pub(in crate::config) fn masked(text: &str, is_sound: bool) -> String {
    let shown = String::with_capacity(text.len());
    let mut excerpt = Excerpt { shown, parents: Vec::new(), is_sound };
    text.split_inclusive('\n').for_each(|line| excerpt.line(line));
    excerpt.shown
}

struct Excerpt {
    shown: String,
    /// The keys above, as deep as each is indented.
    parents: Vec<(usize, Sight)>,
    is_sound: bool,
}

impl Excerpt {
    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            self.shown.push_str(line);
            return;
        }
        let indent = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
        while self.parents.last().is_some_and(|(above, _)| *above >= indent) {
            self.parents.pop();
        }
        let above = self.parents.last().map_or(Sight::Keys, |(_, sight)| *sight);
        if above == Sight::Nothing {
            stars(line, "", &mut self.shown);
            return;
        }
        let starts = |at: &usize| {
            line.get(..*at)
                .is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace))
        };
        let comment = line.match_indices('#').map(|(at, _)| at).find(starts);
        let (content, comment) = line.split_at(comment.unwrap_or(line.len()));
        let last = self.content(content, above);
        stars(comment, "#", &mut self.shown);
        self.parents.extend(last.map(|sight| (indent, sight)));
    }

    /// Copies the keys and values of a line, below a key of which `above` may be seen. Answers
    /// what may be seen of the lines that belong to its last key.
    fn content(&mut self, content: &str, above: Sight) -> Option<Sight> {
        let mut rest = content;
        let (mut sight, mut last) = (above, None);
        // In which brackets names are free, and how many are open.
        let (mut free, mut depth) = (None, 0);
        loop {
            let key = next_key(rest);
            let (value, after) = rest.split_at(key.as_ref().map_or(rest.len(), |key| key.start));
            let is_reference = mask::is_reference_alone(bare(value));
            if sight == Sight::Nothing && !is_reference && !rest.trim().is_empty() {
                stars(rest, "", &mut self.shown);
                return last;
            }
            match sight {
                Sight::Nothing => self.shown.push_str(value),
                _ if last.is_none() && !self.is_sound => self.hidden(value),
                Sight::Keys => self.hidden(value),
                Sight::Value | Sight::Names => self.shown.push_str(&mask::message(value)),
            }
            let ends = is_reference && value.trim_end().ends_with([',', '}', ']']);
            depth += value.matches(['{', '[']).count();
            depth = depth.saturating_sub(value.matches(['}', ']']).count());
            free = free.filter(|at| depth > *at);
            let Some(key) = key else {
                return last.map(|sight| if ends { Sight::Keys } else { sight });
            };
            let name = key.name(rest);
            let within = if free.is_some() { Sight::Names } else { above };
            sight = self.sight(name, within);
            if sight == Sight::Names {
                free = free.or(Some(depth));
            }
            last = Some(sight);
            let is_loose = !bare(value).is_empty() && !self.is_sound;
            let (written, after) = after.split_at(key.end - key.start);
            match is_loose && keys::all(name).next().is_none() {
                true => self.hidden(written),
                false => self.shown.push_str(&mask::message(written)),
            }
            rest = after;
        }
    }

    /// What may be seen of the value of a key.
    fn sight(&self, name: &str, above: Sight) -> Sight {
        // Maps whose keys are names of groups or of providers.
        const NAMES: [&str; 3] = ["cost_per_token", "cost_discount_config", "cost_margin_config"];
        let kinds: Vec<_> = keys::all(name).flat_map(|key| key.kind.choices()).collect();
        let has_keys = |kind: &Kind| matches!(kind, Kind::Map(_) | Kind::List(_));
        let has_names =
            |kind: &Kind| matches!(kind, Kind::Aliases | Kind::Fallbacks | Kind::Maps(_));
        if mask::is_hidden(name) || kinds.contains(&Kind::Secret) {
            Sight::Nothing
        } else if NAMES.contains(&name) || kinds.iter().any(has_names) {
            Sight::Names
        } else if kinds.is_empty() {
            let is_free = above == Sight::Names && self.is_sound;
            if is_free { Sight::Value } else { Sight::Keys }
        } else if kinds.iter().all(has_keys) {
            Sight::Keys
        } else {
            Sight::Value
        }
    }

    /// Brackets and the dashes of a list stay.
    fn hidden(&mut self, value: &str) {
        let (dashes, value) =
            value.split_at(value.len() - value.trim_start_matches([' ', '-']).len());
        self.shown.push_str(dashes);
        stars(value, "{}[],\"'", &mut self.shown);
    }
}

/// A key in a line: the bytes of its name, and of what ends it.
struct Key {
    start: usize,
    name: usize,
    end: usize,
}

impl Key {
    fn name<'l>(&self, line: &'l str) -> &'l str {
        line.get(self.start..self.name).unwrap_or_default().trim_start_matches('-')
    }
}

/// The first key of what is left of a line. Where the blank after its colon is missing, only a
/// credential's name is taken for one.
fn next_key(line: &str) -> Option<Key> {
    line.match_indices(':').find_map(|(at, _)| {
        let (before, after) = line.split_at(at);
        let name = before.trim_end().trim_end_matches(['"', '\'']);
        let ends = |c: char| c.is_whitespace() || "{}[],\"'".contains(c);
        let start = name.rfind(ends).map_or(0, |at| at + 1);
        let key = Key { start, name: name.len(), end: at + 1 };
        let is_apart = after.chars().nth(1).is_none_or(char::is_whitespace);
        let is_key = is_apart || name.len() < before.len() || mask::is_hidden(key.name(line));
        (is_key && start < name.len() && !after.starts_with("://")).then_some(key)
    })
}

/// A value without what stands around it.
fn bare(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || "{}[],\"'-?".contains(c))
}

/// Replaces what is neither a blank nor one of `kept`.
fn stars(text: &str, kept: &str, shown: &mut String) {
    for c in text.chars() {
        match c.is_ascii_whitespace() || kept.contains(c) {
            true => shown.push(c),
            false => shown.extend(std::iter::repeat_n('*', c.len_utf8())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_tells_nothing_stays_and_the_length_never_changes() {
        for text in [
            "model: openai/gpt-4o\n",
            "api_key: os.environ/KEY\n",
            "max_tokens: 5\r\n",
            "api_base: http://localhost:11434\n",
            "- {model_name: a, litellm_params: {model: a/b, api_key: os.environ/K, rpm: 5}}\n",
            "fallbacks:\n  - gpt:\n      - other\n",
            "fallbacks: [{openai/gpt: [other]}]\n",
            "router_settings: {model_group_alias: {al: mm}}\n",
            "model_group_alias:\n  al: mm\n",
            "allowed_ips:\n- 10.0.0.0/8\n",
        ] {
            assert_eq!(masked(text, true), text);
        }
        let text = "a: {api_key: \u{e9}-s3cret, b: 1}\nrpm: 2\n";
        let shown = masked(text, true);
        assert_eq!(shown.len(), text.len());
        assert!(shown.starts_with("a: {api_key:") && shown.ends_with("\nrpm: 2\n"), "{shown}");
        assert!(!shown.contains("s3cret"));
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_never_shown() {
        for text in [
            "litellm_params:\n  model: a\n  api_key=s3cret\n  x: y\n",
            "litellm_params: api_key=s3cret\n",
            "litellm_params:\n  api_key:s3cret\n",
            "environment_variables:\n\tMYTHING: s3cret\n",
            "environment_variables:\n- s3cret\n",
            "environment_variables: {A: os.environ/B, C: s3cret}\n",
            "credential_list: [- s3cret]\n",
            "credential_list:\n- s3cret\n",
            "credential_list:\n  - credential_values:\n      - s3cret\n",
            "master_ky: s3cret\n",
            "api_base: \"https://h/v1?key=s3cret\"\n",
            "api_base: https://h/v1?a=b&token=s3cret&c=d\n",
            "include: [\"http://u:s3cret@h/x\"]\n",
            "include: [\"http://u:p,s3cret@h/x\"]\n",
            "model: u:s3cret@h\n",
            "model: a # s3cret\n",
            "# api_key: s3cret\n",
            "api_key: os.environ/KEY s3cret\n",
            "api_key: os.environ/KEY\n  s3cret\n",
            "redis_url: s3cret\nurl: s3cret\n",
            "extra_body: {anything: s3cret}\n",
            "slack_webhook: s3cret\n",
            "target: https://hooks.slack.com/services/s3cret\n",
        ] {
            for is_sound in [true, false] {
                let shown = masked(text, is_sound);
                assert_eq!(shown.len(), text.len());
                assert!(!shown.contains("s3cret"), "{text}{shown}");
            }
        }
    }

    #[test]
    fn what_is_no_yaml_shows_known_keys_only() {
        for text in
            ["model: a\n  s3cret\n", "model_group_alias:\n  a: s3cret\n", "api_key s3cret: y\n"]
        {
            let shown = masked(text, false);
            assert!(!shown.contains("s3cret"), "{text}{shown}");
        }
        assert_eq!(masked("model: a\n  b\n", false), "model: a\n  *\n");
    }
}
