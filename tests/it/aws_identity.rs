//! Who a deployment is at AWS: every place where keys may be, scripted.
use crate::client::{Answer, post};
use crate::proxy::{self, KEY, Proxy, Setup};
use crate::upstream::{Step, Upstream, answer, json};
use crate::wire::Message;

const SAID: &str = r#"{"output":{"message":{"content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":2,"totalTokens":9}}"#;

/// A date long past, by which the servers here go: it must not matter.
const THEN: &str = "Mon, 01 Jan 2001 00:00:00 GMT";

fn dated(status: u16, body: &str) -> Vec<Step> {
    answer(status, &[("content-type", "application/json"), ("date", THEN)], body)
}

/// Keys as a server of AWS's tells them, good for so many minutes.
fn keys(id: &str, minutes: u32) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"secret","Token":"session","Expiration":"2001-01-01T00:{minutes:02}:00Z"}}"#
    )
}

fn role(action: &str, id: &str) -> String {
    format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>\
         <Expiration>2001-01-01T01:00:00Z</Expiration></Credentials></{action}Result>\
         </{action}Response>"
    )
}

/// Every server of AWS's in one: STS, the machine's, the container's, and Bedrock.
fn aws(request: &Message) -> Vec<Step> {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let header = |name: &str| request.head.get(name).unwrap_or_default().to_owned();
    match request.head.word() {
        path if path.starts_with("/model/") => json(200, SAID),
        "/latest/api/token" => dated(200, "known"),
        _ if request.head.word().starts_with("/latest/") => {
            assert_eq!(header("x-aws-ec2-metadata-token"), "known");
            match request.head.word().rsplit('/').next() {
                Some("") => dated(200, "a-role"),
                _ => dated(200, &keys("AKIDMACHINE", 30)),
            }
        }
        "/container" => {
            assert_eq!(header("authorization"), "pod");
            dated(200, &keys("AKIDPOD", 30))
        }
        "/" if text.contains("Action=AssumeRoleWithWebIdentity") => {
            assert!(text.contains("WebIdentityToken=vouched&") || text.ends_with("=vouched"));
            dated(200, &role("AssumeRoleWithWebIdentity", "AKIDVOUCHED"))
        }
        "/" => {
            assert!(header("authorization").contains("/sts/aws4_request"), "{text}");
            dated(200, &role("AssumeRole", "AKIDROLE"))
        }
        other => panic!("nobody answers at {other}"),
    }
}

/// A proxy whose model is Bedrock's, with these parameters.
fn before(upstream: &Upstream, params: &[(&str, &str)]) -> Setup {
    let origin = upstream.origin();
    let params: String =
        params.iter().map(|(name, text)| format!("      {name}: {text}\n")).collect();
    let config = format!(
        "model_list:\n  - model_name: gpt\n    litellm_params:\n      model: bedrock/m\n      \
         aws_region_name: eu-west-1\n      aws_bedrock_runtime_endpoint: {origin}\n{params}      \
         num_retries: 0\n      cooldown_time: 0\ngeneral_settings:\n  master_key: {KEY}\n"
    );
    let setup = proxy::with(&config).env("AWS_ENDPOINT_URL_STS", &origin);
    setup.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &origin)
}

async fn chat(proxy: &Proxy) -> Answer {
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"Hello?"}]}"#;
    proxy.call(post("/v1/chat/completions", body).key(KEY)).await
}

/// The key that the last call to Bedrock was signed with, and whether it had a session.
fn signed_by(upstream: &Upstream) -> (String, bool) {
    let request = upstream.requests().pop().expect("a request");
    assert_eq!(request.head.word(), "/model/m/converse");
    let told = request.head.get("authorization").expect("a signature").to_owned();
    let rest = told.strip_prefix("AWS4-HMAC-SHA256 Credential=").expect("a signature");
    let (id, rest) = rest.split_once('/').expect("a scope");
    assert!(rest.contains("/eu-west-1/bedrock/aws4_request"), "{told}");
    (id.to_owned(), request.head.get("x-amz-security-token").is_some())
}

