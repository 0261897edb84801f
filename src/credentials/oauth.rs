//! Tokens as OAuth's servers give them (RFC 6749 5.1).
use super::error::CredentialError;
use super::kept::Fresh;
use crate::clock;
use crate::forward::Forwarder;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use serde_json::Value;
use std::time::Duration;

/// How long a token is taken to be good whose server does not say.
const SAID_NOTHING: Duration = Duration::from_secs(300);

/// A token that is sent in `authorization`.
#[derive(Clone, Debug)]
pub struct Token(HeaderValue);

impl Token {
    /// A bearer token (RFC 6750); `None` if no header can carry it.
    #[must_use]
    pub fn bearer(token: &str) -> Option<Self> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The value of `authorization`.
    #[must_use]
    pub const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// Whom a token is asked for, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The cloud: `Azure`.
    pub(super) who: &'static str,
    /// What of it: `the token endpoint`.
    pub(super) what: &'a str,
    /// What must not be repeated.
    pub(super) secrets: &'a [&'a str],
}

/// Sends a question whose answer is a token.
pub(super) async fn token(
    forwarder: &Forwarder,
    request: Request<Bytes>,
    asked: Asked<'_>,
) -> Result<Fresh<Token>, CredentialError> {
    granted(&answer(forwarder, request, asked).await?, asked)
}

/// Sends a question, and waits for its answer, whatever that is.
pub(super) async fn answer(
    forwarder: &Forwarder,
    request: Request<Bytes>,
    asked: Asked<'_>,
) -> Result<Response<Bytes>, CredentialError> {
    let Asked { who, what, .. } = asked;
    let out_of_reach = |error| format!("{what} is out of reach: {error}");
    let answered = forwarder.ask(request).await;
    answered.map_err(|error| CredentialError::failed(who, &out_of_reach(error)))
}

/// The token of an answer, if it is a success.
pub(super) fn granted(
    answer: &Response<Bytes>,
    asked: Asked<'_>,
) -> Result<Fresh<Token>, CredentialError> {
    if !answer.status().is_success() {
        return Err(CredentialError::answered(asked.who, asked.what, answer, asked.secrets));
    }
    read(answer.body()).ok_or_else(|| no_token(asked))
}

/// Of an answer that is none.
pub(super) fn no_token(asked: Asked<'_>) -> CredentialError {
    CredentialError::failed(asked.who, &format!("the answer of {} has no token", asked.what))
}

fn read(answer: &[u8]) -> Option<Fresh<Token>> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let value = Token::bearer(answer.get("access_token")?.as_str()?)?;
    // A number; in answers of Azure's machines a text.
    let expires = answer.get("expires_in");
    let number = |it: &Value| it.as_f64().or_else(|| it.as_str()?.parse().ok());
    let left = |at: f64| at - clock::now() as f64 / 1000.0;
    let seconds = expires.and_then(number);
    // An app's own server tells the time of the end alone.
    let seconds = seconds.or_else(|| answer.get("expires_on").and_then(number).map(left));
    let lifetime = seconds.map(|left| Duration::try_from_secs_f64(left).unwrap_or_default());
    Some(Fresh { value, lifetime: Some(lifetime.unwrap_or(SAID_NOTHING)) })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::clock;
    use std::time::Duration;

    #[test]
    fn a_token_lives_as_long_as_its_server_says() {
        for (expires, seconds) in [("3599", 3599), ("\"86399\"", 86399), ("0", 0)] {
            let fresh =
                read(format!(r#"{{"access_token":"t","expires_in":{expires}}}"#).as_bytes());
            assert_eq!(fresh.unwrap().lifetime, Some(Duration::from_secs(seconds)));
        }
        let fresh = read(br#"{"access_token":"t"}"#).unwrap();
        assert_eq!(fresh.lifetime, Some(Duration::from_secs(300)));
        let soon = clock::now() / 1000 + 600;
        let fresh = read(format!(r#"{{"access_token":"t","expires_on":"{soon}"}}"#).as_bytes());
        let left = fresh.unwrap().lifetime.unwrap().as_secs();
        assert!((590..=600).contains(&left), "{left}");
        assert!(read(br#"{"access_token":"a\nb"}"#).is_none());
        assert!(read(b"<html>").is_none());
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = format!("{:?}", read(br#"{"access_token":"hush"}"#).unwrap());
        assert!(!shown.contains("hush"), "{shown}");
        let shown = format!("{:?}", super::Token::bearer("hush"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
