//! Why there is no credential.
use bytes::Bytes;
use http::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How much is repeated of what a server said, in characters.
const LONGEST_WORDS: usize = 300;

/// Why a credential could not be had. Its text names who was asked, and holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{who}: {why}")]
pub struct CredentialError {
    who: &'static str,
    why: Arc<str>,
    refused: bool,
    retry_after: Option<Duration>,
}

impl CredentialError {
    /// The login itself is wrong: `who` (`Azure`) knows it and says no, or a file of it is not
    /// there. `why` is a clause without a full stop.
    #[must_use]
    pub fn refused(who: &'static str, why: &str) -> Self {
        Self { refused: true, ..Self::failed(who, why) }
    }

    /// `who` could not be asked, or could not answer.
    #[must_use]
    pub fn failed(who: &'static str, why: &str) -> Self {
        Self { who, why: why.into(), refused: false, retry_after: None }
    }

    /// What the answer of `what` (`the token endpoint`) stands for, which is no success. Of its
    /// words those are repeated that hold none of the `secrets`.
    #[must_use]
    pub fn answered(
        who: &'static str,
        what: &str,
        answer: &Response<Bytes>,
        secrets: &[&str],
    ) -> Self {
        let status = answer.status();
        let said = said(answer.body()).filter(|said| !holds(said, secrets));
        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
        let why = format!("{what} answered {}{said}", status.as_u16());
        let is_refusal = status.is_client_error() && !matches!(status.as_u16(), 408 | 429);
        Self {
            refused: is_refusal,
            retry_after: bartizan_layers::facts::retry_after(answer.headers()),
            ..Self::failed(who, &why)
        }
    }

    pub(super) fn stopped() -> Self {
        Self::failed("Credentials", "the proxy is stopping")
    }

    pub(super) fn broken() -> Self {
        Self::failed("Credentials", "fetching one broke off, which is a bug")
    }

    /// Whether the login is wrong; else its source could not answer.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        self.refused
    }

    /// How long the source wants to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// The error in an answer, in one line: OAuth's members (RFC 6749 5.2), or an object's `message`.
fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let error = value.get("error").unwrap_or(&value);
    let text = |of: &Value, name: &str| Some(of.get(name)?.as_str()?.to_owned());
    let code = error.as_str().map(str::to_owned);
    let words = text(&value, "error_description").or_else(|| text(error, "message"));
    let parts: Vec<String> = [code, words].into_iter().flatten().collect();
    let said = parts.join(": ");
    let line = said.lines().next().unwrap_or_default();
    let plain = line.chars().filter(|c| !c.is_control()).take(LONGEST_WORDS);
    Some(plain.collect::<String>().trim().to_owned()).filter(|said| !said.is_empty())
}

fn holds(said: &str, secrets: &[&str]) -> bool {
    // What is cut off at the end of a line may be the beginning of a secret.
    let starts = |secret: &&str| secret.get(..8).unwrap_or(secret).to_owned();
    secrets.iter().filter(|secret| !secret.is_empty()).any(|secret| said.contains(&starts(secret)))
}

#[cfg(test)]
mod tests {
    use super::CredentialError;
    use bytes::Bytes;
    use http::Response;
    use std::time::Duration;

    fn told(status: u16, body: &'static str) -> CredentialError {
        let answer = Response::builder().status(status).header("retry-after", "7");
        let answer = answer.body(Bytes::from_static(body.as_bytes())).unwrap();
        CredentialError::answered("Azure", "the token endpoint", &answer, &["hush-hush-hush"])
    }

    #[test]
    fn a_refusal_repeats_the_words_of_the_server() {
        let told = told(
            401,
            r#"{"error": "invalid_client", "error_description": "AADSTS7000215: No.\r\nTrace"}"#,
        );
        let wanted = "Azure: the token endpoint answered 401: invalid_client: AADSTS7000215: No.";
        assert_eq!(told.to_string(), wanted);
        assert!(told.is_refusal());
    }

    #[test]
    fn words_that_hold_a_secret_are_not_repeated() {
        let told = told(400, r#"{"error": {"message": "bad secret hush-hush-"}}"#);
        assert_eq!(told.to_string(), "Azure: the token endpoint answered 400");
    }

    #[test]
    fn a_server_that_is_busy_refuses_nothing() {
        for status in [408, 429, 500, 503] {
            let told = told(status, "<html>");
            assert!(!told.is_refusal(), "{status}");
            assert_eq!(told.retry_after(), Some(Duration::from_secs(7)));
        }
    }
}
