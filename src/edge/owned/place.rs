//! What a path says of objects that a provider keeps.
use bartizan_layers::query::percent_decoded;
use http::Method;

/// The objects that providers keep, by where they stand below the provider's version.
const KINDS: &[&[&str]] = &[
    &["files"],
    &["uploads"],
    &["batches"],
    &["responses"],
    &["fine_tuning", "jobs"],
    &["vector_stores"],
    &["assistants"],
    &["threads"],
    &["conversations"],
    &["containers"],
    &["videos"],
    &["skills"],
    &["evals"],
    &["chat", "completions"],
    // Anthropic's.
    &["messages", "batches"],
    // Gemini's.
    &["upload", "files"],
    &["cachedContents"],
    &["fileSearchStores"],
    &["corpora"],
    // Mistral's and Cohere's.
    &["agents"],
    &["libraries"],
    &["datasets"],
    &["connectors"],
];

/// What stands where an object's id would, and is a call of its own.
const WORDS: &[(&str, &str)] = &[
    ("threads", "runs"),
    ("responses", "compact"),
    ("responses", "input_tokens"),
    ("videos", "characters"),
    ("videos", "edits"),
    ("videos", "extensions"),
    ("agents", "completions"),
];

/// Actions on an object that change nothing in it.
const READING: &[&str] = &["search", "input_tokens"];

/// Actions on an object whose answer is another one, or tells of another one.
const MAKING: &[&str] = &["remix", "complete", "cancel"];

/// Objects of one kind, or one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which one; `None` for all of them.
    pub(super) id: Option<String>,
    /// What follows it.
    rest: Vec<String>,
}

/// What a request does with objects. What is true of an action says whether its answer tells what
/// the provider has made of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It lists them.
    List,
    /// It makes one, or calls a model whose answer is kept.
    Make,
    /// It looks at one, or at what belongs to it.
    Read(String, bool),
    /// It changes one.
    Change(String, bool),
    /// It takes one away.
    Delete(String),
}

impl Place {
    /// The place that a path below a provider's host leads to; `None` where no objects are.
    pub(super) fn of(path: &str) -> Option<Self> {
        let path = percent_decoded(path).unwrap_or_else(|| path.to_owned());
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let mut found: Vec<&str> = parts.by_ref().take(8).collect();
        found.retain(|part| !is_version(part));
        let is = |kind: &&&[&str]| {
            let begin = found.get(..kind.len());
            begin.is_some_and(|begin| begin.iter().zip(**kind).all(|(a, b)| same(a, b)))
        };
        let kind = KINDS.iter().filter(is).max_by_key(|kind| kind.len())?;
        let mut rest = found.into_iter().skip(kind.len()).map(str::to_owned);
        let id = rest.next();
        let word = |id: &String| WORDS.contains(&(kind[0], id.as_str()));
        let id = id.filter(|id| !word(id));
        Some(Self { id, rest: rest.collect() })
    }

    /// What a request with this method does there.
    pub(super) fn deed(self, method: &Method) -> Deed {
        let is_read = [Method::GET, Method::HEAD].contains(method);
        let last = self.rest.last().map_or("", String::as_str);
        match self.id {
            None if is_read => Deed::List,
            None => Deed::Make,
            Some(id) if is_read || READING.contains(&last) => Deed::Read(id, self.rest.is_empty()),
            Some(id) if *method == Method::DELETE && self.rest.is_empty() => Deed::Delete(id),
            Some(id) => Deed::Change(id, MAKING.contains(&last)),
        }
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn is_version(part: &str) -> bool {
    ["v1", "v2", "v3", "v1beta", "v1alpha", "v1beta1"].iter().any(|version| same(part, version))
}

#[cfg(test)]
mod tests {
    use super::{Deed, Place};
    use http::Method;

    fn deed(method: &Method, path: &str) -> Option<Deed> {
        Some(Place::of(path)?.deed(method))
    }

    #[test]
    fn a_path_tells_what_is_done_with_which_object() {
        let read = |id: &str| Some(Deed::Read(id.to_owned(), false));
        assert_eq!(deed(&Method::GET, "/files"), Some(Deed::List));
        assert_eq!(deed(&Method::POST, "/v1/files/"), Some(Deed::Make));
        assert_eq!(deed(&Method::GET, "/files/file-1/content"), read("file-1"));
        let whole = |id: &str| Some(Deed::Read(id.to_owned(), true));
        assert_eq!(deed(&Method::GET, "//v1//files/file%2D1"), whole("file-1"));
        assert_eq!(deed(&Method::GET, "/v1/fil%65s%2ffile-1"), whole("file-1"));
        assert_eq!(deed(&Method::POST, "/vector_stores/vs/search"), read("vs"));
        assert_eq!(deed(&Method::DELETE, "/batches/b"), Some(Deed::Delete("b".into())));
        assert_eq!(deed(&Method::POST, "/batches/b/cancel"), Some(Deed::Change("b".into(), true)));
        assert_eq!(deed(&Method::POST, "/videos/v/remix"), Some(Deed::Change("v".into(), true)));
        let below = Some(Deed::Change("vs".into(), false));
        assert_eq!(deed(&Method::DELETE, "/vector_stores/vs/files/f"), below);
        assert_eq!(deed(&Method::POST, "/threads/runs"), Some(Deed::Make));
        assert_eq!(deed(&Method::GET, "/fine_tuning/jobs/j/events"), read("j"));
        assert_eq!(deed(&Method::GET, "/v1/messages/batches"), Some(Deed::List));
        assert_eq!(deed(&Method::GET, "/v1beta/cachedContents/c"), whole("c"));
        assert_eq!(deed(&Method::POST, "/upload/v1beta/files"), Some(Deed::Make));
        for path in ["/v1/messages", "/v1beta/models/x:generateContent", "/v1/embeddings", "/"] {
            assert_eq!(deed(&Method::POST, path), None, "{path}");
        }
    }
}
