//! Hides what may be a secret in a text that is shown to people.
mod excerpt;

use super::known;

pub(super) use self::excerpt::masked;

/// Starts of well-known credentials, wherever they stand.
const STARTS: [&str; 6] = ["sk-", "sk_", "gsk_", "AIza", "xai-", "hf_"];

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
    let mut pairs = text.split(['?', '&', ';', '#', ' ']);
    let named = |pair: &str| {
        let name = pair.split_once('=').map(|(name, _)| name);
        name.is_some_and(names_a_secret)
    };
    without_credentials(text) != text || pairs.any(named)
}

/// Whether a value is a reference, be it in quotes.
fn is_reference(value: &str) -> bool {
    let value = value.trim_start_matches(['"', '\'']);
    ["os.environ/", "os.file/"].iter().any(|start| value.starts_with(start))
}

/// A message or a value, in which one may be quoted, without what looks like a credential, and
/// without the values of a URL's query. As many bytes as before.
pub(super) fn message(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in without_credentials(text).split_inclusive(char::is_whitespace) {
        without_query(word, &mut shown);
    }
    shown
}

/// What may stand around a word.
const AROUND: [char; 13] = [' ', ',', '[', ']', '{', '}', '(', ')', '"', '\'', '`', '\n', '\r'];

/// The text with stars for tokens that look like credentials, and for URLs that hold one.
fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // Whether the credential itself comes next.
    let mut follows = false;
    for word in text.split_inclusive(char::is_whitespace) {
        if is_secret_url(word) {
            star_word(word, &mut shown);
            continue;
        }
        for part in word.split_inclusive(AROUND) {
            let is_scheme = part == "Bearer ";
            match follows || is_scheme || STARTS.iter().any(|start| part.starts_with(start)) {
                true => star_word(part, &mut shown),
                false => shown.push_str(part),
            }
            follows = is_scheme;
        }
    }
    shown
}

/// Whether a word is a URL with a name and a password, or one whose path is a credential.
fn is_secret_url(word: &str) -> bool {
    let named = match word.split_once("://") {
        Some((_, rest)) => rest.contains('@'),
        None => word.split_once(':').is_some_and(|(_, rest)| rest.contains('@')),
    };
    let is_hook = ["hooks.", "webhook"].iter().any(|part| word.contains(part));
    named || (is_hook && word.contains("://"))
}

/// Copies a word with stars for the values of its query, and for what is assigned to the name of a
/// credential.
fn without_query(word: &str, shown: &mut String) {
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.trim_start_matches(AROUND);
        let name = name.rsplit(['?', '&', ';', '#']).next().unwrap_or(name);
        let is_query = shown.contains('?') || before.contains('?');
        shown.push_str(before);
        shown.push('=');
        let end = after.find(['&', ';', '#']).unwrap_or(after.len());
        let (value, next) = after.split_at(end);
        if (is_query && word.contains('/')) || names_a_secret(name) {
            star_word(value, shown);
            rest = next;
        } else {
            rest = after;
        }
    }
    shown.push_str(rest);
}

/// Whether a part of a query with this name is a credential.
fn names_a_secret(name: &str) -> bool {
    known::is_secret(name) || ["key", "sig", "code"].contains(&name)
}

/// Copies a word as stars; what stands around it stays.
fn star_word(word: &str, shown: &mut String) {
    let start = word.len() - word.trim_start_matches(AROUND).len();
    let end = word.trim_end_matches(AROUND).len().max(start);
    let around = |range| word.get(range).unwrap_or_default();
    shown.push_str(around(0..start));
    shown.extend(std::iter::repeat_n('*', end - start));
    shown.push_str(around(end..word.len()));
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn credentials_are_hidden_in_texts_and_words_are_not() {
        for text in [
            "(http://u:s3cret@h/x)",
            "a `http://u:p,s3cret@h`",
            "https://h/v1?version=s3cret",
            "https://h/v1?a=&token=s3cret#x",
            "api_key=s3cret",
            "Bearer s3cret",
            "\"Bearer s3cret\"",
            "sk-s3cret",
            "https://hooks.slack.com/services/s3cret",
        ] {
            let shown = message(text);
            assert!(!shown.contains("s3cret") && shown.len() == text.len(), "{shown}");
        }
        for text in ["a = b", "did you mean `x`? n=1", "https://h:1/v1", "key: 5"] {
            assert_eq!(message(text), text);
        }
        assert_eq!(message("https://h/v?a=b&c=d"), "https://h/v?a=*&c=*");
    }
}
