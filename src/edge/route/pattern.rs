//! Paths with placeholders: `{name}` stands for one segment, `{name*}` for any text.
use bartizan_layers::query::percent_decoded;
use http::Uri;

/// What the placeholders of a pattern stand for, as it is written in the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Captures<'a>([&'a str; 2]);

impl<'a> Captures<'a> {
    /// A text that every placeholder may stand for: a provider's name.
    pub(super) const EXAMPLE: Self = Self(["groq", ""]);

    /// The text of the first placeholder, percent-decoded; `None` if that is no text, or holds
    /// control characters.
    pub(super) fn first(&self) -> Option<Box<str>> {
        percent_decoded(self.0[0]).map(Into::into)
    }

    /// The text of the last placeholder, as it is written.
    pub(super) fn rest(&self) -> &'a str {
        self.0.iter().rev().find(|text| !text.is_empty()).copied().unwrap_or_default()
    }
}

/// What the placeholders of `pattern` stand for in `path`: at most two, none of them empty.
pub(super) fn captures<'a>(pattern: &str, path: &'a str) -> Option<Captures<'a>> {
    let (mut pattern, mut path) = (pattern, path);
    let mut found = Captures::default();
    for slot in &mut found.0 {
        let Some((before, after)) = pattern.split_once('{') else { break };
        let (name, next) = after.split_once('}')?;
        path = path.strip_prefix(before)?;
        let end = match (name.ends_with('*'), next.split('{').next()) {
            // The last one takes what is left, but for what must follow it.
            (true, Some(literal)) if literal.len() == next.len() => {
                path.strip_suffix(literal)?.len()
            }
            (true, literal) => path.find(literal?)?,
            (false, _) => path.find('/').unwrap_or(path.len()),
        };
        if end == 0 {
            return None;
        }
        (*slot, path) = path.split_at_checked(end)?;
        pattern = next;
    }
    (pattern == path).then_some(found)
}

/// So often may a path be encoded; no honest one comes near.
const DEEPEST: usize = 4;

/// Whether a path stays where it begins when a server resolves it: no `.` or `..` segment, in
/// whatever spelling, no empty one, no backslash. Some servers decode more than once, and some take
/// a segment's parameters off (`..;x`) before they resolve it.
pub(in crate::edge) fn stays_below(path: &str) -> bool {
    let Some(plain) = percent_decoded(path) else { return false };
    let spellings = std::iter::successors(Some(plain), |path| {
        path.contains('%').then(|| percent_decoded(path)).flatten()
    });
    let mut first = spellings.take(DEEPEST + 1);
    first.by_ref().take(DEEPEST).all(|path| is_resolved(&path))
        && first.next().is_none()
        && path.parse::<Uri>().is_ok()
}

fn is_resolved(path: &str) -> bool {
    let bare = |segment: &str| matches!(segment.split(';').next(), None | Some("" | "." | ".."));
    let relative = path.strip_prefix('/').unwrap_or(path);
    !path.contains('\\') && !relative.split('/').any(bare)
}

#[cfg(test)]
mod tests {
    use super::{captures, stays_below};

    #[test]
    fn placeholders_stand_for_segments_or_for_any_text() {
        let found = |pattern, path| captures(pattern, path).map(|found| found.0);
        assert_eq!(found("/a", "/a"), Some(["", ""]));
        assert_eq!(found("/a/{id}", "/a/b"), Some(["b", ""]));
        assert_eq!(found("/a/{id}", "/a/b/c"), None);
        assert_eq!(found("/a/{id}", "/a/"), None);
        assert_eq!(found("/a/{id}/c", "/a/b/c"), Some(["b", ""]));
        assert_eq!(found("/a/{rest*}", "/a/b/c"), Some(["b/c", ""]));
        assert_eq!(found("/{p}/v1/{rest*}", "/x/v1/b/c"), Some(["x", "b/c"]));
        assert_eq!(found("/d/{m*}/chat", "/d/a/b/chat"), Some(["a/b", ""]));
    }

    #[test]
    fn a_path_that_climbs_does_not_stay_below() {
        for path in [
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/%252e%252e/b",
            "/a/%25252e%25252e/b",
            "/a/%2525252525252525252525252e/b",
            "/a/..;x/b",
            "/a/;/b",
            "/a//b",
            "/./a",
            "/a\\b",
            "/a/%2f%2e%2e",
            "/a%00",
        ] {
            assert!(!stays_below(path), "{path}");
        }
        for path in ["/a/b.c/d..e", "/a/100%25", "/a/b%252Fc", "/a/%2525"] {
            assert!(stays_below(path), "{path}");
        }
    }
}
