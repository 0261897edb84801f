//! How a provider that speaks OpenAI differs from it: what a row can say of that.
use super::Provider;

/// One way in which a provider's requests differ from OpenAI's. All that are true of a model
/// count; what is left empty says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// Models of which it is true, with `*` for any text. Empty: all.
    pub models: &'static [&'static str],
    /// Models of which it is not true all the same.
    pub except: &'static [&'static str],
    /// Parameters that have another name here: OpenAI's, and the one here.
    pub renames: &'static [(&'static str, &'static str)],
    /// Words that are others here: of which parameter, OpenAI's word, and the one here.
    pub respells: &'static [(&'static str, &'static str, &'static str)],
    /// Parameters that are refused here, and the one value, as JSON text, with which they are not;
    /// empty for none. The answer depends on them: a call that has one is refused, or goes on
    /// without it where that is allowed.
    pub refuses: &'static [(&'static str, &'static str)],
    /// Parameters that are refused here and that the answer does not depend on: they are left out.
    pub ignores: &'static [&'static str],
    /// Roles of messages that have another name here.
    pub roles: &'static [(&'static str, &'static str)],
    /// Members of messages that are refused here, but for those of tools' results. They are left
    /// out.
    pub strips: &'static [&'static str],
    /// Whether an id of a tool's call has to be nine letters and digits.
    pub nine: bool,
    /// Whether a message's content has to be one text.
    pub texts: bool,
    /// Whether it knows the newest of OpenAI's words: the role `developer`, and tools of which some
    /// are allowed.
    pub newest: bool,
    /// Whether it does not know `top_k`, which OpenAI does not have either.
    pub no_top_k: bool,
    /// Whether contents may hint at a cache (`cache_control`).
    pub cache_hints: bool,
    /// Whether calls of tools keep the proofs of thoughts, as LiteLLM writes them.
    pub proofs: bool,
    /// The least effort, where it cannot be told not to think at all.
    pub least: Option<&'static str>,
    /// How it is told how much to think; by `reasoning_effort` where nothing is said.
    pub thinking: Option<Thinking>,
    /// How it wants to hear what it thought before; not at all where nothing is said.
    pub thoughts: Option<Thoughts>,
    /// How it takes a document by its URL; not at all where nothing is said.
    pub documents: Option<Documents>,
}

/// How much a model is to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// `thinking: {type: enabled}`, or `disabled`.
    Switch,
    /// OpenRouter's object `reasoning`.
    Object,
}

/// What a model thought before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoughts {
    /// As text, in `reasoning_content`.
    Text,
    /// With their proofs, in OpenRouter's `reasoning_details`.
    Details,
    /// With their proofs, in LiteLLM's `thinking_blocks`.
    Blocks,
}

/// A document that is named by its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// In place of a file's bytes.
    File,
    /// As Mistral's part `document_url`.
    Url,
}

impl Quirk {
    /// Says nothing of any model.
    pub const NONE: Self = Self {
        models: &[],
        except: &[],
        renames: &[],
        respells: &[],
        refuses: &[],
        ignores: &[],
        roles: &[],
        strips: &[],
        nine: false,
        texts: false,
        newest: false,
        no_top_k: false,
        cache_hints: false,
        proofs: false,
        least: None,
        thinking: None,
        thoughts: None,
        documents: None,
    };

    const fn is_of_messages(&self) -> bool {
        !self.roles.is_empty() || !self.strips.is_empty() || self.nine || self.texts
    }

    /// Whether it changes requests in OpenAI's own words.
    const fn is_odd(&self) -> bool {
        let parameters = self.renames.is_empty()
            && self.respells.is_empty()
            && self.refuses.is_empty()
            && self.ignores.is_empty();
        !parameters || self.is_of_messages()
    }

    fn concerns(&self, model: &str) -> bool {
        let named = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, model));
        (self.models.is_empty() || named(self.models)) && !named(self.except)
    }
}

/// What is true of one model.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    all: Vec<&'static Quirk>,
    is_odd: bool,
}

impl Provider {
    /// How requests for its `model` differ from OpenAI's.
    #[must_use]
    pub fn quirks_of(&self, model: &str) -> Quirks {
        let name = model.rsplit('/').next().unwrap_or_default();
        let all: Vec<_> = self.quirks.iter().filter(|quirk| quirk.concerns(name)).collect();
        Quirks { is_odd: all.iter().any(|quirk| quirk.is_odd()), all }
    }
}

