//! Logins of Google's cloud: keys, people, workloads and machines, turned into tokens once and kept.
use crate::client::chat;
use crate::proxy::{KEY, Proxy, Setup, bare, with};
use crate::upstream::{self, Gate, Step, Upstream, send};
use crate::wire::Message;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

const ANSWER: &str = r#"{"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]}"#;

/// A service account's key.
static PAIR: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).expect("a key"));

fn pem() -> String {
    let der: Pkcs8V1Der<'_> = PAIR.as_der().expect("DER");
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der.as_ref())
    )
}

/// The file of a service account whose tokens come from `origin`.
pub(crate) fn account(origin: &str) -> Value {
    json!({
        "type": "service_account", "project_id": "p-of-account", "private_key_id": "key-7",
        "private_key": pem(), "client_email": "me@p.iam.gserviceaccount.com",
        "token_uri": format!("{origin}/token"),
    })
}

/// Google's cloud: its token servers, whose tokens are numbered, and its models.
pub(crate) struct Cloud {
    upstream: Upstream,
}

impl Cloud {
    /// One whose models answer as `says`, and whose tokens are good for an hour.
    pub(crate) async fn start(
        says: impl Fn(&Message) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::giving(says, |number| granted(number, 3600)).await
    }

    /// One that answers as `gives` to each question for a token, by its number.
    async fn giving(
        says: impl Fn(&Message) -> Vec<Step> + Send + Sync + 'static,
        gives: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let asked = AtomicUsize::new(0);
        let upstream = Upstream::start(move |request| match is_of_model(request) {
            true => says(request),
            false => gives(asked.fetch_add(1, Ordering::SeqCst) + 1),
        });
        Self { upstream: upstream.await }
    }

    pub(crate) fn origin(&self) -> String {
        self.upstream.origin()
    }

    /// Calls of models.
    pub(crate) fn calls(&self) -> Vec<Message> {
        self.upstream.requests().into_iter().filter(is_of_model).collect()
    }

    /// Questions for tokens.
    fn questions(&self) -> Vec<Message> {
        self.upstream.requests().into_iter().filter(|request| !is_of_model(request)).collect()
    }
}

fn is_of_model(request: &Message) -> bool {
    request.head.word().starts_with("/v1/projects/")
}

/// The token with this number, good for so many seconds.
fn granted(number: usize, seconds: u64) -> Vec<Step> {
    let token = format!("token-{number}");
    let body = json!({"access_token": token, "accessToken": token, "expires_in": seconds});
    upstream::json(200, body.to_string())
}

fn form(message: &Message) -> HashMap<String, String> {
    let text = String::from_utf8(message.body.to_vec()).expect("text");
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("a pair");
        let plain = |text| bartizan_layers::query::decoded(text).expect("encoded");
        (plain(name), plain(value))
    };
    text.split('&').map(pair).collect()
}

/// The claims of an assertion that is signed with the account's key.
fn claims(assertion: &str) -> Value {
    let (said, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PAIR.public_key().as_ref());
    key.verify(said.as_bytes(), &signature).expect("its own signature");
    let (head, claims) = said.split_once('.').expect("two parts");
    let part = |text: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON")
    };
    assert_eq!(part(head), json!({"alg": "RS256", "typ": "JWT", "kid": "key-7"}));
    part(claims)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("seconds")
}

/// A config with one model in the cloud, whose parameters also say this.
fn config(origin: &str, more: &str) -> String {
    format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: vertex_ai/gemini-2.5-pro, api_base: \"{origin}\", num_retries: 0, cooldown_time: 0{more}}}
general_settings: {{master_key: {KEY}}}
"
    )
}

fn house(origin: &str, more: &str) -> Setup {
    with(&config(origin, more))
}

fn says(_: &Message) -> Vec<Step> {
    upstream::json(200, ANSWER)
}

/// With the file of a login.
fn with_login(origin: &str, login: &Value) -> Setup {
    let more = ", vertex_project: p-1, vertex_credentials: login.json";
    house(origin, more).file("login.json", &login.to_string())
}

/// The token that a call is sent with.
async fn token(cloud: &Cloud, proxy: &Proxy) -> String {
    proxy.call(chat("gpt")).await.expect(200);
    let call = cloud.calls().pop().expect("a call");
    call.head.get("authorization").expect("a token").to_owned()
}

