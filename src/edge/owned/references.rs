//! The objects that a request's body names.
use http::Extensions;
use memchr::memchr2;
use std::borrow::Cow;
use std::sync::Arc;

/// A request fact: the ids of objects in its body, each once.
#[derive(Clone, Debug)]
pub(super) struct References(pub(super) Arc<[Box<str>]>);

/// Tells of the objects that a request names, if it names any.
pub(in crate::edge) fn tell(named: Vec<Box<str>>, facts: &mut Extensions) {
    if !named.is_empty() {
        facts.insert(References(named.into()));
    }
}

/// Ids are not longer, in bytes.
const LONGEST: usize = 256;

/// The members that name objects by one id or several.
fn is_reference(name: &str) -> bool {
    let plain = name.strip_suffix('s').unwrap_or(name);
    let ends = [
        "file_id",
        "vector_store_id",
        "response_id",
        "conversation_id",
        "thread_id",
        "assistant_id",
        "container_id",
        "batch_id",
        "video_id",
        "skill_id",
        "eval_id",
        "upload_id",
        "agent_id",
        "dataset_id",
        "fileUri",
        "file_uri",
        "fileSearchStoreName",
        "file_search_store_name",
    ];
    let whole = [
        "training_file",
        "validation_file",
        "conversation",
        "container",
        "cachedContent",
        "cached_content",
        "cachedContentName",
    ];
    ends.iter().any(|end| plain.ends_with(end)) || whole.contains(&name)
}

/// Objects that name another one by `id` within themselves.
fn holds_id(name: &str) -> bool {
    ["conversation", "container", "video", "file", "assistant"].contains(&name)
}

/// The ids in JSON, however deep they stand. Strings are all that is looked at, so that what one
/// parser takes and another one does not hides nothing.
pub(in crate::edge) fn of_json(text: &[u8]) -> Vec<Box<str>> {
    let mut found: Vec<Box<str>> = Vec::new();
    let (mut named, mut within, mut at) = (false, false, 0);
    while let Some((begin, end)) = string(text, at) {
        at = end + 1;
        let rest = text.get(at..).unwrap_or_default();
        let is_name = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        let raw = text.get(begin..end).unwrap_or_default();
        if !is_name && (!named || raw.len() > LONGEST) {
            continue;
        }
        let Some(word) = unescaped(raw) else {
            named = named && !is_name;
            continue;
        };
        if is_name {
            named = is_reference(&word) || (within && word == "id");
            within = holds_id(&word) || (within && word != "id");
        } else {
            note(&mut found, &word);
        }
    }
    found
}

/// Notes what a form says, if it names an object.
pub(in crate::edge) fn of_field(found: &mut Vec<Box<str>>, name: &str, value: &[u8]) {
    let name = name.strip_suffix("[]").unwrap_or(name);
    if is_reference(name)
        && let Ok(value) = std::str::from_utf8(value)
    {
        note(found, value);
    }
}

/// Some providers put a path before it.
pub(super) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn note(found: &mut Vec<Box<str>>, id: &str) {
    let id = bare(id);
    if !id.is_empty() && !found.iter().any(|known| **known == *id) {
        found.push(id.into());
    }
}

/// The next string from `at` on: where its text begins, and its closing quote.
fn string(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let begin = at + memchr::memchr(b'"', text.get(at..)?)? + 1;
    let mut at = begin;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some((begin, at));
        }
        at += 2;
    }
}

fn unescaped(raw: &[u8]) -> Option<Cow<'_, str>> {
    if !raw.contains(&b'\\') {
        return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::{of_field, of_json};

    #[test]
    fn ids_are_found_however_they_are_written() {
        for (body, ids) in [
            (r#"{"previous_response_id" : "resp_1", "input":"file_id"}"#, vec!["resp_1"]),
            (
                r#"{"tools":[{"vector_store_ids":["vs_1","vs_2"]},{"x":"vs_3"}]}"#,
                vec!["vs_1", "vs_2"],
            ),
            (r#"{"file\u005fid":"file\u002d1","a":"b"}"#, vec!["file-1"]),
            (r#"{"x":NaN,"conversation":{"id":"conv"},"id":"no"}"#, vec!["conv"]),
            (r#"{"container":"c","y":{"file_id":"c"}}"#, vec!["c"]),
            (r#"{"cachedContent":"cachedContents/abc"}"#, vec!["abc"]),
            (r#"{"text":"\"file_id\":\"no\"","metadata":{"id":"no"}}"#, vec![]),
            (r#"{"training_file":"f","unended":"#, vec!["f"]),
            (r#"{"previous_response_id":null,"input":"x"}"#, vec![]),
        ] {
            let found = of_json(body.as_bytes());
            let found: Vec<_> = found.iter().map(|id| &**id).collect();
            assert_eq!(found, ids, "{body}");
        }
        let mut found = Vec::new();
        of_field(&mut found, "file_ids[]", b"f1");
        of_field(&mut found, "purpose", b"f2");
        assert_eq!(found, [Box::from("f1")]);
    }
}
