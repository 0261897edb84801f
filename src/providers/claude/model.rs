//! What a Claude model takes, by its name.

/// A model of Anthropic's, as far as its name tells. What is said of a model whose name tells
/// nothing holds for most servers of this dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) struct Model {
    family: Family,
    /// A hundred times the major number and the minor one: 405 is 4.5. Nothing for names without.
    version: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Haiku,
    Sonnet,
    Opus,
    /// Fable and Mythos: they always think.
    Thinker,
    Other,
}

/// Where a request says what the answer's text must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Schemas {
    /// In `output_format`, with a beta.
    Beta,
    /// In `output_config.format`.
    Stable,
}

/// How thinking is turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers) enum Off {
    /// By saying nothing.
    Silence,
    /// With this type.
    Type(&'static str),
    /// Not at all.
    Never,
}

impl Model {
    /// The model with this name, whoever's spelling it is: `claude-opus-4-1@20250805`,
    /// `us.anthropic.claude-3-7-sonnet-20250219-v1:0`, `claude-haiku-4.5`.
    pub(in crate::providers) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let mut words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
        let (mut family, mut major, mut version) = (Family::Other, None, None);
        if words.any(|word| word == "claude") {
            for word in words {
                // Dates have eight digits.
                let number = word.parse::<u16>().ok().filter(|_| word.len() < 3);
                match (major, number) {
                    (None, Some(number)) if version.is_none() => {
                        major = Some(number);
                        version = Some(number * 100);
                    }
                    (Some(first), Some(minor)) => {
                        version = Some(first * 100 + minor);
                        major = None;
                    }
                    _ => major = None,
                }
                family = family.or(word);
            }
        }
        if family == Family::Thinker {
            version = version.or(Some(500));
        }
        Self { family, version }
    }

    /// Whether the name tells the version, and it is this one or a later one.
    pub(in crate::providers) fn is(self, version: u16) -> bool {
        self.version.is_some_and(|own| own >= version)
    }

    /// Whether it can think.
    pub(in crate::providers) fn thinks(self, known: Option<bool>) -> bool {
        self.version.map_or(known.unwrap_or(true), |version| version >= 307)
    }

    /// Whether it decides itself how much it thinks: `adaptive`.
    pub(in crate::providers) fn adapts(self) -> bool {
        self.is(406)
    }

    /// Whether it takes numbers of tokens to think with.
    pub(in crate::providers) fn takes_budgets(self) -> bool {
        !self.is(407)
    }

    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub(in crate::providers) fn takes_sampling(self) -> bool {
        !self.is(407)
    }

    /// Whether it takes `temperature` and `top_p` together.
    pub(in crate::providers) fn takes_both(self) -> bool {
        !self.is(401)
    }

    /// Whether it goes on with an assistant's turn that ends the conversation.
    pub(in crate::providers) fn takes_prefill(self) -> bool {
        !self.is(406)
    }

    /// Whether it can be made to call tools.
    pub(in crate::providers) fn takes_force(self) -> bool {
        !self.is(if self.family == Family::Thinker { 501 } else { 505 })
    }

    /// How thinking is turned off.
    pub(in crate::providers) fn off(self) -> Off {
        match self.family {
            Family::Thinker => Off::Never,
            Family::Opus if self.is(505) => Off::Never,
            Family::Sonnet if self.is(505) => Off::Type("between_tools"),
            // These think unless they are told not to.
            _ if self.is(500) => Off::Type("disabled"),
            _ => Off::Silence,
        }
    }

    /// The efforts that it knows, from the least one.
    pub(in crate::providers) fn efforts(self) -> &'static [&'static str] {
        match self.version {
            Some(407..) => &["low", "medium", "high", "xhigh", "max"],
            Some(406) => &["low", "medium", "high", "max"],
            Some(405) if self.family == Family::Opus => &["low", "medium", "high"],
            _ => &[],
        }
    }

    /// Where it takes schemas for its text; `None` if it takes none.
    pub(in crate::providers) fn schemas(self) -> Option<Schemas> {
        match self.family {
            Family::Opus if self.is(401) && !self.is(406) => Some(Schemas::Beta),
            _ if self.is(406) => Some(Schemas::Stable),
            Family::Sonnet | Family::Haiku if self.is(405) => Some(Schemas::Beta),
            _ => None,
        }
    }
}

impl Family {
    /// This one, or that of `word`.
    fn or(self, word: &str) -> Self {
        match word {
            "haiku" => Self::Haiku,
            "sonnet" => Self::Sonnet,
            "opus" => Self::Opus,
            "fable" | "mythos" => Self::Thinker,
            _ => self,
        }
    }
}
