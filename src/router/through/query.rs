//! Selectors in a query: what is meant for us is read and taken out.

/// The parameters of a query that are not ours, as they are written, and the values of ours.
pub(super) fn split(query: &str, ours: &[&str]) -> (String, Vec<(usize, String)>) {
    let mut rest = Vec::new();
    let mut found = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match ours.iter().position(|own| *own == decoded(name)) {
            Some(at) => found.push((at, decoded(value))),
            None => rest.push(pair),
        }
    }
    (rest.join("&"), found)
}

/// As forms write it: percent-encoded, and a plus for a space. What is no code stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let code = after.get(..2).filter(|_| *byte == b'%');
        let code =
            code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(match (byte, code) {
            (_, Some(code)) => {
                rest = after.get(2..).unwrap_or_default();
                code
            }
            (b'+', None) => b' ',
            (byte, None) => *byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn our_parameters_are_read_and_taken_out() {
        let (rest, found) = split("limit=2&model=a%2Fb+c&&after=x%&mod%65l=d", &["other", "model"]);
        assert_eq!(rest, "limit=2&after=x%");
        assert_eq!(found, [(1, "a/b c".to_owned()), (1, "d".to_owned())]);
    }
}
