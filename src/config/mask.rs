//! Hides what may be a secret in a text that is shown to people.
use super::known;

/// Starts of well-known credentials, wherever they stand.
const STARTS: [&str; 7] = ["sk-", "sk_", "gsk_", "AIza", "xai-", "Bearer ", "hf_"];

/// The text with everything that may be a secret replaced by stars, byte for byte, so that places
/// stay true. It works on lines, not on YAML, because it must also hold for a text that is no
/// YAML; where it cannot know, it hides too much.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // Lines that are indented deeper than a credential's key belong to its value.
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if inside.is_some_and(|key| indent > key || line.trim().is_empty()) {
            stars(line, &mut shown);
            continue;
        }
        let hidden = secret_from(line);
        inside = hidden.is_some().then_some(indent);
        let from = hidden.unwrap_or(line.len());
        let (open, secret) = line.split_at_checked(from).unwrap_or((line, ""));
        without_credentials(open, &mut shown);
        stars(secret, &mut shown);
    }
    shown
}

/// Where the value of the first credential of a line starts. References show nothing.
fn secret_from(line: &str) -> Option<usize> {
    let colons = line.match_indices(':').map(|(at, _)| at);
    colons.map(|at| line.split_at(at)).find_map(|(before, after)| {
        let name = before.trim_end().trim_end_matches(['"', '\'']);
        let start = name.rfind(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
        let name = name.get(start.map_or(0, |at| at + 1)..).unwrap_or(name);
        let name = name.trim_start_matches('-');
        let value = after.trim_start_matches(':').trim();
        let shows = is_hidden(name) && !value.is_empty() && !is_reference(value);
        let opens = is_hidden(name) && value.is_empty();
        (shows || opens).then_some(before.len() + 1)
    })
}

/// Whether the values of a key are hidden: credentials, and maps that often hold some.
pub(super) fn is_hidden(name: &str) -> bool {
    is_map(name) || known::is_secret(name)
}

/// Whether a key's value is a map whose members may all be credentials, whatever their names.
pub(super) fn is_map(name: &str) -> bool {
    let maps = ["extra_headers", "headers", "environment_variables", "default_query_params"];
    maps.contains(&name) || name == "credential_values"
}

/// Whether a value is one reference, which tells nothing of what it leads to.
pub(super) fn is_reference_alone(value: &str) -> bool {
    is_reference(value) && !value.contains(char::is_whitespace)
}

/// Whether a text looks as if a credential stood in it, whatever the name of its key.
pub(super) fn may_hold_a_secret(text: &str) -> bool {
    let mut pairs = text.split(['?', '&', ';', '#', ' ']).skip(1);
    let named = |pair: &str| {
        let name = pair.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| known::is_secret(name) || ["key", "sig", "code"].contains(&name))
    };
    message(text) != text || pairs.any(named)
}

/// Whether a value is one reference and nothing else but the rest of a flow map.
fn is_reference(value: &str) -> bool {
    let value = value.trim_start_matches(['"', '\'']);
    let is = ["os.environ/", "os.file/"].iter().any(|start| value.starts_with(start));
    is && !value.contains(" #")
}

/// A message, in which a value of the file may be quoted, without what looks like a credential.
pub(super) fn message(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    without_credentials(text, &mut shown);
    shown
}

/// Copies a text; tokens that look like credentials, and those inside URLs, become stars.
fn without_credentials(text: &str, shown: &mut String) {
    for word in text.split_inclusive([' ', ',', '[', ']', '{', '}', '"', '\'', '`', '\n']) {
        let user = word.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
        let begins = STARTS.iter().any(|start| word.starts_with(start));
        if begins || user.is_some() {
            let end =
                word.trim_end_matches([' ', ',', '[', ']', '{', '}', '"', '\'', '`', '\n']).len();
            let (secret, rest) = word.split_at_checked(end).unwrap_or((word, ""));
            stars(secret, shown);
            shown.push_str(rest);
        } else {
            shown.push_str(word);
        }
    }
}

fn stars(text: &str, shown: &mut String) {
    let star = |byte: u8| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' };
    shown.extend(text.bytes().map(star));
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_tells_nothing_stays_and_the_length_never_changes() {
        for text in ["model: openai/gpt-4o\n", "api_key: os.environ/KEY\n", "max_tokens: 5\r\n"] {
            assert_eq!(masked(text), text);
        }
        let text = "a: {api_key: \u{e9}-s3cret, b: 1}\nc: 2\n";
        let shown = masked(text);
        assert_eq!(shown.len(), text.len());
        assert!(shown.starts_with("a: {api_key:") && shown.ends_with("\nc: 2\n"), "{shown}");
        assert!(!shown.contains("s3cret"));
    }
}
