//! Errors in the two shapes that LiteLLM's management routes have for them.
use super::Refusal;
use http::StatusCode;
use serde_json::json;

impl Refusal {
    /// `{"detail": {"error": …}}`, of the routes that let FastAPI tell it.
    #[must_use]
    pub fn because(status: StatusCode, error: impl Into<String>) -> Self {
        Self::detail(status, json!({"error": error.into()}))
    }

    /// The usual envelope around what Python writes of a map: `{'error': '…'}`, or `{'message':
    /// '…'}`.
    #[must_use]
    pub fn python(status: StatusCode, kind: &str, name: &str, text: &str) -> Self {
        let message = format!("{{'{name}': {}}}", quoted(text));
        Self::error(status, kind, message).param("None")
    }

    /// The same of the routes that call every refusal an error of their own.
    #[must_use]
    pub fn internal(status: StatusCode, error: impl AsRef<str>) -> Self {
        Self::python(status, "internal_server_error", "error", error.as_ref())
    }

    /// Two things would have one name, or a field has a value that it cannot have.
    #[must_use]
    pub fn wrong(error: impl Into<String>) -> Self {
        Self::because(StatusCode::BAD_REQUEST, error)
    }
}

/// A text as Python writes it.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            '\\' => quoted += "\\\\",
            c if c == quote => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\x{:02x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_are_quoted_as_python_does_it() {
        for (text, told) in [
            ("plain", r"'plain'"),
            ("it's", r#""it's""#),
            (r#"it's "so""#, r#"'it\'s "so"'"#),
            ("a\\b\r\n\0", r"'a\\b\r\n\x00'"),
        ] {
            assert_eq!(quoted(text), told);
        }
    }
}
