//! Servers that tell a machine, or a container, who it is.
use super::WHO;
use super::keys::{self, Keys};
use crate::config::Secret;
use crate::config::aws::AwsContainer;
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Fresh;
use crate::forward::Forwarder;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Uri, header};
use std::net::IpAddr;

const MACHINE: &str = "the machine's metadata server";
const CONTAINER: &str = "the container's credential server";

/// How long a machine's server is to know us, in seconds.
const KNOWN_FOR: &str = "21600";

const TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// Keys of a virtual machine's role: IMDS, version 2.
pub(super) async fn of_machine(
    forwarder: &Forwarder,
    host: &Uri,
) -> Result<Fresh<Keys>, CredentialError> {
    let host = host.to_string();
    let host = host.trim_end_matches('/');
    let known = Request::put(format!("{host}/latest/api/token")).header(TTL, KNOWN_FOR);
    let known = asked(forwarder, known.body(Bytes::new()), MACHINE, &[]).await?;
    let token = std::str::from_utf8(known.body()).unwrap_or_default().trim().to_owned();
    let roles = format!("{host}/latest/meta-data/iam/security-credentials/");
    let role = told(forwarder, &roles, &token).await?;
    let role = std::str::from_utf8(role.body()).unwrap_or_default();
    let Some(role) = role.lines().next().map(str::trim).filter(|role| !role.is_empty()) else {
        return Err(CredentialError::refused(WHO, "this machine has no role"));
    };
    let answer = told(forwarder, &format!("{roles}{role}"), &token).await?;
    keys::read(&answer, MACHINE)
}

async fn told(
    forwarder: &Forwarder,
    url: &str,
    token: &str,
) -> Result<Response<Bytes>, CredentialError> {
    let request = Request::get(url).header(TOKEN, token).body(Bytes::new());
    asked(forwarder, request, MACHINE, &[token]).await
}

/// Keys of a container's role (ECS), or of a pod's identity (EKS).
pub(super) async fn of_container(
    forwarder: &Forwarder,
    container: &AwsContainer,
) -> Result<Fresh<Keys>, CredentialError> {
    let AwsContainer { url, token, file } = container;
    if !is_safe(url) {
        let why = "the container's credential server is neither on this machine nor asked by https";
        return Err(CredentialError::refused(WHO, why));
    }
    let token = match file {
        Some(file) => {
            let text = tokio::fs::read_to_string(file).await.map_err(|error| {
                let why = format!("the token file {} cannot be read: {error}", file.display());
                CredentialError::refused(WHO, &why)
            })?;
            Some(Secret::new(text.trim().to_owned()))
        }
        None => token.clone(),
    };
    let mut request = Request::get(url.clone());
    if let Some(token) = &token
        && let Ok(mut value) = HeaderValue::from_str(token.expose())
    {
        value.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, value);
    }
    let secrets: Vec<&str> = token.iter().map(|token| token.expose().as_str()).collect();
    let answer = asked(forwarder, request.body(Bytes::new()), CONTAINER, &secrets).await?;
    keys::read(&answer, CONTAINER)
}

/// Whether a token may be sent there: over TLS, or within the machine, as AWS's own tools do.
fn is_safe(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let is_here = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23],
    };
    url.scheme_str() == Some("https")
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(is_here)
}

async fn asked(
    forwarder: &Forwarder,
    request: http::Result<Request<Bytes>>,
    what: &str,
    secrets: &[&str],
) -> Result<Response<Bytes>, CredentialError> {
    let bad = |_| CredentialError::refused(WHO, &format!("{what} has no valid URL"));
    let answered = forwarder.ask(request.map_err(bad)?).await;
    let answer = answered.map_err(|error| {
        CredentialError::failed(WHO, &format!("{what} is out of reach: {error}"))
    })?;
    match answer.status().is_success() {
        true => Ok(answer),
        false => Err(CredentialError::answered(WHO, what, &answer, secrets)),
    }
}
