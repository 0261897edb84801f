//! Logins of Entra ID, with servers whose every answer a test decides.
use crate::client::{chat, get};
use crate::proxy::{self, KEY, Proxy, Setup};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream};
use crate::wire::Message;
use bartizan_layers::query::{decoded, parameters};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

const SECRET: &str = "very-hush-hush-secret";

/// A server that gives a token like this.
fn token(name: &str, expires_in: &str) -> Vec<Step> {
    let body = format!(
        r#"{{"token_type":"Bearer","expires_in":{expires_in},"access_token":"token-{name}"}}"#
    );
    upstream::json(200, body)
}

/// Tokens `token-1`, `token-2`, ….
async fn tokens(expires_in: &'static str) -> Upstream {
    let given = AtomicUsize::new(0);
    Upstream::start(move |_| {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        token(&number.to_string(), expires_in)
    })
    .await
}

async fn azure() -> Upstream {
    Upstream::playing(upstream::json(200, COMPLETION)).await
}

/// A deployment that logs in like this, and another one that has a key.
fn config(azure: &Upstream, login: &str) -> String {
    let origin = azure.origin();
    format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: azure/dep, api_base: {origin}, num_retries: 0{login}}}
  - model_name: same
    litellm_params: {{model: azure/other, api_base: {origin}, num_retries: 0{login}}}
  - model_name: keyed
    litellm_params: {{model: azure/keyed, api_base: {origin}, api_key: k}}
router_settings: {{disable_cooldowns: true}}
general_settings: {{master_key: {KEY}}}\n"
    )
}

fn with_secret(azure: &Upstream, authority: &Upstream) -> Setup {
    let login = format!(", tenant_id: contoso, client_id: app, client_secret: {SECRET}");
    proxy::with(&config(azure, &login)).env("AZURE_AUTHORITY_HOST", &authority.origin())
}

fn form(message: &Message) -> BTreeMap<String, String> {
    let body = std::str::from_utf8(&message.body).unwrap();
    let pairs = parameters(body).map(|it| (it.name.to_owned(), decoded(it.value).unwrap()));
    pairs.collect()
}

fn bearer(request: &Message) -> String {
    assert_eq!(request.head.get("api-key"), None);
    request.head.get("authorization").unwrap_or_default().to_owned()
}

/// Nothing that was printed holds a secret or a token.
fn nothing_is_told(proxy: &Proxy) {
    let output = proxy.output();
    for secret in [SECRET, "token-1", "token-2"] {
        assert!(!output.contains(secret), "{output}");
    }
}

#[tokio::test]
async fn a_secret_is_turned_into_a_token_for_all_deployments() {
    let (azure, authority) = (azure().await, tokens("3600").await);
    let proxy = with_secret(&azure, &authority).start().await;
    for model in ["gpt", "same", "gpt"] {
        proxy.call(chat(model)).await.expect(200);
    }
    let asked = authority.only_request();
    assert_eq!(asked.head.word(), "/contoso/oauth2/v2.0/token");
    let form = form(&asked);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(form["client_id"], "app");
    assert_eq!(form["client_secret"], SECRET);
    assert_eq!(form["scope"], "https://cognitiveservices.azure.com/.default");
    assert!(azure.requests().iter().all(|request| bearer(request) == "Bearer token-1"));
    nothing_is_told(&proxy);
    let info = get("/model/info").key(KEY).send(proxy.addr()).await.expect(200);
    assert!(!info.text().contains(SECRET), "{}", info.text());
}

#[tokio::test]
async fn a_token_that_is_over_is_replaced() {
    let (azure, authority) = (azure().await, tokens("0").await);
    let proxy = with_secret(&azure, &authority).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.call(chat("gpt")).await.expect(200);
    let sent: Vec<_> = azure.requests().iter().map(bearer).collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-2"]);
    nothing_is_told(&proxy);
}

#[tokio::test]
async fn callers_at_once_wait_for_one_token_and_one_that_leaves_stops_nothing() {
    let gate = Gate::new();
    let script = [vec![Step::Wait(gate.clone())], token("1", "3600")].concat();
    let (azure, authority) = (azure().await, Upstream::playing(script).await);
    let proxy = with_secret(&azure, &authority).start().await;
    let first = chat("gpt").key(KEY).open(proxy.addr()).await;
    assert!(authority.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
    drop(first);
    let calls = (0..20).map(|_| proxy.call(chat("gpt")));
    let opened = async { gate.open() };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(calls), opened);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(authority.seen().begun, 1);
}

#[tokio::test]
async fn a_refused_login_is_told_without_its_secret() {
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: {SECRET}"}}"#
    );
    let (azure, authority) = (azure().await, Upstream::playing(upstream::json(401, body)).await);
    let proxy = with_secret(&azure, &authority).start().await;
    let answer = proxy.call(chat("gpt")).await.expect(401);
    let wanted = "Azure: the token endpoint answered 401: invalid_client: AADSTS7000215: Invalid \
                  client secret provided.";
    assert!(answer.error_message().contains(wanted), "{}", answer.text());
    proxy.line(|line| line.contains("AADSTS7000215")).await;
    assert!(azure.requests().is_empty());
    nothing_is_told(&proxy);
}

#[tokio::test]
async fn while_nobody_gives_tokens_a_fallback_answers_and_nobody_is_asked_again_too_soon() {
    let busy = upstream::answer(429, &[("retry-after", "60")], "{}");
    let (azure, authority) = (azure().await, Upstream::playing(busy).await);
    let login = format!(", tenant_id: contoso, client_id: app, client_secret: {SECRET}");
    let config = config(&azure, &login).replace(
        "{disable_cooldowns: true}",
        "{disable_cooldowns: true, fallbacks: [{gpt: [keyed]}]}",
    );
    let setup = proxy::with(&config).env("AZURE_AUTHORITY_HOST", &authority.origin());
    let proxy = setup.start().await;
    for _ in 0..3 {
        proxy.call(chat("gpt")).await.expect(200);
        let answer = proxy.call(chat("same")).await.expect(503);
        assert!(answer.error_message().contains("the token endpoint answered 429"));
    }
    assert_eq!(authority.requests().len(), 1);
    assert!(azure.requests().iter().all(|request| request.head.get("api-key") == Some("k")));
}

