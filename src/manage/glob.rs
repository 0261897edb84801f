//! Patterns in which a star stands for any text.

/// Whether `text` is as `pattern` says. It takes at most the product of their lengths.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Behind the last star: where the pattern goes on, and what of the text the star has taken.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                at += 1;
                star = Some((at, seen));
            }
            (Some(wanted), _) if *wanted == text[seen] => {
                at += 1;
                seen += 1;
            }
            (_, Some((after, taken))) => {
                (at, seen) = (after, taken + 1);
                star = Some((after, seen));
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "anything"),
            ("openai/*", "openai/gpt-4o"),
            ("openai/*", "openai/*"),
            ("*-mini", "gpt-4o-mini"),
            ("a*b*c", "a-b-b-c"),
            ("ü*", "üb"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a*b", "ab-"), ("openai/*", "openai"), ("gpt-4", "gpt-4o")]
        {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
        assert!(!glob(&"a*".repeat(500), &"b".repeat(50_000)), "it ends soon");
        assert!(!glob(&format!("{}b", "a*".repeat(500)), &"a".repeat(5_000)), "it ends soon");
    }
}
