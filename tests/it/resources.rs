//! Objects that live in an account: files, batches, fine-tuning, vector stores.
use crate::client::{get, post, with_body};
use crate::proxy::{self, CREDENTIAL, KEY};
use crate::upstream::{Upstream, answer, json};
use crate::wire::Ended;

const FILE: &str = r#"{"id":"file-1","object":"file","purpose":"batch"}"#;

async fn upstream() -> Upstream {
    Upstream::start(|request| match request.head.word() {
        "/v1/files/file-1/content" => {
            answer(200, &[("content-type", "application/octet-stream")], b"\x00\xff{}\n")
        }
        _ => json(200, FILE),
    })
    .await
}

fn two(first: &Upstream, second: &Upstream) -> String {
    format!(
        "{}files_settings:
  - custom_llm_provider: groq
    api_base: {}
    api_key: os.environ/GROQ_FILES_KEY
",
        proxy::config(&first.base()).replace(
            "general_settings",
            &format!(
                "  - model_name: other
    litellm_params:
      model: openai/other
      api_base: {}
      api_key: sk-other
general_settings",
                second.base()
            )
        ),
        second.base()
    )
}

#[tokio::test]
async fn objects_go_to_the_first_account_of_openai() {
    let (first, second) = (upstream().await, upstream().await);
    let proxy = proxy::with(&two(&first, &second)).env("GROQ_FILES_KEY", "gsk").start().await;
    let answer = proxy.call(get("/v1/files?limit=2&after=x%20y")).await.expect(200);
    assert_eq!(answer.text(), FILE);
    assert!(answer.header("x-litellm-call-id").is_some());
    proxy.call(get("/files/file-1")).await.expect(200);
    let content = proxy.call(get("/v1/files/file-1/content")).await.expect(200);
    assert_eq!(content.message.body, &b"\x00\xff{}\n"[..]);
    proxy.call(with_body("DELETE", "/v1/files/file-1", "text/plain", "")).await.expect(200);
    let batch = r#"{"input_file_id":"file-1", "endpoint":"/v1/chat/completions"}"#;
    proxy.call(post("/v1/batches", batch)).await.expect(200);
    proxy.call(post("/v1/batches/b1/cancel", "")).await.expect(200);
    proxy.call(post("/v1/fine_tuning/jobs", r#"{"model": "gpt-4o"}"#)).await.expect(200);
    proxy.call(get("/v1/vector_stores/vs_1/files")).await.expect(200);
    let requests = first.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.head.first.as_str()).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/files?limit=2&after=x%20y HTTP/1.1",
            "GET /v1/files/file-1 HTTP/1.1",
            "GET /v1/files/file-1/content HTTP/1.1",
            "DELETE /v1/files/file-1 HTTP/1.1",
            "POST /v1/batches HTTP/1.1",
            "POST /v1/batches/b1/cancel HTTP/1.1",
            "POST /v1/fine_tuning/jobs HTTP/1.1",
            "GET /v1/vector_stores/vs_1/files HTTP/1.1",
        ]
    );
    assert_eq!(requests[4].body, batch);
    assert_eq!(requests[0].head.get("transfer-encoding"), None);
    let key = format!("Bearer {CREDENTIAL}");
    assert!(requests.iter().all(|one| one.head.get("authorization") == Some(&*key)));
    assert!(second.requests().is_empty());
    let line = proxy.line(|line| line.contains("/vector_stores")).await;
    assert!(!line.contains("vs_1"), "{line}");
}

#[tokio::test]
async fn an_account_can_be_selected() {
    let (first, second) = (upstream().await, upstream().await);
    let proxy = proxy::with(&two(&first, &second)).env("GROQ_FILES_KEY", "gsk").start().await;
    proxy.call(get("/v1/files?model=other&limit=1")).await.expect(200);
    proxy.call(get("/v1/files").header("x-litellm-model", "other")).await.expect(200);
    proxy.call(get("/v1/files?target_model_names=other%2Cgpt")).await.expect(200);
    proxy.call(get("/v1/files?custom_llm_provider=groq")).await.expect(200);
    proxy.call(get("/v1/files").header("custom-llm-provider", "groq")).await.expect(200);
    assert!(first.requests().is_empty());
    let requests = second.requests();
    let targets: Vec<_> = requests.iter().map(|one| one.head.word()).collect();
    assert_eq!(targets, ["/v1/files?limit=1", "/v1/files", "/v1/files", "/v1/files", "/v1/files"]);
    let keys: Vec<_> = requests.iter().map(|one| one.head.get("authorization").unwrap()).collect();
    let (other, groq) = ("Bearer sk-other", "Bearer gsk");
    assert_eq!(keys, [other, other, other, groq, groq]);
    let own = ["custom-llm-provider", "x-litellm-model"];
    assert!(requests.iter().all(|one| own.iter().all(|name| one.head.get(name).is_none())));
}

