//! What a model's name tells of what it takes.

/// A model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model<'a> {
    name: &'a str,
    version: (u16, u16),
}

impl<'a> Model<'a> {
    /// The model of this name: `gemini-2.5-flash`, with or without `models/` and the like.
    pub(crate) fn named(name: &'a str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        Self { name, version: version(name) }
    }

    /// Whether it is of this version of Gemini or a later one.
    pub(crate) fn since(&self, major: u16, minor: u16) -> bool {
        self.version >= (major, minor)
    }

    /// Whether its name says that it is of this sort: `pro`, `lite`, `image`, ….
    pub(crate) fn is(&self, sort: &str) -> bool {
        self.name.split(['-', '.', '@', ':']).any(|word| word == sort)
    }

    /// Whether it takes instructions apart from the conversation.
    pub(crate) fn has_instructions(&self) -> bool {
        let without = [
            "gemma-1",
            "gemma-2",
            "gemma-3",
            "gemma-7",
            "gemini-1.0",
            "gemini-2.0-flash-exp-image",
        ];
        self.name != "gemini-pro" && !without.iter().any(|start| self.name.starts_with(start))
    }
}

/// The version of Gemini that a model's abilities are of.
fn version(name: &str) -> (u16, u16) {
    let Some(rest) = name.strip_prefix("gemini-") else {
        // Gemma knows what the first ones knew. All else is a tuned model, or an endpoint of one.
        return if name.starts_with("gemma") { (1, 5) } else { (2, 5) };
    };
    let word = rest.split('-').next().unwrap_or(rest);
    let mut numbers = word.splitn(2, '.').map(|digits| digits.parse::<u16>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) => match rest {
            "pro" | "pro-vision" => (1, 0),
            _ if rest.starts_with("exp") => (2, 0),
            // `gemini-flash-latest` and its like.
            _ => (3, 5),
        },
    }
}
