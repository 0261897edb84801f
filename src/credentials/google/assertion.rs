//! What a service account says of itself: a JWT (RFC 7519), signed with its key.
use crate::clock;
use crate::config::ServiceAccount;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Response, header};
use serde_json::json;

/// How long an assertion is good for, in seconds: Google takes no longer ones.
const LIFETIME: i64 = 3600;
/// How much earlier than now it says it was made, in seconds: clocks differ a little.
const EARLIER: i64 = 10;
/// From which difference on, in seconds, another clock is believed.
const SKEW: i64 = 60;

/// The time in seconds since 1970.
pub(super) fn now() -> i64 {
    clock::now() / 1000
}

/// An assertion of `account` at a time, for a token that is good for `scope`; `None` if its key
/// signs nothing.
pub(super) fn signed(account: &ServiceAccount, scope: &str, now: i64) -> Option<String> {
    let mut head = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = &account.key_id {
        head["kid"] = id.as_str().into();
    }
    let made = now - EARLIER;
    let claims = json!({
        "iss": account.email,
        "scope": scope,
        "aud": account.token_uri.to_string(),
        "iat": made,
        "exp": made + LIFETIME,
    });
    let encoded = |part: String| URL_SAFE_NO_PAD.encode(part);
    let said = format!("{}.{}", encoded(head.to_string()), encoded(claims.to_string()));
    let pair = account.key_pair()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature).ok()?;
    Some(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The time of the server that answered, where it is another one than ours.
pub(super) fn skewed<B>(answer: &Response<B>) -> Option<i64> {
    let date = answer.headers().get(header::DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    ((theirs - now()).abs() > SKEW).then_some(theirs)
}