#[tokio::test]
async fn a_token_server_that_is_away_is_an_outage() {
    let (azure, authority) = (azure().await, Upstream::playing(vec![Step::Reset]).await);
    let proxy = with_secret(&azure, &authority).start().await;
    let answer = proxy.call(chat("gpt")).await.expect(503);
    let told = answer.error_message();
    assert!(told.contains("Azure: the token endpoint is out of reach"), "{told}");
}

#[tokio::test]
async fn a_token_outlives_a_change_of_the_config() {
    let (azure, authority) = (azure().await, tokens("3600").await);
    let proxy = with_secret(&azure, &authority).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    let before = std::fs::read_to_string(proxy.home().join("config.yaml")).unwrap();
    proxy.replace_file("config.yaml", &before.replace("model_name: keyed", "model_name: newer"));
    proxy.hang_up();
    let mut ticks = proxy::ticks();
    while get("/v1/models/newer").key(KEY).send(proxy.addr()).await.status != 200 {
        ticks.tick().await;
    }
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn a_workloads_token_is_read_whenever_it_is_needed() {
    let (azure, authority) = (azure().await, tokens("0").await);
    let setup = proxy::with(&config(&azure, "")).file("token", "vouched-1\n");
    let file = setup.home().join("token").display().to_string();
    let proxy = setup
        .env("AZURE_AUTHORITY_HOST", &authority.origin())
        .env("AZURE_TENANT_ID", "contoso")
        .env("AZURE_CLIENT_ID", "app")
        .env("AZURE_FEDERATED_TOKEN_FILE", &file)
        .start()
        .await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.replace_file("token", "vouched-2");
    proxy.call(chat("gpt")).await.expect(200);
    let forms: Vec<_> = authority.requests().iter().map(form).collect();
    let proofs: Vec<_> = forms.iter().map(|form| &*form["client_assertion"]).collect();
    assert_eq!(proofs, ["vouched-1", "vouched-2"]);
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assert_eq!(forms[0]["client_assertion_type"], kind);
    std::fs::remove_file(&file).unwrap();
    let answer = proxy.call(chat("gpt")).await.expect(401);
    assert!(answer.error_message().contains("the federated token file"), "{}", answer.text());
}

#[tokio::test]
async fn an_apps_identity_is_asked_of_its_own_server() {
    let azure = azure().await;
    // The end alone, by a clock; the server's own date is a day off.
    let soon = bartizan::clock::now() / 1000 + 3600;
    let body = format!(r#"{{"access_token":"token-1","expires_on":"{soon}"}}"#);
    let headers = [("date", "Mon, 01 Jan 2001 00:00:00 GMT"), ("content-type", "application/json")];
    let identity = Upstream::playing(upstream::answer(200, &headers, body)).await;
    let proxy = proxy::with(&config(&azure, ", client_id: mine"))
        .env("IDENTITY_ENDPOINT", &format!("{}/msi/token", identity.origin()))
        .env("IDENTITY_HEADER", SECRET)
        .env("AZURE_CREDENTIAL", "ManagedIdentityCredential")
        .start()
        .await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.call(chat("gpt")).await.expect(200);
    let asked = identity.only_request();
    let wanted = "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=mine";
    assert_eq!(asked.head.word(), wanted);
    assert_eq!(asked.head.get("x-identity-header"), Some(SECRET));
    assert!(azure.requests().iter().all(|request| bearer(request) == "Bearer token-1"));
    nothing_is_told(&proxy);
}

#[tokio::test]
async fn a_machines_identity_is_asked_of_its_metadata() {
    let (azure, metadata) = (azure().await, tokens("\"86399\"").await);
    let proxy = proxy::with(&config(&azure, ", azure_scope: \"https://ai.azure.com/.default\""))
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", &metadata.origin())
        .env("AZURE_CREDENTIAL", "ManagedIdentityCredential")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .start()
        .await;
    proxy.call(chat("gpt")).await.expect(200);
    let asked = metadata.only_request();
    let wanted = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fai.azure.com";
    assert_eq!(asked.head.word(), wanted);
    assert_eq!(asked.head.get("metadata"), Some("true"));
}

#[tokio::test]
async fn a_token_of_somebody_else_is_sent_as_it_is() {
    let azure = azure().await;
    let proxy = proxy::with(&config(&azure, ", azure_ad_token: token-1")).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(bearer(&azure.only_request()), "Bearer token-1");
    nothing_is_told(&proxy);
}

#[tokio::test]
async fn a_login_that_lacks_something_is_an_error_of_the_config() {
    let azure = azure().await;
    for (login, wanted) in [
        (", tenant_id: contoso, client_id: app", "the login to Azure lacks `client_secret`"),
        (", client_secret: s", "the login to Azure lacks `tenant_id` and `client_id`"),
        (", tenant_id: a/b, client_id: app, client_secret: s", "`tenant_id` is not a tenant"),
        (", azure_ad_token: oidc/x", "names a provider of tokens"),
    ] {
        let finished = proxy::with(&config(&azure, login)).arg("--validate_config").finish();
        assert!(!finished.status.success());
        assert!(finished.output.contains(wanted), "{}", finished.output);
        assert!(finished.output.contains("config.yaml:3:"), "{}", finished.output);
    }
}
