//! The query of a request's target (RFC 3986, 3.4), as forms write it: `name=value`, with `&`
//! between.
use http::Uri;
use http::uri::PathAndQuery;

/// One parameter, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// All of it.
    pub whole: &'a str,
    /// What stands before its first `=`.
    pub name: &'a str,
    /// What stands behind that; empty if there is none.
    pub value: &'a str,
}

/// The parameters of `query`, in order. One that is empty counts too.
pub fn parameters(query: &str) -> impl Iterator<Item = Parameter<'_>> {
    query.split('&').map(|whole| {
        let (name, value) = whole.split_once('=').unwrap_or((whole, ""));
        Parameter { whole, name, value }
    })
}

/// `query` without the parameters that are `out`, all others as they are written.
pub fn without(query: &str, out: impl Fn(&Parameter<'_>) -> bool) -> String {
    let kept = parameters(query).filter(|parameter| !out(parameter));
    kept.map(|parameter| parameter.whole).collect::<Vec<_>>().join("&")
}

/// A target of `path` and `query`, which may be empty.
#[must_use]
pub fn target(path: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{path}{mark}{query}")
}

/// `uri` with another target; `None` if that is none.
#[must_use]
pub fn with_target(uri: &Uri, target: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

/// A name or a value, percent-decoded, with spaces for its pluses; `None` if that is not text, or
/// holds control characters.
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    percent_decoded(&text.replace('+', " "))
}

/// Percent-decoded (RFC 3986, 2.1); `None` if that is not text, or holds control characters.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => (hex(rest.next()?)? << 4) | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains(char::is_control))
}

/// A text as a name or a value: all but RFC 3986's unreserved characters percent-encoded, which is
/// also what signatures of requests are made over.
#[must_use]
pub fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).into()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Names and values as a query, or as the body of a form.
#[must_use]
pub fn form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| digit.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::{decoded, encoded, form, parameters, percent_decoded, target, without};

    #[test]
    fn a_parameter_is_taken_out_of_a_query_and_no_other() {
        for (query, expected) in
            [("v=1", ""), ("v", ""), ("x=y&v=1&z", "x=y&z"), ("vv=1&&x=v", "vv=1&&x=v")]
        {
            assert_eq!(without(query, |it| it.name == "v"), expected, "{query}");
        }
        let values: Vec<_> = parameters("a=b=c&d").map(|it| (it.name, it.value)).collect();
        assert_eq!(values, [("a", "b=c"), ("d", "")]);
    }

    #[test]
    fn a_target_has_a_mark_before_its_query_alone() {
        assert_eq!(target("/a", "b=c"), "/a?b=c");
        assert_eq!(target("/a", ""), "/a");
    }

    #[test]
    fn codes_stand_for_text_and_a_plus_for_a_space_in_queries_only() {
        assert_eq!(decoded("a%2Fb+%2b").as_deref(), Some("a/b +"));
        assert_eq!(percent_decoded("a%2Fb+").as_deref(), Some("a/b+"));
        for bad in ["%", "%4", "%zz", "%+1", "%ff", "%0a"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_encoded_can_be_read_again() {
        let text = "a b&c=d+e/~é%";
        assert_eq!(encoded(text), "a%20b%26c%3Dd%2Be%2F~%C3%A9%25");
        assert_eq!(decoded(&encoded(text)).as_deref(), Some(text));
        assert_eq!(form(&[("a", "b c"), ("d", "")]), "a=b%20c&d=");
    }
}
