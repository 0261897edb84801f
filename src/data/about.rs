//! What is known of providers besides how they are called, and how that is known.
//!
//! `about.txt` has a line for each: `name|limits|ending|recorded|schema|source`. What the words of a
//! line may be is told at [`About`].
use super::{Provider, provider};

const LINES: &str = include_str!("about.txt");

/// What is known of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// What it counts when it limits calls: `parallel`, `rpm`, `rpm+tpm`, `credits` or `downstream`
    /// (what stands behind it does); empty where its documentation does not say.
    pub limits: &'static str,
    /// What its streams end with: `[DONE]`, or `none`; empty where its wire has an ending of its
    /// own.
    pub ending: &'static str,
    /// Of which [parts](PARTS) an exchange was recorded, separated by spaces.
    pub recorded: &'static str,
    /// Of which others its official schema drives a test.
    pub schema: &'static str,
    /// Where that is from: a page of its documentation, or LiteLLM's own table.
    pub source: &'static str,
}

/// The parts of a provider that evidence is about.
pub const PARTS: [&str; 4] = ["chat", "stream", "tools", "error"];

impl About {
    const NOTHING: Self = Self { limits: "", ending: "", recorded: "", schema: "", source: "" };

    /// `recorded` where recordings drive tests of all parts; `schema` where its official schema does
    /// of those that lack; else `unverified`.
    #[must_use]
    pub fn evidence(&self) -> &'static str {
        let has = |told: &str, part: &str| told.split(' ').any(|one| one == part);
        let (mut evidence, recorded) = ("recorded", self.recorded);
        for part in PARTS.into_iter().filter(|part| !has(recorded, part)) {
            evidence = if has(self.schema, part) { "schema" } else { return "unverified" };
        }
        evidence
    }
}

impl Provider {
    /// What is known of it; nothing of a row that a config has.
    #[must_use]
    pub fn about(&self) -> About {
        let is_ours = provider(self.name).is_some_and(|row| std::ptr::eq(row, self));
        let of_it = |line: &&str| line.split('|').next() == Some(self.name);
        let line = LINES.lines().filter(|_| is_ours).find(of_it);
        line.and_then(read).unwrap_or(About::NOTHING)
    }
}

fn read(line: &'static str) -> Option<About> {
    let mut cells = line.splitn(6, '|').skip(1);
    let mut next = || cells.next();
    Some(About {
        limits: next()?,
        ending: next()?,
        recorded: next()?,
        schema: next()?,
        source: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{About, LINES, PARTS};
    use crate::data::{Wire, providers};

    #[test]
    fn each_row_has_a_line_in_the_same_order() {
        let names: Vec<_> = LINES.lines().filter_map(|line| line.split('|').next()).collect();
        let rows: Vec<_> = providers().iter().map(|row| row.name).collect();
        assert_eq!(names, rows);
    }

    #[test]
    fn the_words_of_a_line_are_those_that_are_known() {
        let limits = ["", "parallel", "rpm", "rpm+tpm", "credits", "downstream"];
        for row in providers() {
            let about = row.about();
            assert!(limits.contains(&about.limits), "{}: {}", row.name, about.limits);
            let openais = ["", "[DONE]", "none"];
            let endings = if row.wire == Wire::OpenAi { &openais[..] } else { &openais[..1] };
            assert!(endings.contains(&about.ending), "{}: {}", row.name, about.ending);
            let mut parts =
                about.recorded.split_whitespace().chain(about.schema.split_whitespace());
            assert!(parts.all(|part| PARTS.contains(&part)), "{}", row.name);
            assert!(!about.source.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn evidence_is_what_all_parts_have() {
        let about = |recorded, schema| About { recorded, schema, ..About::NOTHING }.evidence();
        assert_eq!(about("chat stream tools error", ""), "recorded");
        assert_eq!(about("chat stream tools", "error"), "schema");
        assert_eq!(about("", "chat stream tools error"), "schema");
        assert_eq!(about("chat stream tools", ""), "unverified");
        assert_eq!(about("", ""), "unverified");
    }
}
