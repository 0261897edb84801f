//! Roles, taken on at AWS's token service (STS).
use super::WHO;
use super::keys::{Keys, until};
use super::sign::{Place, sign};
use crate::config::Secret;
use crate::config::aws::{AwsRole, AwsVoucher, AwsWebIdentity};
use crate::credentials::error::CredentialError;
use crate::credentials::kept::Fresh;
use crate::forward::Forwarder;
use bartizan_layers::query::form;
use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use serde_json::json;
use std::borrow::Cow;
use std::time::SystemTime;

const WHAT: &str = "the token service";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What STS says if it is to be asked again, whatever the status.
const BUSY: [&str; 5] = [
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "IDPCommunicationError",
    "ServiceUnavailable",
];

/// Takes on a role with `keys`.
pub(super) async fn assumed(
    forwarder: &Forwarder,
    sts: &str,
    role: &AwsRole,
    keys: &Keys,
) -> Result<Fresh<Keys>, CredentialError> {
    let mut pairs = asking("AssumeRole", role);
    pairs.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    let mut request = request(sts, &pairs)?;
    let place = Place { base: request.uri().clone(), region: region_of(sts), service: "sts" };
    let headers = sign(
        request.method(),
        "/",
        request.headers(),
        request.body(),
        keys,
        &place,
        SystemTime::now(),
    )
    .ok_or_else(|| CredentialError::refused(WHO, "the keys cannot sign"))?;
    request.headers_mut().extend(headers);
    answered(forwarder, request, &[keys.secret.expose()]).await
}

/// Takes on a role on another one's word.
pub(super) async fn vouched(
    forwarder: &Forwarder,
    sts: &str,
    identity: &AwsWebIdentity,
) -> Result<Fresh<Keys>, CredentialError> {
    let token: Cow<'_, str> = match &identity.token {
        AwsVoucher::Token(token) => token.expose().as_str().into(),
        AwsVoucher::File(file) => {
            let text = tokio::fs::read_to_string(file).await.map_err(|error| {
                let why = format!("the token file {} cannot be read: {error}", file.display());
                CredentialError::refused(WHO, &why)
            })?;
            text.trim().to_owned().into()
        }
    };
    let mut pairs = asking("AssumeRoleWithWebIdentity", &identity.role);
    pairs.push(("WebIdentityToken", &token));
    answered(forwarder, request(sts, &pairs)?, &[&token]).await
}

fn asking<'a>(action: &'a str, role: &'a AwsRole) -> Vec<(&'a str, &'a str)> {
    let session = role.session.as_deref().unwrap_or("bartizan");
    vec![
        ("Action", action),
        ("Version", "2011-06-15"),
        ("RoleArn", &role.arn),
        ("RoleSessionName", session),
    ]
}

fn request(sts: &str, pairs: &[(&str, &str)]) -> Result<Request<Bytes>, CredentialError> {
    let request = Request::post(format!("{sts}/")).header(header::CONTENT_TYPE, FORM);
    let bad = |_| CredentialError::refused(WHO, &format!("{WHAT} has no valid URL"));
    request.body(form(pairs).into()).map_err(bad)
}

/// The region whose service is asked: signatures name it. The one for all regions is in the first.
fn region_of(sts: &str) -> String {
    let url: Option<Uri> = sts.parse().ok();
    let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
    let region = host.strip_prefix("sts.").and_then(|rest| rest.split('.').next());
    region.filter(|region| region.contains('-')).unwrap_or("us-east-1").to_owned()
}

async fn answered(
    forwarder: &Forwarder,
    request: Request<Bytes>,
    secrets: &[&str],
) -> Result<Fresh<Keys>, CredentialError> {
    let answer = forwarder.ask(request).await.map_err(|error| {
        CredentialError::failed(WHO, &format!("{WHAT} is out of reach: {error}"))
    })?;
    if !answer.status().is_success() {
        return Err(CredentialError::answered(WHO, WHAT, &plain(answer), secrets));
    }
    let text = String::from_utf8_lossy(answer.body());
    let told = |name| element(&text, name);
    let (Some(id), Some(secret)) = (told("AccessKeyId"), told("SecretAccessKey")) else {
        return Err(CredentialError::failed(WHO, &format!("the answer of {WHAT} has no keys")));
    };
    let token = told("SessionToken").map(Secret::new);
    let lifetime = told("Expiration").and_then(|end| until(&end, &answer));
    Ok(Fresh { value: Keys { id, secret: Secret::new(secret), token }, lifetime })
}

/// An error in JSON, which is read of all sources; with the status that it stands for.
fn plain(mut answer: Response<Bytes>) -> Response<Bytes> {
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    let Some(code) = element(&text, "Code") else { return answer };
    if BUSY.contains(&code.as_str()) {
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    let message = element(&text, "Message").unwrap_or_default();
    answer.map(|_| json!({"message": format!("{code}: {message}")}).to_string().into())
}

/// The text of the first element of this name. STS answers in XML without attributes there.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let mut inner = inner.trim().to_owned();
    for (escaped, letter) in plain {
        inner = inner.replace(escaped, letter);
    }
    Some(inner)
}