#[tokio::test]
async fn a_service_account_signs_for_its_token_once() {
    let cloud = Cloud::start(says).await;
    let login = account(&cloud.origin());
    let more = ", vertex_credentials: login.json";
    let setup = house(&cloud.origin(), more).file("login.json", &login.to_string());
    let proxy = setup.start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    let path = cloud.calls()[0].head.word().to_owned();
    let wanted = "/v1/projects/p-of-account/locations/us-central1/publishers/google/models";
    assert_eq!(path, format!("{wanted}/gemini-2.5-pro:generateContent"));
    let [question] = &*cloud.questions() else { panic!("one question") };
    assert_eq!(question.head.word(), "/token");
    let asked = form(question);
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let claims = claims(&asked["assertion"]);
    assert_eq!(claims["iss"], "me@p.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], format!("{}/token", cloud.origin()));
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/cloud-platform");
    let made = claims["iat"].as_i64().expect("a time");
    assert!((made - now()).abs() < 120 && claims["exp"] == made + 3600, "{claims}");
}

#[tokio::test]
async fn a_server_with_another_clock_is_asked_by_its_own() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    let upstream = Upstream::start(move |request| {
        if is_of_model(request) {
            return says(request);
        }
        let made = claims(&form(request)["assertion"])["iat"].as_i64().expect("a time");
        heard.lock().expect("not poisoned").push(made);
        // 2027-01-15T08:00:00Z
        match (made - 1_800_000_000_i64).abs() < 60 {
            true => granted(1, 3600),
            false => upstream::answer(
                400,
                &[("content-type", "application/json"), ("date", "Fri, 15 Jan 2027 08:00:00 GMT")],
                r#"{"error": "invalid_grant", "error_description": "Invalid JWT"}"#,
            ),
        }
    })
    .await;
    let proxy = with_login(&upstream.origin(), &account(&upstream.origin())).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(asked.lock().expect("not poisoned").len(), 2);
}

#[tokio::test]
async fn many_callers_at_once_wait_for_one_token() {
    let gate = Gate::new();
    let held = gate.clone();
    let cloud = Cloud::giving(says, move |number| {
        [vec![Step::Wait(held.clone())], granted(number, 3600)].concat()
    });
    let cloud = cloud.await;
    let proxy = with_login(&cloud.origin(), &account(&cloud.origin())).start().await;
    let calls = (0..20).map(|_| proxy.call(chat("gpt")));
    let waiting = futures_util::future::join_all(calls);
    let opening = async {
        assert!(cloud.upstream.saw(crate::wire::PATIENCE, |seen| seen.begun > 0).await);
        gate.open();
    };
    let (answers, ()) = tokio::join!(waiting, opening);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!((cloud.questions().len(), cloud.calls().len()), (1, 20));
}

#[tokio::test]
async fn a_token_that_has_expired_is_not_sent() {
    let cloud = Cloud::giving(says, |number| granted(number, 0)).await;
    let proxy = with_login(&cloud.origin(), &account(&cloud.origin())).start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-2");
}

#[tokio::test]
async fn a_login_that_is_refused_is_the_calls_error_and_shows_no_secret() {
    let cloud = Cloud::giving(says, |_| {
        upstream::json(
            401,
            r#"{"error": "invalid_client", "error_description": "hush-refresh is unknown"}"#,
        )
    });
    let cloud = cloud.await;
    let proxy = with_login(&cloud.origin(), &person(&cloud.origin())).start().await;
    let refused = proxy.call(chat("gpt")).await.expect(401);
    let told = refused.error_message();
    assert!(told.contains("Google: the token endpoint answered 401"), "{told}");
    assert!(!told.contains("hush") && !proxy.output().contains("hush"), "{}", proxy.output());
    assert!(cloud.calls().is_empty());
}

#[tokio::test]
async fn a_token_server_that_is_throttled_or_down_is_left_alone() {
    let cloud = Cloud::giving(says, |number| match number {
        1 => upstream::answer(429, &[("retry-after", "30")], ""),
        _ => granted(number, 3600),
    });
    let cloud = cloud.await;
    let proxy = with_login(&cloud.origin(), &account(&cloud.origin())).start().await;
    for _ in 0..3 {
        let busy = proxy.call(chat("gpt")).await.expect(503);
        assert!(busy.error_message().contains("answered 429"), "{}", busy.text());
    }
    assert_eq!((cloud.questions().len(), cloud.calls().len()), (1, 0));
}

/// What `gcloud auth application-default login` leaves.
fn person(origin: &str) -> Value {
    json!({
        "type": "authorized_user", "client_id": "client", "client_secret": "hush-secret",
        "refresh_token": "hush-refresh", "quota_project_id": "p-of-person",
        "token_uri": format!("{origin}/token"),
    })
}

#[tokio::test]
async fn a_person_of_gcloud_is_found_where_gcloud_leaves_them() {
    let cloud = Cloud::start(says).await;
    let setup = house(&cloud.origin(), "");
    let folder = setup.home().join(".config/gcloud");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("application_default_credentials.json");
    std::fs::write(file, person(&cloud.origin()).to_string()).unwrap();
    let proxy = setup.start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    assert!(cloud.calls()[0].head.word().contains("/projects/p-of-person/"));
    let asked = form(&cloud.questions()[0]);
    assert_eq!(asked["grant_type"], "refresh_token");
    assert_eq!(
        (&*asked["client_secret"], &*asked["refresh_token"]),
        ("hush-secret", "hush-refresh")
    );
}

#[tokio::test]
async fn the_metadata_server_vouches_where_nothing_else_is_told() {
    let cloud = Cloud::start(says).await;
    let host = cloud.origin().replace("http://", "");
    let setup = house(&cloud.origin(), "").env("GCE_METADATA_HOST", &host);
    let proxy =
        setup.env("VERTEXAI_PROJECT", "p-2").env("VERTEXAI_LOCATION", "global").start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    assert!(cloud.calls()[0].head.word().starts_with("/v1/projects/p-2/locations/global/"));
    let [question] = &*cloud.questions() else { panic!("one question") };
    let path = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
    assert!(question.head.word().starts_with(path), "{}", question.head.word());
    assert_eq!(question.head.get("metadata-flavor"), Some("Google"));
}