impl Quirks {
    /// Nothing differs.
    pub const NONE: Self = Self { all: Vec::new(), is_odd: false };

    /// Whether a request in OpenAI's own words may have to be changed.
    #[must_use]
    pub const fn is_odd(&self) -> bool {
        self.is_odd
    }

    /// What the `parameter` is called here, if not so.
    #[must_use]
    pub fn renamed(&self, parameter: &str) -> Option<&'static str> {
        let mut told = self.all.iter().flat_map(|it| it.renames);
        told.find(|(theirs, _)| *theirs == parameter).map(|(_, here)| *here)
    }

    /// The words of the `parameter` that are others here: OpenAI's, and the one here.
    pub fn respelled(&self, parameter: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let told = self.all.iter().flat_map(|it| it.respells);
        told.filter(move |(name, ..)| *name == parameter).map(|(_, word, here)| (*word, *here))
    }

    /// With which value the `parameter` is not refused, as JSON text; `None` if it never is.
    #[must_use]
    pub fn refused(&self, parameter: &str) -> Option<&'static str> {
        let mut told = self.all.iter().flat_map(|it| it.refuses);
        told.find(|(name, _)| *name == parameter).map(|(_, but)| *but)
    }

    /// Whether the `parameter` is to be left out, whatever its value.
    #[must_use]
    pub fn ignores(&self, parameter: &str) -> bool {
        self.all.iter().any(|it| it.ignores.contains(&parameter))
    }

    /// What the `role` of a message is called here, if not so.
    #[must_use]
    pub fn role(&self, role: &str) -> Option<&'static str> {
        let mut told = self.all.iter().flat_map(|it| it.roles);
        told.find(|(theirs, _)| *theirs == role).map(|(_, here)| *here)
    }

    /// Members of messages that are to be left out, but for those of tools' results.
    pub fn strips(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().flat_map(|it| it.strips).copied()
    }

    /// Whether an id of a tool's call has to be nine letters and digits.
    #[must_use]
    pub fn nine(&self) -> bool {
        self.all.iter().any(|it| it.nine)
    }

    /// Whether a message's content has to be one text.
    #[must_use]
    pub fn texts(&self) -> bool {
        self.all.iter().any(|it| it.texts)
    }

    /// Whether it knows the newest of OpenAI's words.
    #[must_use]
    pub fn newest(&self) -> bool {
        self.all.iter().any(|it| it.newest)
    }

    /// Whether it knows `top_k`.
    #[must_use]
    pub fn top_k(&self) -> bool {
        !self.all.iter().any(|it| it.no_top_k)
    }

    /// Whether contents may hint at a cache.
    #[must_use]
    pub fn cache_hints(&self) -> bool {
        self.all.iter().any(|it| it.cache_hints)
    }

    /// Whether calls of tools keep the proofs of thoughts.
    #[must_use]
    pub fn proofs(&self) -> bool {
        self.all.iter().any(|it| it.proofs)
    }

    /// The least effort, where it cannot be told not to think at all.
    #[must_use]
    pub fn least(&self) -> Option<&'static str> {
        self.all.iter().find_map(|it| it.least)
    }

    /// How it is told how much to think, if not by `reasoning_effort`.
    #[must_use]
    pub fn thinking(&self) -> Option<Thinking> {
        self.all.iter().find_map(|it| it.thinking)
    }

    /// How it wants to hear what it thought before, if at all.
    #[must_use]
    pub fn thoughts(&self) -> Option<Thoughts> {
        self.all.iter().find_map(|it| it.thoughts)
    }

    /// How it takes a document by its URL, if at all.
    #[must_use]
    pub fn documents(&self) -> Option<Documents> {
        self.all.iter().find_map(|it| it.documents)
    }

    /// Whether messages may have to be changed.
    #[must_use]
    pub fn of_messages(&self) -> bool {
        self.all.iter().any(|it| it.is_of_messages())
    }
}

/// Whether `name` is what `pattern` says, with `*` for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    rest.is_empty()
        || (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| fits(rest, name)))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, want) in [
            ("o3", "o3", true),
            ("o3", "o3-mini", false),
            ("o3-*", "o3-mini", true),
            ("grok-4*", "grok-4", true),
            ("*non-reasoning*", "grok-4-fast-non-reasoning", true),
            ("gpt-5*-chat*", "gpt-5.1-chat-latest", true),
            ("gpt-5*-chat*", "gpt-5-mini", false),
            ("a*", "é", false),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }
}
