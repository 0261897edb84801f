//! Names with stars: what each stands for, and names made from that (contract 2.4).
use std::cmp::Reverse;

/// Longer patterns are tried first, and of equally long ones those with fewer stars.
pub(super) fn specificity(pattern: &str) -> (usize, Reverse<usize>) {
    (pattern.len(), Reverse(pattern.matches('*').count()))
}

/// What each `*` of `pattern` stands for in `name`, as short as possible but for the last.
pub(super) fn capture<'a>(pattern: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split('*');
    let mut rest = name.strip_prefix(parts.next()?)?;
    let mut captures = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let (captured, after) = match (last, part) {
            (true, part) => (rest.strip_suffix(part)?, ""),
            (false, part) => rest.split_once(part)?,
        };
        captures.push(captured);
        rest = after;
    }
    rest.is_empty().then_some(captures)
}

/// `model` with its stars filled in. Where there are more captures than stars, the whole name is
/// meant (contract 2.4).
pub(super) fn filled(model: &str, captures: &[&str], name: &str) -> String {
    let stars = model.matches('*').count();
    if captures.len() > stars {
        return name.to_owned();
    }
    let mut captures = captures.iter();
    let mut text = String::with_capacity(name.len());
    for (at, part) in model.split('*').enumerate() {
        if at > 0 {
            text.push_str(captures.next().unwrap_or(&""));
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{capture, filled};
    use proptest::prelude::*;

    #[test]
    fn stars_capture_what_stands_in_their_place() {
        for (pattern, name, expected) in [
            ("*", "gpt-4o", Some(vec!["gpt-4o"])),
            ("openai/*", "openai/gpt-4o", Some(vec!["gpt-4o"])),
            ("openai/*", "groq/llama", None),
            ("claude-*-*", "claude-opus-4-1", Some(vec!["opus", "4-1"])),
            ("*/latest", "gpt/latest", Some(vec!["gpt"])),
            ("a*a", "a", None),
            ("gpt", "gpt-4o", None),
        ] {
            assert_eq!(capture(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn captures_fill_the_models_stars() {
        assert_eq!(filled("*", &["gpt-4o"], "openai/gpt-4o"), "gpt-4o");
        assert_eq!(filled("claude-*", &["opus"], "claude-opus"), "claude-opus");
        assert_eq!(filled("fixed", &["a"], "a"), "a", "more captures than stars");
    }

    proptest! {
        #[test]
        fn a_capture_fills_its_own_pattern(pattern in "[ab*]{1,8}", name in "[ab]{0,12}") {
            if let Some(captures) = capture(&pattern, &name) {
                prop_assert_eq!(filled(&pattern, &captures, &name), name.clone());
            }
        }
    }
}
