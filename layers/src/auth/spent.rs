//! A key that has proved its caller has done its work: where it stands in the query too, it goes
//! no further.
use super::Presented;
use crate::query::{Parameter, decoded, target, with_target, without};
use http::Uri;

/// `uri` without the parameters that repeat the key which was `presented`; `None` if none does.
pub(super) fn without_key(uri: &Uri, presented: Presented<'_>) -> Option<Box<Uri>> {
    let (query, Presented::Key(key)) = (uri.query()?, presented) else { return None };
    let left = without(query, |parameter| holds(parameter, key));
    if left.len() == query.len() {
        return None;
    }
    with_target(uri, &target(uri.path(), &left)).map(Box::new)
}

/// Whether a parameter is called like one for a key (`key`, `api_key`, `access_token`) and holds
/// this one. Others may have its text by chance: not every key is a long one.
fn holds(parameter: &Parameter<'_>, key: &[u8]) -> bool {
    let name = decoded(parameter.name).unwrap_or_default().to_ascii_lowercase();
    let same = |text: &str| text.as_bytes() == key;
    (name.ends_with("key") || name.ends_with("token"))
        && (same(parameter.value) || decoded(parameter.value).is_some_and(|value| same(&value)))
}

#[cfg(test)]
mod tests {
    use super::without_key;
    use crate::auth::Presented;

    #[test]
    fn a_key_is_taken_out_of_a_query_however_it_is_written() {
        for (target, left) in [
            ("/a?key=sk-1", Some("/a")),
            ("/a?x=y&%6bey=sk-1&API-Key=sk%2D1&z", Some("/a?x=y&z")),
            ("/a?access_token=sk-1&api_key=other", Some("/a?api_key=other")),
            ("/a?after=sk-1&key=sk-12&token", None),
            ("/a?", None),
            ("/a", None),
        ] {
            let uri = target.parse().unwrap();
            let found = without_key(&uri, Presented::Key(b"sk-1"));
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), left, "{target}");
            assert_eq!(without_key(&uri, Presented::Nothing), None);
        }
    }
}