#[tokio::test]
async fn a_workloads_token_is_exchanged_and_it_acts_as_an_account() {
    let cloud = Cloud::start(says).await;
    let origin = cloud.origin();
    let login = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/pool",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{origin}/sts"),
        "service_account_impersonation_url": format!("{origin}/accounts/b:generateAccessToken"),
        "credential_source": {
            "file": "subject.json",
            "format": {"type": "json", "subject_token_field_name": "jwt"},
        },
    });
    let setup = with_login(&origin, &login).file("subject.json", r#"{"jwt": "subject-of-k8s"}"#);
    let proxy = setup.start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-2");
    let [exchange, acting] = &*cloud.questions() else { panic!("two questions") };
    let asked = form(exchange);
    assert_eq!(exchange.head.word(), "/sts");
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:token-exchange");
    assert_eq!(
        (&*asked["audience"], &*asked["subject_token"]),
        ("//iam.googleapis.com/pool", "subject-of-k8s")
    );
    assert_eq!(acting.head.word(), "/accounts/b:generateAccessToken");
    assert_eq!(acting.head.get("authorization"), Some("Bearer token-1"));
    let wanted: Value = serde_json::from_slice(&acting.body).expect("JSON");
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    assert_eq!(wanted, json!({"delegates": [], "scope": [scope], "lifetime": "3600s"}));
}

#[tokio::test]
async fn an_issuer_may_be_asked_by_its_address() {
    let cloud = Upstream::start(|request| match request.head.word() {
        "/issuer" if request.head.get("x-issuer") == Some("me") => {
            upstream::json(200, "subject-of-url")
        }
        "/sts" if form(request)["subject_token"] == "subject-of-url" => granted(1, 3600),
        path if path.starts_with("/v1/projects/") => says(request),
        _ => vec![send("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n")],
    });
    let cloud = cloud.await;
    let origin = cloud.origin();
    let login = json!({
        "type": "external_account", "audience": "a", "subject_token_type": "t",
        "token_url": format!("{origin}/sts"),
        "credential_source": {"url": format!("{origin}/issuer"), "headers": {"x-issuer": "me"}},
    });
    let proxy = with_login(&origin, &login).start().await;
    proxy.call(chat("gpt")).await.expect(200);
}

#[tokio::test]
async fn a_key_of_an_api_needs_no_login_and_no_project() {
    let cloud = Upstream::playing(upstream::json(200, ANSWER)).await;
    let setup = house(&format!("{}/v1", cloud.origin()), ", api_key: hush-key");
    let proxy = setup.start().await;
    proxy.call(chat("gpt")).await.expect(200);
    let call = cloud.only_request();
    assert_eq!(call.head.word(), "/v1/publishers/google/models/gemini-2.5-pro:generateContent");
    assert_eq!(call.head.get("x-goog-api-key"), Some("hush-key"));
}

#[tokio::test]
async fn no_page_shows_a_login() {
    let cloud = Cloud::start(says).await;
    let text = account(&cloud.origin()).to_string();
    let setup =
        house(&cloud.origin(), ", vertex_project: p-1, vertex_credentials: os.environ/LOGIN");
    let proxy = setup.env("LOGIN", &text).start().await;
    assert_eq!(token(&cloud, &proxy).await, "Bearer token-1");
    for page in ["/model/info", "/v1/model/info", "/config/yaml"] {
        let shown = proxy.call(crate::client::get(page)).await.text().to_owned();
        assert!(!shown.contains("PRIVATE KEY") && !shown.contains("token-1"), "{page}: {shown}");
    }
    let said = proxy.output();
    assert!(!said.contains("PRIVATE KEY") && !said.contains("token-1"), "{said}");
}

#[test]
fn half_a_login_is_an_error_with_its_line() {
    for (more, file, wanted) in [
        (", vertex_credentials: none.json", "{}", "names a file that cannot be read"),
        (
            ", vertex_credentials: login.json",
            "{\"type\": \"hush\"}",
            "names a file that is of no type",
        ),
        (", vertex_credentials: login.json", "hush", "names a file that is no JSON object"),
        (", vertex_credentials: '{\"type\": \"authorized_user\"}'", "", "has no `client_id`"),
        (", vertex_location: Mars!", "", "is no location"),
        (", vertex_project: a/b", "", "is no project"),
        ("", "", "`vertex_project` is missing"),
    ] {
        let setup = bare().file("config.yaml", &config("https://h", more));
        let ended = setup.file("login.json", file).arg("check").arg("config.yaml").finish();
        assert!(
            !ended.status.success() && ended.output.contains(wanted),
            "{wanted}: {}",
            ended.output
        );
        assert!(ended.output.contains("config.yaml:"), "{}", ended.output);
        assert!(!ended.output.contains("hush"), "{}", ended.output);
    }
}
