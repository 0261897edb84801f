//! The token of another issuer, exchanged for one of Google's (RFC 8693).
use super::{SCOPE, WHO, no_url, post};
use crate::config::{ExternalAccount, TokenPlace, TokenSource};
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Fresh;
use crate::credentials::oauth::{self, Asked, Token};
use crate::forward::Forwarder;
use bartizan_layers::query::encoded;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use serde_json::{Value, json};
use std::path::Path;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const WANTED: &str = "urn:ietf:params:oauth:token-type:access_token";

pub(super) async fn token(
    forwarder: &Forwarder,
    account: &ExternalAccount,
) -> Result<Fresh<Token>, CredentialError> {
    let subject = subject(forwarder, &account.source).await?;
    let options = account.user_project.as_ref();
    let options = options.map(|project| json!({"userProject": project}).to_string());
    let mut pairs = vec![
        ("grant_type", GRANT),
        ("audience", &account.audience),
        ("scope", SCOPE),
        ("requested_token_type", WANTED),
        ("subject_token_type", &account.subject_token_type),
        ("subject_token", &subject),
    ];
    pairs.extend(options.as_deref().map(|options| ("options", options)));
    let mut request = post(&account.token_url, &pairs)?;
    let mut secrets = vec![subject.as_str()];
    if let Some((id, secret)) = &account.client {
        let secret = secret.expose();
        request.headers_mut().insert(header::AUTHORIZATION, basic(id, secret)?);
        secrets.push(secret);
    }
    let asked = Asked { who: WHO, what: "the exchange of tokens", secrets: &secrets };
    oauth::token(forwarder, request, asked).await
}

/// A client's id and secret (RFC 6749 2.3.1).
fn basic(id: &str, secret: &str) -> Result<HeaderValue, CredentialError> {
    let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| no_url())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The issuer's token, as it is now.
async fn subject(forwarder: &Forwarder, source: &TokenSource) -> Result<String, CredentialError> {
    let text = match &source.place {
        TokenPlace::File(path) => of_file(path).await?,
        TokenPlace::Url(url, headers) => of_url(forwarder, url, headers).await?,
    };
    let token = match &source.member {
        None => Some(text.trim().to_owned()),
        Some(member) => serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|told| Some(told.get(member)?.as_str()?.to_owned())),
    };
    token.filter(|token| !token.is_empty()).ok_or_else(|| {
        CredentialError::refused(WHO, "the issuer's token is not where it should be")
    })
}

async fn of_file(path: &Path) -> Result<String, CredentialError> {
    tokio::fs::read_to_string(path).await.map_err(|error| {
        let why = format!("the token file {} cannot be read: {error}", path.display());
        CredentialError::refused(WHO, &why)
    })
}

async fn of_url(
    forwarder: &Forwarder,
    url: &Uri,
    headers: &[(http::HeaderName, HeaderValue)],
) -> Result<String, CredentialError> {
    let mut request = Request::get(url).body(Bytes::new()).map_err(|_| no_url())?;
    request.headers_mut().extend(headers.iter().cloned());
    let asked = Asked { who: WHO, what: "the issuer of tokens", secrets: &[] };
    let answer = oauth::answer(forwarder, request, asked).await?;
    if !answer.status().is_success() {
        return Err(CredentialError::answered(WHO, asked.what, &answer, &[]));
    }
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}
