use super::{GoogleIdentity, GoogleLogin, NotALogin, TokenPlace};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A key of nobody.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let der: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
});

fn account() -> Value {
    json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "k-1",
        "private_key": &*KEY, "client_email": "a@p-1.iam.gserviceaccount.com",
    })
}

fn user() -> Value {
    json!({
        "type": "authorized_user", "client_id": "c", "client_secret": "hush-secret",
        "refresh_token": "hush-refresh", "quota_project_id": "q-1",
    })
}

fn federated(source: &Value) -> Value {
    json!({
        "type": "external_account", "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "http://127.0.0.1:1/token", "credential_source": source,
    })
}

fn read(file: &Value) -> Result<GoogleLogin, NotALogin> {
    GoogleLogin::of_json(&file.to_string())
}

fn without(mut file: Value, name: &str) -> Value {
    file.as_object_mut().unwrap().remove(name);
    file
}

#[test]
fn each_type_of_file_is_a_login() {
    let login = read(&account()).unwrap();
    let GoogleIdentity::Account(account) = &login.identity else { panic!("{login:?}") };
    assert_eq!(account.token_uri, "https://oauth2.googleapis.com/token");
    assert_eq!((account.key_id.as_deref(), login.project.as_deref()), (Some("k-1"), Some("p-1")));
    let login = read(&user()).unwrap();
    assert!(matches!(login.identity, GoogleIdentity::User(_)), "{login:?}");
    assert_eq!(login.project.as_deref(), Some("q-1"));
    let source = json!({
        "url": "http://127.0.0.1:1/x", "headers": {"a-b": "c"},
        "format": {"type": "json", "subject_token_field_name": "value"},
    });
    let login = read(&federated(&source)).unwrap();
    let GoogleIdentity::Federated(account) = &login.identity else { panic!("{login:?}") };
    assert!(matches!(account.source.place, TokenPlace::Url(..)));
    assert_eq!(account.source.member.as_deref(), Some("value"));
}

#[test]
fn one_may_act_as_another() {
    let url =
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/b:generateAccessToken";
    let mut file = federated(&json!({"file": "/t"}));
    file["service_account_impersonation_url"] = url.into();
    file["service_account_impersonation"] = json!({"token_lifetime_seconds": 900});
    let acting = read(&file).unwrap().acting.unwrap();
    assert_eq!((acting.url.to_string(), acting.lifetime), (url.to_owned(), 900));
    let file = json!({
        "type": "impersonated_service_account", "source_credentials": user(),
        "service_account_impersonation_url": url, "delegates": ["c"],
    });
    let login = read(&file).unwrap();
    assert!(matches!(login.identity, GoogleIdentity::User(_)));
    let acting = login.acting.unwrap();
    assert_eq!((acting.delegates, acting.lifetime), (vec!["c".to_owned()], 3600));
}

#[test]
fn what_is_no_login_is_named_and_not_shown() {
    let mut broken = account();
    broken["private_key"] = "hush-key".into();
    let aws = federated(&json!({"environment_id": "aws1"}));
    for (file, wanted) in [
        (json!([]), NotALogin::Json),
        (json!({}), NotALogin::Type),
        (json!({"type": "gdch_service_account"}), NotALogin::Type),
        (without(account(), "client_email"), NotALogin::Member("client_email")),
        (without(account(), "private_key"), NotALogin::Member("private_key")),
        (without(user(), "refresh_token"), NotALogin::Member("refresh_token")),
        (without(federated(&json!({})), "audience"), NotALogin::Member("audience")),
        (federated(&json!({})), NotALogin::Member("url")),
        (aws, NotALogin::Source("environment_id")),
        (broken, NotALogin::Member("private_key")),
    ] {
        let found = read(&file).unwrap_err();
        assert!(!found.to_string().contains("hush"), "{found}");
        assert_eq!(found, wanted);
    }
}

#[test]
fn a_login_is_not_shown() {
    for file in [account(), user()] {
        let shown = format!("{:?}", read(&file).unwrap());
        assert!(!shown.contains("hush") && !shown.contains("BEGIN"), "{shown}");
    }
}
