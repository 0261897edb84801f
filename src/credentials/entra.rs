//! Tokens of Microsoft Entra ID, for applications and for the identities of machines.
use super::error::CredentialError;
use super::kept::Fresh;
use super::oauth::{self, Asked, Token};
use crate::config::{EntraApp, EntraLogin, EntraWay};
use crate::forward::Forwarder;
use bartizan_layers::query::form;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use std::path::Path;
use std::sync::Arc;

/// As messages name it.
const WHO: &str = "Azure";
const ENDPOINT: &str = "the token endpoint";
const VOUCHES: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Asks for a token for the `login`.
pub(super) async fn token(
    forwarder: Forwarder,
    login: Arc<EntraLogin>,
) -> Result<Fresh<Token>, CredentialError> {
    let EntraLogin { scope, way } = &*login;
    match way {
        EntraWay::Secret { app, secret } => {
            let proof = [("client_secret", secret.expose().as_str())];
            of_app(&forwarder, app, scope, &proof).await
        }
        EntraWay::Federated { app, file } => {
            let token = vouching(file).await?;
            let proof = [("client_assertion_type", VOUCHES), ("client_assertion", &token)];
            of_app(&forwarder, app, scope, &proof).await
        }
        EntraWay::Service { endpoint, header, client } => {
            let query = asking("2019-08-01", scope, client.as_deref());
            let proof = (HeaderName::from_static("x-identity-header"), header.expose().as_str());
            of_machine(&forwarder, &format!("{endpoint}?{query}"), proof).await
        }
        EntraWay::Machine { host, client } => {
            let query = asking("2018-02-01", scope, client.as_deref());
            let host = host.to_string();
            let url =
                format!("{}/metadata/identity/oauth2/token?{query}", host.trim_end_matches('/'));
            of_machine(&forwarder, &url, (HeaderName::from_static("metadata"), "true")).await
        }
    }
}

/// The token of whoever vouches for an application. It lies in a file that is written anew before
/// it expires.
async fn vouching(file: &Path) -> Result<String, CredentialError> {
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map(|text| text.trim().to_owned()).map_err(|error| error.to_string());
    let text = text.and_then(|text| match text.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(text),
    });
    text.map_err(|why| {
        let why = format!("the federated token file {} cannot be read: {why}", file.display());
        CredentialError::refused(WHO, &why)
    })
}

/// The grant for applications (RFC 6749 4.4).
async fn of_app(
    forwarder: &Forwarder,
    app: &EntraApp,
    scope: &str,
    proof: &[(&str, &str)],
) -> Result<Fresh<Token>, CredentialError> {
    let EntraApp { authority, tenant, client } = app;
    let grant = [("grant_type", "client_credentials"), ("client_id", client), ("scope", scope)];
    let body = form(&[&grant, proof].concat());
    let url = format!("{authority}/{tenant}/oauth2/v2.0/token");
    let secrets: Vec<_> = proof.iter().map(|(_, secret)| *secret).collect();
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body));
    let asked = Asked { who: WHO, what: ENDPOINT, secrets: &secrets };
    oauth::token(forwarder, request.map_err(|_| no_url(ENDPOINT))?, asked).await
}

/// What a machine's own server is asked.
fn asking(version: &str, scope: &str, client: Option<&str>) -> String {
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let mut pairs = vec![("api-version", version), ("resource", resource)];
    pairs.extend(client.map(|client| ("client_id", client)));
    form(&pairs)
}

async fn of_machine(
    forwarder: &Forwarder,
    url: &str,
    (name, proof): (HeaderName, &str),
) -> Result<Fresh<Token>, CredentialError> {
    const WHAT: &str = "the managed identity";
    let url: Uri = url.parse().map_err(|_| no_url(WHAT))?;
    let mut value = HeaderValue::from_str(proof).map_err(|_| no_url(WHAT))?;
    value.set_sensitive(true);
    let request = Request::get(url).header(name, value).body(Bytes::new());
    let asked = Asked { who: WHO, what: WHAT, secrets: &[proof] };
    oauth::token(forwarder, request.map_err(|_| no_url(WHAT))?, asked).await
}

/// The config checks what it can.
fn no_url(what: &str) -> CredentialError {
    CredentialError::refused(WHO, &format!("{what} has no valid URL"))
}
