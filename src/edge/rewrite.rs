//! What is taken out of a request's target before its path is looked up.
use bartizan_layers::query::{Parameter, parameters, target, with_target, without};
use http::Uri;

/// `uri` without the `root` that its path begins with; `None` if it begins otherwise.
pub(super) fn without_root(uri: &Uri, root: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(root)?;
    match rest.bytes().next() {
        Some(b'/') => with_target(uri, rest),
        None | Some(b'?') => with_target(uri, &format!("/{rest}")),
        Some(_) => None,
    }
}

/// `uri` without the parameters `name` of its query; `None` if it has none.
pub(super) fn without_query(uri: &Uri, name: &str) -> Option<Uri> {
    let query = uri.query()?;
    let named = |it: &Parameter<'_>| it.name == name;
    if !parameters(query).any(|it| named(&it)) {
        return None;
    }
    with_target(uri, &target(uri.path(), &without(query, named)))
}

#[cfg(test)]
mod tests {
    use super::{without_query, without_root};
    use http::Uri;

    #[test]
    fn the_root_is_taken_off_at_a_slash_only() {
        for (uri, expected) in [
            ("/llm/v1/models?a=b", Some("/v1/models?a=b")),
            ("/llm", Some("/")),
            ("/llm?a", Some("/?a")),
            ("/llm//v1", Some("//v1")),
            ("/llmx/v1", None),
            ("/v1/llm/x", None),
            ("http://host/llm/v1", Some("http://host/v1")),
        ] {
            let short = without_root(&uri.parse::<Uri>().unwrap(), "/llm");
            assert_eq!(short.map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn a_parameter_is_taken_out_of_the_query_and_no_other() {
        for (uri, expected) in [
            ("/a?v=1", Some("/a")),
            ("/a?v", Some("/a")),
            ("/a?x=y&v=1&z", Some("/a?x=y&z")),
            ("/a?vv=1&x=v", None),
            ("/a", None),
        ] {
            let short = without_query(&uri.parse::<Uri>().unwrap(), "v");
            assert_eq!(short.map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }
}
