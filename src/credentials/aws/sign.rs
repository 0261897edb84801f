//! Signed requests (Signature Version 4).
use super::keys::Keys;
use crate::config::Secret;
use crate::config::aws::AwsLogin;
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Kept;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign as signature,
};
use aws_sigv4::sign::v4::SigningParams;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Signs the requests of a deployment.
pub struct Signer {
    keys: Arc<Kept<Keys>>,
    place: Place,
}

/// Where a request goes: what a signature is for.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Below which its path stands.
    pub(super) base: Uri,
    pub(super) region: String,
    pub(super) service: &'static str,
}

impl Signer {
    pub(in crate::credentials) fn new(keys: Arc<Kept<Keys>>, login: &AwsLogin) -> Self {
        let AwsLogin { base, region, service, .. } = login.clone();
        Self { keys, place: Place { base, region, service } }
    }

    /// The request with its signature. A body that comes in frames is read first.
    ///
    /// # Errors
    /// When there are no keys, or the body breaks off.
    pub(in crate::credentials) async fn sign(
        &self,
        request: Request<Body>,
    ) -> Result<Request<Body>, CredentialError> {
        let keys = match self.keys.held() {
            Some(keys) => keys,
            None => self.keys.get().await?,
        };
        let (mut head, body) = request.into_parts();
        let body = match body {
            Body::Full(bytes) => bytes,
            other => {
                let read = other.collect().await;
                let broken = |_| CredentialError::failed(super::WHO, "the body breaks off");
                read.map_err(broken)?.to_bytes()
            }
        };
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let now = SystemTime::now();
        let headers = sign(&head.method, path, &head.headers, &body, &keys, &self.place, now);
        let headers = headers.ok_or_else(|| {
            CredentialError::refused(super::WHO, "the keys hold letters that no header can carry")
        })?;
        head.headers.extend(headers);
        Ok(Request::from_parts(head, Body::Full(body)))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The headers that sign a request for `path`, and its query, below the place's base. Of its own
/// headers the type of the body is signed; others may change on the way.
pub(super) fn sign(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
    keys: &Keys,
    place: &Place,
    now: SystemTime,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let Place { base, region, service } = place;
    let token = keys.token.as_ref().map(|token: &Secret<String>| token.expose().clone());
    let identity =
        Credentials::new(keys.id.clone(), keys.secret.expose().clone(), token, None, "bartizan");
    let identity = identity.into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .ok()?;
    let host = authority(base)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let signed = [Some(("host", host.as_str())), kind.map(|kind| ("content-type", kind))];
    let url = format!("https://{host}{}{path}", base.path().trim_end_matches('/'));
    let request = SignableRequest::new(
        method.as_str(),
        url,
        signed.into_iter().flatten(),
        SignableBody::Bytes(body),
    );
    let (made, _) = signature(request.ok()?, &params.into()).ok()?.into_parts();
    let (made, _) = made.into_parts();
    made.into_iter().map(|made| header_of(made.name(), made.value())).collect()
}

fn header_of(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
}

/// The `host` that is sent: without the usual port.
fn authority(base: &Uri) -> Option<String> {
    let host = base.host()?;
    let usual = if base.scheme_str() == Some("http") { 80 } else { 443 };
    Some(match base.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}