#[tokio::test]
async fn keys_are_found_wherever_awss_own_tools_find_them() {
    let upstream = Upstream::start(aws).await;
    let own = [("aws_access_key_id", "AKIDOWN"), ("aws_secret_access_key", "s")];
    let assumed = [own[0], own[1], ("aws_role_name", "arn:aws:iam::1:role/r")];
    let files = "[base]\naws_access_key_id=AKIDFILE\naws_secret_access_key=s\n\
                 [dev]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\n";
    let container = format!("{}/container", upstream.origin());
    let plain = |params: &[(&str, &str)]| before(&upstream, params).file("keys", files);
    let shared = |setup: Setup| {
        let path = setup.home().join("keys").display().to_string();
        setup.env("AWS_SHARED_CREDENTIALS_FILE", &path)
    };
    let vouched = |setup: Setup| {
        let setup = setup.file("token", "vouched\n").env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
        let path = setup.home().join("token").display().to_string();
        setup.env("AWS_WEB_IDENTITY_TOKEN_FILE", &path)
    };
    let in_pod = |setup: Setup| {
        let setup = setup.file("pod", "pod").env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &container);
        let path = setup.home().join("pod").display().to_string();
        setup.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &path)
    };
    let environment = |setup: Setup| {
        let setup = setup.env("AWS_ACCESS_KEY_ID", "AKIDENV");
        setup.env("AWS_SECRET_ACCESS_KEY", "s").env("AWS_SESSION_TOKEN", "session")
    };
    for (setup, id, session) in [
        (plain(&own), "AKIDOWN", false),
        (plain(&assumed), "AKIDROLE", true),
        (environment(plain(&[])), "AKIDENV", true),
        (shared(plain(&[("aws_profile_name", "base")])), "AKIDFILE", false),
        (shared(plain(&[])).env("AWS_PROFILE", "dev"), "AKIDROLE", true),
        (vouched(plain(&[])), "AKIDVOUCHED", true),
        (in_pod(plain(&[])), "AKIDPOD", true),
        (plain(&[]), "AKIDMACHINE", true),
    ] {
        let proxy = setup.start().await;
        let got = chat(&proxy).await.expect(200).json();
        assert_eq!(got["choices"][0]["message"]["content"], "Hi", "{id}");
        assert_eq!(signed_by(&upstream), (id.to_owned(), session));
    }
}

#[tokio::test]
async fn keys_are_asked_for_once_by_all_who_wait_and_kept() {
    let upstream = Upstream::start(aws).await;
    let proxy = before(&upstream, &[]).start().await;
    let all = futures_util::future::join_all((0..8).map(|_| chat(&proxy))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    chat(&proxy).await.expect(200);
    let asked = upstream.requests().into_iter().filter(|it| it.head.word().starts_with("/latest/"));
    assert_eq!(asked.count(), 3);
}

#[tokio::test]
async fn keys_that_have_expired_are_never_used() {
    let expired = |request: &Message| match request.head.word() {
        path if path.starts_with("/latest/") && path.ends_with("a-role") => {
            dated(200, &keys("AKIDOLD", 0))
        }
        _ => aws(request),
    };
    let upstream = Upstream::start(expired).await;
    let proxy = before(&upstream, &[]).start().await;
    for _ in 0..2 {
        // Fetched for this call, and for no other one.
        chat(&proxy).await.expect(200);
    }
    let asked = upstream.requests().into_iter().filter(|it| it.head.word().ends_with("a-role"));
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn a_token_service_that_refuses_is_told_from_one_that_is_busy() {
    let error = |code: &str| {
        format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>"
        )
    };
    let params = [
        ("aws_access_key_id", "AKIDOWN"),
        ("aws_secret_access_key", "hush-hush-hush"),
        ("aws_role_name", "arn:aws:iam::1:role/r"),
    ];
    for (status, code, got) in
        [(403, "AccessDenied", 401), (400, "Throttling", 503), (503, "ServiceUnavailable", 503)]
    {
        let words = error(code);
        let upstream = Upstream::start(move |_| answer(status, &[], &words)).await;
        let proxy = before(&upstream, &params).start().await;
        let told = chat(&proxy).await.expect(got);
        let text = told.text();
        assert!(text.contains(&format!("{code}: No.")), "{text}");
        assert!(!text.contains("hush") && !proxy.output().contains("hush"));
    }
}

#[tokio::test]
async fn a_machine_without_a_role_is_told_what_is_missing() {
    let upstream = Upstream::start(aws).await;
    let proxy = before(&upstream, &[]).env("AWS_EC2_METADATA_DISABLED", "true").start().await;
    let told = chat(&proxy).await.expect(401);
    assert!(told.text().contains("Unable to locate credentials"), "{}", told.text());
}
