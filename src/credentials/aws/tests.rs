//! Signatures, and AWS's files.
use super::files::{self, Profiles};
use super::keys::{Keys, read};
use super::sign::{Place, sign};
use crate::config::Secret;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, header};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Requests, and how botocore signs them; made by `tests/sdk/python/signatures.py`.
const SIGNATURES: &str = include_str!("signatures.jsonl");

#[test]
fn a_signature_is_the_one_that_aws_own_library_makes() {
    for (number, line) in SIGNATURES.lines().enumerate() {
        let told: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let token = Some(text("token")).filter(|token| !token.is_empty()).map(Secret::new);
        let keys = Keys { id: text("id"), secret: Secret::new(text("secret")), token };
        let base = format!("https://{}", text("host")).parse().unwrap();
        let service = if text("service") == "sts" { "sts" } else { "bedrock" };
        let place = Place { base, region: text("region"), service };
        let mut headers = HeaderMap::new();
        if !text("type").is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(text("type")).unwrap());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(told["time"].as_u64().unwrap());
        let (method, body): (Method, Bytes) =
            (text("method").parse().unwrap(), text("body").into());
        let made = sign(&method, &text("path"), &headers, &body, &keys, &place, now).unwrap();
        let value = made.iter().find(|(name, _)| name == header::AUTHORIZATION).unwrap().1.clone();
        assert_eq!(value.to_str().unwrap(), text("authorization"), "line {}", number + 1);
        assert!(made.iter().all(|(_, value)| value.is_sensitive()));
    }
}

#[test]
fn a_path_of_the_base_is_signed_too() {
    let secret = Secret::new("s".to_owned());
    let keys = Keys { id: "AKID".to_owned(), secret, token: None };
    let made = |base: &str, path: &str| {
        let base = base.parse().unwrap();
        let place = Place { base, region: "us-east-1".to_owned(), service: "bedrock" };
        let (method, now) = (Method::POST, SystemTime::UNIX_EPOCH);
        sign(&method, path, &HeaderMap::new(), &Bytes::new(), &keys, &place, now).unwrap()
    };
    assert_eq!(made("https://h/below", "/model"), made("https://h:443", "/below/model"));
    assert_ne!(made("https://h:444", "/model"), made("https://h", "/model"));
}

#[test]
fn profiles_are_read_as_awss_tools_write_them() {
    let mut profiles = Profiles::new();
    let config = "[default]\nregion = eu-west-1\n[profile dev]\nrole_arn=arn:aws:iam::1:role/r # it\n\
                  source_profile = base\ns3 =\n  max = 3\n[sso-session x]\nsso_region = y\n";
    files::read(config, true, &mut profiles);
    let credentials = "; mine\n[base]\nAWS_ACCESS_KEY_ID = AKID\naws_secret_access_key= a=b\n";
    files::read(credentials, false, &mut profiles);
    let told = |profile: &str, key: &str| profiles.get(profile)?.get(key).map(String::as_str);
    assert_eq!(told("default", "region"), Some("eu-west-1"));
    assert_eq!(told("dev", "role_arn"), Some("arn:aws:iam::1:role/r"));
    assert_eq!(told("dev", "max"), None);
    assert_eq!(told("base", "aws_access_key_id"), Some("AKID"));
    assert_eq!(told("base", "aws_secret_access_key"), Some("a=b"));
    assert!(!profiles.contains_key("sso-session x"));
}

fn answer(date: &str, body: &'static str) -> Response<Bytes> {
    let answer = Response::builder().header(header::DATE, date);
    answer.body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn keys_live_as_long_as_they_do_by_the_clock_of_who_gives_them() {
    let body = r#"{"Code": "Success", "AccessKeyId": "AKID", "SecretAccessKey": "s", "Token": "t",
                   "Expiration": "2001-01-01T01:00:00Z"}"#;
    let fresh = read(&answer("Mon, 01 Jan 2001 00:00:00 GMT", body), "it").unwrap();
    assert_eq!(fresh.lifetime, Some(Duration::from_secs(3600)));
    assert_eq!(fresh.value.id, "AKID");
    let fresh = read(&answer("Mon, 01 Jan 2001 02:00:00 GMT", body), "it").unwrap();
    assert_eq!(fresh.lifetime, Some(Duration::ZERO));
    let shown = format!("{:?}", fresh.value);
    assert!(!shown.contains("\"s\"") && !shown.contains("\"t\""), "{shown}");
    assert!(read(&answer("", r#"{"Code": "AssumeRoleUnauthorizedAccess"}"#), "it").is_err());
    assert!(read(&answer("", "<html>"), "it").is_err());
}
