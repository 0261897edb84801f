//! A pair of keys, and how AWS's servers tell one.
use super::WHO;
use crate::config::Secret;
use crate::config::aws::AwsKeys;
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Fresh;
use bytes::Bytes;
use http::{Response, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;
use std::time::Duration;

/// How HTTP tells the time (RFC 9110, 5.6.7).
static HTTP_DATES: DateTimeParser = DateTimeParser::new();

/// A pair of keys. `Debug` shows nothing of its secrets.
#[derive(Clone, Debug)]
pub(in crate::credentials) struct Keys {
    /// Which pair it is.
    pub id: String,
    /// What requests are signed with.
    pub secret: Secret<String>,
    /// What goes along with those that expire.
    pub token: Option<Secret<String>>,
}

impl From<&AwsKeys> for Keys {
    fn from(keys: &AwsKeys) -> Self {
        let AwsKeys { id, secret, token } = keys.clone();
        Self { id, secret, token }
    }
}

/// Reads what a container's or a machine's server answers.
pub(super) fn read(answer: &Response<Bytes>, what: &str) -> Result<Fresh<Keys>, CredentialError> {
    let none = || CredentialError::failed(WHO, &format!("the answer of {what} has no keys"));
    let told: Value = serde_json::from_slice(answer.body()).map_err(|_| none())?;
    let text = |name: &str| Some(told.get(name)?.as_str()?.to_owned());
    if let Some(code) = text("Code").filter(|code| code != "Success") {
        let why = format!("{what} says {}", code.escape_debug());
        return Err(CredentialError::failed(WHO, &why));
    }
    let (Some(id), Some(secret)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
        return Err(none());
    };
    let token = text("Token").or_else(|| text("SessionToken")).map(Secret::new);
    let lifetime = text("Expiration").and_then(|end| until(&end, answer));
    Ok(Fresh { value: Keys { id, secret: Secret::new(secret), token }, lifetime })
}

/// How long it is until a time that an answer tells, by the clock of who tells it: ours may be
/// wrong.
pub(super) fn until(end: &str, answer: &Response<Bytes>) -> Option<Duration> {
    let end: Timestamp = end.parse().ok()?;
    let now = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let now = now.and_then(time_of).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(end.duration_since(now)).unwrap_or_default())
}

/// The time that a `Date` header tells.
pub(super) fn time_of(date: &str) -> Option<Timestamp> {
    HTTP_DATES.parse_timestamp(date).ok()
}
