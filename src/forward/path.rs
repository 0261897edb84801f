//! The path of a base URL before the path of a request.
use bytes::{Bytes, BytesMut};
use http::Uri;
use http::uri::PathAndQuery;
use std::sync::OnceLock;

/// Joined paths that are remembered, for the first few that come: nearly all calls of a
/// deployment go to the same one.
const SLOTS: usize = 4;
/// The longest path that is remembered, in bytes.
const MAX_LEN: usize = 256;

/// Joins one base URL's path with those of requests.
#[derive(Debug)]
pub(super) struct Paths {
    /// Without a slash at its end.
    prefix: Bytes,
    known: [OnceLock<(PathAndQuery, Uri)>; SLOTS],
}

impl Paths {
    pub(super) fn new(base: &Uri) -> Self {
        let prefix = base.path().trim_end_matches('/');
        Self { prefix: Bytes::copy_from_slice(prefix.as_bytes()), known: Default::default() }
    }

    /// Path and query of `uri` below the base.
    pub(super) fn below_base(&self, uri: &Uri) -> Result<Uri, http::Error> {
        let Some(path) = uri.path_and_query() else {
            return self.join("");
        };
        for slot in &self.known {
            match slot.get() {
                Some((known, joined)) if known.as_str() == path.as_str() => {
                    return Ok(joined.clone());
                }
                Some(_) => {}
                None if path.query().is_none() && path.as_str().len() <= MAX_LEN => {
                    let joined = self.join(path.as_str())?;
                    // Another call may have been first; then the next one of this path tries on.
                    drop(slot.set((path.clone(), joined.clone())));
                    return Ok(joined);
                }
                None => break,
            }
        }
        self.join(path.as_str())
    }

    fn join(&self, path: &str) -> Result<Uri, http::Error> {
        let mut joined = BytesMut::with_capacity(self.prefix.len() + path.len() + 1);
        joined.extend_from_slice(&self.prefix);
        let needs_slash = match path.as_bytes().first() {
            Some(b'/') => false,
            None | Some(b'?') => self.prefix.is_empty(),
            Some(_) => true,
        };
        if needs_slash {
            joined.extend_from_slice(b"/");
        }
        joined.extend_from_slice(path.as_bytes());
        Ok(PathAndQuery::from_maybe_shared(joined.freeze())?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Paths;
    use http::Uri;

    #[test]
    fn requests_go_below_the_path_of_the_base() {
        let table = [
            ("http://a/v1", "/chat/completions", "/v1/chat/completions"),
            ("http://a/v1/", "/chat/completions?x=1", "/v1/chat/completions?x=1"),
            ("http://a", "/chat", "/chat"),
            ("http://a/", "/chat", "/chat"),
            ("http://a/v1", "http://other/chat", "/v1/chat"),
            ("http://a/v1", "/a%2fb//c", "/v1/a%2fb//c"),
        ];
        for (base, uri, expected) in table {
            let paths = Paths::new(&base.parse::<Uri>().unwrap());
            for _ in 0..2 {
                let joined = paths.below_base(&uri.parse().unwrap()).unwrap();
                assert_eq!(joined.to_string(), expected);
            }
        }
    }

    #[test]
    fn more_paths_than_are_remembered_are_joined_all_the_same() {
        let paths = Paths::new(&Uri::from_static("http://a/v1"));
        for path in (0..9).chain(0..9) {
            let uri = format!("/{path}").parse().unwrap();
            assert_eq!(paths.below_base(&uri).unwrap().path(), format!("/v1/{path}"));
        }
    }
}
