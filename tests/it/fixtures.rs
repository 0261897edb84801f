//! Recorded exchanges with real providers, read where they lie.
use bytes::Bytes;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// One recorded exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Where it stands, for messages.
    pub(crate) name: String,
    /// The file's content.
    pub(crate) file: Value,
}

/// The folder of recordings, or `None`, said aloud, where there is none.
pub(crate) fn root(test: &str) -> Option<PathBuf> {
    shared("fixtures", "BARTIZAN_FIXTURES", test)
}

/// A folder beside the repository, or where `variable` says.
pub(crate) fn shared(folder: &str, variable: &str, test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(folder);
    let root = std::env::var_os(variable).map_or_else(beside, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: {test}: no {folder} at {}; {variable} names the folder", root.display());
    None
}

/// All exchanges, in the order of their names.
pub(crate) fn all(root: &Path) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for provider in entries(root).into_iter().filter(|path| path.is_dir()) {
        for path in entries(&provider) {
            let text = std::fs::read(&path).expect("a readable file");
            let file = serde_json::from_slice(&text).expect("a recording is JSON");
            let name = path.strip_prefix(root).expect("it is below").display().to_string();
            exchanges.push(Exchange { name, file });
        }
    }
    assert!(!exchanges.is_empty(), "no recording in {}", root.display());
    exchanges
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

impl Exchange {
    /// A text field, empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.file.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> u16 {
        let status = self.file["response"]["status"].as_u64().expect("a status");
        u16::try_from(status).expect("three digits")
    }

    /// The body of the answer; `None` for binary ones.
    pub(crate) fn answer(&self) -> Option<Bytes> {
        let response = &self.file["response"];
        match (response.get("body"), response.get("body_text")) {
            (_, Some(Value::String(text))) => Some(Bytes::copy_from_slice(text.as_bytes())),
            (Some(body), _) => Some(serde_json::to_vec(body).expect("JSON").into()),
            _ => None,
        }
    }

    /// The headers of the answer that its body does not depend on.
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        let Some(headers) = self.file["response"]["headers"].as_object() else {
            return Vec::new();
        };
        let framing = ["content-length", "transfer-encoding", "connection", "keep-alive"];
        let headers = headers.iter().filter(|(name, _)| !framing.contains(&name.as_str()));
        headers.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
    }

    /// The answer's body in the pieces in which it was read, else in odd ones.
    pub(crate) fn pieces(&self, mut body: Bytes) -> Vec<Bytes> {
        let known = self.file["response"]["chunk_sizes"].as_array();
        let known = known.into_iter().flatten().filter_map(Value::as_u64);
        let odd = [1, 17, 3, 251, 89, 1021, 7].into_iter().cycle();
        let mut pieces = Vec::new();
        for size in known.chain(odd) {
            if body.is_empty() {
                break;
            }
            let size = usize::try_from(size).expect("a size").clamp(1, body.len());
            pieces.push(body.split_to(size));
        }
        pieces
    }
}