#[tokio::test]
async fn an_account_can_be_selected_in_the_body() {
    let (first, second) = (upstream().await, upstream().await);
    let proxy = proxy::with(&two(&first, &second)).env("GROQ_FILES_KEY", "gsk").start().await;
    let batch = r#"{"input_file_id": "file-1","custom_llm_provider":"groq"}"#;
    proxy.call(post("/v1/batches", batch)).await.expect(200);
    let kind = "multipart/form-data; boundary=x";
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n")
    };
    let purpose = part("purpose", "batch");
    let file = |len| part("file; filename=a.jsonl", &"{}\n".repeat(len)) + "--x--\r\n";
    let models = part("target_model_names", "other,gpt");
    // Held as a whole, and streamed on after its beginning.
    for len in [3, 900_000] {
        let body = [&*purpose, &models, &file(len)].concat();
        proxy.call(with_body("POST", "/v1/files", kind, body)).await.expect(200);
    }
    let late = [&*purpose, &file(900_000).replace("--x--\r\n", &models), "--x--\r\n"].concat();
    let refused = proxy.call(with_body("POST", "/v1/files", kind, late)).await.expect(400);
    assert!(refused.error_message().contains("before the file"), "{}", refused.error_message());
    assert!(first.requests().is_empty() || first.requests()[0].ended == Ended::Cut);
    let requests = second.requests();
    assert_eq!(requests[0].body, r#"{"input_file_id": "file-1"}"#);
    assert_eq!(requests[0].head.get("authorization"), Some("Bearer gsk"));
    for (request, len) in requests[1..].iter().zip([3, 900_000]) {
        assert!(request.body == purpose.clone() + &file(len), "{len}");
        assert_eq!(request.head.get("authorization"), Some("Bearer sk-other"));
    }
}

#[tokio::test]
async fn without_an_account_the_answer_names_the_variable() {
    let first = upstream().await;
    let proxy = proxy::in_front_of(&first.base()).start().await;
    let answer = proxy.call(get("/v1/files?custom_llm_provider=mistral")).await.expect(400);
    assert!(answer.error_message().contains("MISTRAL_API_KEY"), "{}", answer.error_message());
    let answer = proxy.call(get("/v1/files?custom_llm_provider=nobody")).await.expect(400);
    assert!(answer.error_message().contains("nobody"));
    get("/v1/files").send(proxy.addr()).await.expect(401);
    assert!(first.requests().is_empty());
}

#[tokio::test]
async fn a_key_in_the_environment_is_an_account() {
    let first = upstream().await;
    let proxy = proxy::with(&format!("general_settings:\n  master_key: {KEY}\n"))
        .env("OPENAI_API_KEY", "sk-env")
        .env("OPENAI_BASE_URL", &first.base())
        .start()
        .await;
    proxy.call(get("/v1/files")).await.expect(200);
    assert_eq!(first.only_request().head.get("authorization"), Some("Bearer sk-env"));
}

#[tokio::test]
async fn a_file_may_be_larger_than_a_body_unless_a_setting_says_no() {
    let first = upstream().await;
    let limits = "  max_request_size_mb: 0.1\n  max_file_size_mb: 2\n";
    let proxy = proxy::with(&(proxy::config(&first.base()) + limits)).start().await;
    let file = |len| {
        let body = vec![b'x'; len];
        with_body("POST", "/v1/files", "multipart/form-data; boundary=b", body)
    };
    proxy.call(file(1 << 20)).await.expect(200);
    let request = first.only_request();
    assert_eq!(request.body.len(), 1 << 20);
    assert_eq!(request.head.get("content-type"), Some("multipart/form-data; boundary=b"));
    let answer = proxy.call(file(3 << 20)).await.expect(413);
    assert!(answer.error_message().contains("max_file_size_mb"));
}
