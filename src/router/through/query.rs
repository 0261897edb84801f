//! Selectors in a query: what is meant for us is read and taken out.
use bartizan_layers::query::{decoded, parameters};

/// The parameters of a query that are not ours, as they are written, and the values of ours.
pub(super) fn split(query: &str, ours: &[&str]) -> (String, Vec<(usize, String)>) {
    let mut rest = Vec::new();
    let mut found = Vec::new();
    for parameter in parameters(query).filter(|parameter| !parameter.whole.is_empty()) {
        let value = parameter.value;
        let name = decoded(parameter.name);
        match ours.iter().position(|own| name.as_deref() == Some(*own)) {
            // What is no code stays as it is.
            Some(at) => found.push((at, decoded(value).unwrap_or_else(|| value.to_owned()))),
            None => rest.push(parameter.whole),
        }
    }
    (rest.join("&"), found)
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
