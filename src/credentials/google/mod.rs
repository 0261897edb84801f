//! Tokens of Google, for service accounts, people, workloads that others vouch for, and machines.
mod assertion;
mod federated;

use super::error::CredentialError;
use super::kept::Fresh;
use super::oauth::{self, Asked, Token};
use crate::config::{Acting, AuthorizedUser, GoogleIdentity, GoogleLogin, ServiceAccount};
use crate::forward::Forwarder;
use bartizan_layers::query::form;
use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// As messages name it.
const WHO: &str = "Google";
const ENDPOINT: &str = "the token endpoint";
/// What tokens are good for: everything that the caller may do in Google's cloud.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Asks for a token for the `login`.
pub(super) async fn token(
    forwarder: Forwarder,
    login: Arc<GoogleLogin>,
) -> Result<Fresh<Token>, CredentialError> {
    let own = match &login.identity {
        GoogleIdentity::Account(account) => of_account(&forwarder, account).await,
        GoogleIdentity::User(user) => of_user(&forwarder, user).await,
        GoogleIdentity::Federated(account) => federated::token(&forwarder, account).await,
        GoogleIdentity::Machine(server) => of_machine(&forwarder, server).await,
    }?;
    match &login.acting {
        Some(acting) => acting_as(&forwarder, acting, &own.value).await,
        None => Ok(own),
    }
}

/// The grant for assertions (RFC 7523 2.1). They name the time: of a server that refuses one and
/// whose clock is another, it is asked by that clock.
async fn of_account(
    forwarder: &Forwarder,
    account: &ServiceAccount,
) -> Result<Fresh<Token>, CredentialError> {
    let asked = Asked { who: WHO, what: ENDPOINT, secrets: &[] };
    let answer = assert(forwarder, account, assertion::now(), asked).await?;
    let skewed = (answer.status() == StatusCode::BAD_REQUEST).then(|| assertion::skewed(&answer));
    let answer = match skewed.flatten() {
        Some(theirs) => assert(forwarder, account, theirs, asked).await?,
        None => answer,
    };
    oauth::granted(&answer, asked)
}

async fn assert(
    forwarder: &Forwarder,
    account: &ServiceAccount,
    now: i64,
    asked: Asked<'_>,
) -> Result<Response<Bytes>, CredentialError> {
    const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let assertion = assertion::signed(account, SCOPE, now)
        .ok_or_else(|| CredentialError::refused(WHO, "the private key signs nothing"))?;
    let pairs = [("grant_type", GRANT), ("assertion", assertion.as_str())];
    oauth::answer(forwarder, post(&account.token_uri, &pairs)?, asked).await
}

/// The grant for refresh tokens (RFC 6749 6).
async fn of_user(
    forwarder: &Forwarder,
    user: &AuthorizedUser,
) -> Result<Fresh<Token>, CredentialError> {
    let (secret, refresh) = (user.client_secret.expose(), user.refresh_token.expose());
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", secret),
        ("refresh_token", refresh),
    ];
    let asked = Asked { who: WHO, what: ENDPOINT, secrets: &[secret, refresh] };
    oauth::token(forwarder, post(&user.token_uri, &pairs)?, asked).await
}

async fn of_machine(forwarder: &Forwarder, server: &Uri) -> Result<Fresh<Token>, CredentialError> {
    const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
    let server = server.to_string();
    let url = format!("{}{PATH}?{}", server.trim_end_matches('/'), form(&[("scopes", SCOPE)]));
    let request = Request::get(url).header("metadata-flavor", "Google").body(Bytes::new());
    let asked = Asked { who: WHO, what: "the metadata server", secrets: &[] };
    oauth::token(forwarder, request.map_err(|_| no_url())?, asked).await
}

/// A token of another account, for one who may act as it.
async fn acting_as(
    forwarder: &Forwarder,
    acting: &Acting,
    own: &Token,
) -> Result<Fresh<Token>, CredentialError> {
    let asked = Asked { who: WHO, what: "the account to act as", secrets: &[] };
    let lifetime = format!("{}s", acting.lifetime);
    let body =
        json!({"delegates": acting.delegates, "scope": [SCOPE], "lifetime": lifetime}).to_string();
    let request = Request::post(&acting.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, own.header())
        .body(Bytes::from(body));
    let answer = oauth::answer(forwarder, request.map_err(|_| no_url())?, asked).await?;
    if !answer.status().is_success() {
        return Err(CredentialError::answered(WHO, asked.what, &answer, &[]));
    }
    let told: Option<Value> = serde_json::from_slice(answer.body()).ok();
    let token = told.as_ref().and_then(|told| Token::bearer(told.get("accessToken")?.as_str()?));
    let value = token.ok_or_else(|| oauth::no_token(asked))?;
    // It is as long as was asked for, or refused.
    Ok(Fresh { value, lifetime: Some(Duration::from_secs(acting.lifetime.into())) })
}

fn post(url: &Uri, pairs: &[(&str, &str)]) -> Result<Request<Bytes>, CredentialError> {
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form(pairs)));
    request.map_err(|_| no_url())
}

/// The config checks what it can.
fn no_url() -> CredentialError {
    CredentialError::refused(WHO, "a URL of the login is not valid")
}
