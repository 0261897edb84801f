//! Forms with files: one field is edited, all else streams through as it is.
use crate::client::{self, Answer, Call, connect, with_body};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, Gate, Step, Upstream, answer, json, piece, send};
use crate::wire::{Ended, PATIENCE};
use bytes::Bytes;
use tokio::task::JoinSet;

const PATH: &str = "/v1/audio/transcriptions";
const KIND: &str = "multipart/form-data; boundary=frontier";
const TEXT: &str = r#"{"text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":5,"total_tokens":19}}"#;

fn part(head: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("--frontier\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    [head.as_bytes(), value, b"\r\n"].concat()
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut all: Vec<u8> = parts.iter().flat_map(|(head, value)| part(head, value)).collect();
    all.extend_from_slice(b"--frontier--\r\n");
    all
}

const FILE: &str = "name=\"file\"; filename=\"a \\\"b\\\".wav\"\r\nContent-Type: audio/wav";
const MODEL: &str = "name=\"model\"";

fn upload(body: impl AsRef<[u8]>) -> Call {
    with_body("POST", PATH, KIND, body)
}

async fn before(upstream: &Upstream, more: &str) -> Proxy {
    let config = proxy::config(&upstream.base()) + more;
    proxy::with(&config).start().await
}

async fn refused(body: &[u8], status: u16) -> String {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let answer = proxy.call(upload(body)).await.expect(status);
    // One that was found out late was cut off, so nobody takes it for a whole one.
    assert!(upstream.requests().iter().all(|request| request.ended == Ended::Cut));
    answer.error_message()
}

#[tokio::test]
async fn only_the_model_of_a_form_is_changed() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let sound: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let with = |model: &[u8]| {
        form(&[(FILE, &sound), (MODEL, model), ("name=\"language\"", b"en"), ("name=prompt", b"")])
    };
    let answer = proxy.call(upload(with(b"gpt"))).await.expect(200);
    assert_eq!(answer.text(), TEXT);
    assert!(answer.header("x-litellm-call-id").is_some());
    let request = upstream.only_request();
    assert_eq!(request.head.word(), PATH);
    assert_eq!(request.head.get("content-type"), Some(KIND));
    assert_eq!(request.head.get("authorization"), Some(&*format!("Bearer {CREDENTIAL}")));
    let expected = with(b"gpt-4o-mini");
    assert_eq!(request.head.get("content-length"), Some(&*expected.len().to_string()));
    assert!(request.body == expected, "the bytes differ");
    let line = proxy.line(|line| line.contains("/audio/transcriptions")).await;
    assert!(line.contains("14") && line.contains('5'), "{line}");
}

#[tokio::test]
async fn a_form_without_a_length_stays_one() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let body = form(&[(MODEL, b"gpt"), (FILE, b"RIFF")]);
    let mut chunked = Vec::new();
    for chunk in body.chunks(13) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let call = upload(chunked).header("transfer-encoding", "chunked");
    proxy.call(call).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.get("transfer-encoding"), Some("chunked"));
    assert_eq!(request.body, form(&[(MODEL, b"gpt-4o-mini"), (FILE, b"RIFF")]));
}

#[tokio::test]
async fn what_follows_the_model_is_on_its_way_before_it_is_all_there() {
    // It answers when it has the model and a piece of the file, long before the end.
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let body = form(&[(MODEL, b"gpt"), (FILE, &vec![b'x'; 4 << 20])]);
    let (start, rest) = body.split_at(body.len() - 10);
    let head = upload(&body).key(KEY).bytes(proxy.addr());
    let head = head.get(..head.len() - body.len()).unwrap();
    let mut wire = connect(proxy.addr()).await;
    wire.send([head, start].concat()).await.unwrap();
    assert!(upstream.saw(PATIENCE, |seen| seen.connections == 1).await);
    assert_eq!(upstream.seen().begun, 0);
    wire.send(rest).await.unwrap();
    wire.answer().await.expect(200);
}

#[tokio::test]
async fn an_upstream_that_answers_early_is_heard() {
    // It never reads the file.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let error = r#"{"error":{"message":"no"}}"#;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (io, _) = listener.accept().await.unwrap();
        let mut wire = crate::wire::Wire::new(io);
        wire.head().await.unwrap();
        let head =
            "HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n";
        wire.send(format!("{head}{error}")).await.unwrap();
        wire.gone().await;
    });
    let proxy = proxy::in_front_of(&format!("http://{addr}/v1")).start().await;
    let body = form(&[(MODEL, b"gpt"), (FILE, &vec![b'x'; 24 << 20])]);
    let bytes = upload(&body).key(KEY).bytes(proxy.addr());
    let io = tokio::net::TcpStream::connect(proxy.addr()).await.unwrap();
    let (reading, mut writing) = io.into_split();
    tasks.spawn(async move {
        // It may be cut off once the answer is there.
        tokio::io::AsyncWriteExt::write_all(&mut writing, &bytes).await.ok();
        std::future::pending::<()>().await;
    });
    let mut reading = tokio::io::BufReader::new(reading);
    let mut status = String::new();
    let read = tokio::io::AsyncBufReadExt::read_line(&mut reading, &mut status);
    tokio::time::timeout(PATIENCE, read).await.expect("an answer in time").unwrap();
    assert!(status.starts_with("HTTP/1.1 401"), "{status}");
}

#[tokio::test]
async fn a_client_that_leaves_while_it_uploads_cancels_its_upstream() {
    let upstream = Upstream::playing(vec![Step::Hang]).await;
    let proxy = before(&upstream, "").await;
    let body = form(&[(MODEL, b"gpt"), (FILE, &[b'x'; 100_000])]);
    let bytes = upload(&body).key(KEY).bytes(proxy.addr());
    let mut wire = connect(proxy.addr()).await;
    wire.send(bytes.get(..bytes.len() - 20).unwrap()).await.unwrap();
    assert!(upstream.saw(PATIENCE, |seen| seen.connections == 1).await);
    drop(wire);
    let line = proxy.line(|line| line.contains("/audio/transcriptions")).await;
    assert!(line.contains("499") && line.contains("Cancelled"), "{line}");
    assert!(upstream.saw(PATIENCE, |seen| seen.begun == 1).await);
    // The request never became whole, so nobody takes it for one.
    let cut = |message: &crate::wire::Message| message.ended == Ended::Cut;
    assert!(upstream.requests().iter().all(cut));
}

#[tokio::test]
async fn an_upload_may_wait_for_the_word_to_continue() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let body = form(&[(MODEL, b"gpt"), (FILE, b"RIFF")]);
    let call = upload(&body).key(KEY).header("expect", "100-continue");
    let bytes = call.bytes(proxy.addr());
    let head = bytes.get(..bytes.len() - body.len()).unwrap();
    let mut wire = connect(proxy.addr()).await;
    wire.send(head).await.unwrap();
    let interim = wire.head().await.unwrap().unwrap();
    assert_eq!(interim.word(), "100");
    wire.send(&body).await.unwrap();
    wire.answer().await.expect(200);
}

#[tokio::test]
async fn a_missing_model_is_the_paths_or_the_default_or_an_error() {
    let message = refused(&form(&[(FILE, b"RIFF")]), 400).await;
    assert!(
        message.contains("/audio/transcriptions") && message.contains("model=None"),
        "{message}"
    );
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "  completion_model: gpt\n").await;
    proxy.call(upload(form(&[(FILE, b"RIFF")]))).await.expect(200);
    let path = "/openai/deployments/gpt/audio/transcriptions";
    proxy.call(with_body("POST", path, KIND, form(&[(FILE, b"RIFF")]))).await.expect(200);
    let other = form(&[(MODEL, b"other"), (FILE, b"RIFF")]);
    proxy.call(with_body("POST", path, KIND, other)).await.expect(200);
    let [added, added_too, replaced] = &*upstream.requests() else { panic!("three calls") };
    let model: (&str, &[u8]) = (MODEL, b"gpt-4o-mini");
    assert_eq!(added.body, form(&[model, (FILE, b"RIFF")]));
    assert_eq!(added_too.body, added.body);
    assert_eq!(replaced.body, added.body);
}

#[tokio::test]
async fn what_cannot_be_read_in_one_way_is_refused() {
    let twice = form(&[(MODEL, b"gpt"), (MODEL, b"gpt"), (FILE, b"RIFF")]);
    assert!(refused(&twice, 400).await.contains("`model` stands more than once"));
    let late = form(&[(MODEL, b"gpt"), (FILE, &[b'x'; 300_000]), (MODEL, b"dear")]);
    assert!(refused(&late, 400).await.contains("`model` stands more than once"));
    for field in ["api_base", "api_key", "base_url"] {
        let head = format!("name=\"{field}\"");
        let body = form(&[(&head, b"http://127.0.0.1:9"), (MODEL, b"gpt"), (FILE, b"RIFF")]);
        assert!(refused(&body, 400).await.contains(field));
    }
    let cut = form(&[(MODEL, b"gpt"), (FILE, b"RIFF")]);
    let cut = cut.get(..cut.len() - 6).unwrap();
    assert!(refused(cut, 400).await.contains("before its last boundary"));
    assert!(refused(b"hello", 400).await.contains("does not begin with its boundary"));
    let flood = b"--frontier\r\n".repeat(3000);
    assert!(refused(&flood, 400).await.contains("headers of a part"));
    let many: Vec<u8> = (0..1100).flat_map(|_| part("name=a", b"")).collect();
    assert!(refused(&many, 400).await.contains("more than 1000 parts"));
    let unknown = form(&[(MODEL, b"nobody"), (FILE, b"RIFF")]);
    assert!(refused(&unknown, 400).await.contains("model=nobody"));
}

#[tokio::test]
async fn only_a_form_is_an_upload() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "").await;
    let call = |kind| with_body("POST", PATH, kind, form(&[(MODEL, b"gpt"), (FILE, b"RIFF")]));
    for kind in ["application/json", "multipart/form-data", "multipart/mixed; boundary=frontier"] {
        proxy.call(call(kind)).await.expect(415);
    }
    proxy.call(call(KIND).header("content-encoding", "gzip")).await.expect(415);
    call(KIND).send(proxy.addr()).await.expect(401);
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn images_that_json_names_are_edited_without_a_form() {
    let upstream = Upstream::playing(json(200, r#"{"data":[]}"#)).await;
    let proxy = before(&upstream, "").await;
    let images = r#""prompt": "greener","images":[{"file_id":"file-1"}]}"#;
    let edit = client::post("/v1/images/edits", format!(r#"{{"model":"gpt",{images}"#));
    proxy.call(edit).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/v1/images/edits");
    assert_eq!(request.body, format!(r#"{{"model":"gpt-4o-mini",{images}"#));
    let silent = client::post("/images/edits", r#"{"model":"gpt"}"#);
    let refusal = proxy.call(silent).await.expect(400).error_message();
    assert!(refusal.contains("/images/edits") && refusal.contains("prompt"), "{refusal}");
}

#[tokio::test]
async fn an_upload_has_the_cap_of_all_bodies() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "  max_request_size_mb: 0.1\n").await;
    let body = form(&[(MODEL, b"gpt"), (FILE, &[b'x'; 200_000])]);
    proxy.call(upload(&body)).await.expect(413);
    let chunked = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    let call = upload(chunked).header("transfer-encoding", "chunked");
    proxy.call(call).await.expect(413);
    assert!(upstream.requests().iter().all(|request| request.ended == Ended::Cut));
}

#[tokio::test]
async fn a_large_upload_is_not_held() {
    let upstream = Upstream::playing(json(200, TEXT)).await;
    let proxy = before(&upstream, "  max_request_size_mb: 200\n").await;
    let before = proxy.memory();
    let body = form(&[(MODEL, b"gpt"), (FILE, &vec![b'x'; 100 << 20])]);
    proxy.call(upload(&body)).await.expect(200);
    let grown = proxy.memory().saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes");
    assert_eq!(upstream.only_request().body.len(), body.len() + "gpt-4o-mini".len() - 3);
}

#[tokio::test]
async fn answers_pass_as_they_are() {
    let gate = Gate::new();
    let held = gate.clone();
    let upstream = Upstream::start(move |request| {
        let body: &Bytes = &request.body;
        if memchr::memmem::find(body, b"\r\n\r\ntext\r\n").is_some() {
            return answer(200, &[("content-type", "text/plain")], "hello\n");
        }
        if memchr::memmem::find(body, b"\r\n\r\ntrue\r\n").is_some() {
            let delta = piece("data: {\"type\":\"transcript.text.delta\",\"delta\":\"h\"}\n\n");
            let done = "data: {\"type\":\"transcript.text.done\",\"text\":\"h\"}\n\ndata: [DONE]\n\n";
            let wait = Step::Wait(held.clone());
            return vec![upstream::stream_head(), delta, wait, piece(done), Step::End];
        }
        vec![send("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")]
    })
    .await;
    let proxy = before(&upstream, "").await;
    let ask = |head: &'static str, value: &'static [u8]| {
        upload(form(&[(MODEL, b"gpt"), (head, value), (FILE, b"RIFF")]))
    };
    let text = proxy.call(ask("name=response_format", b"text")).await.expect(200);
    assert_eq!((text.text(), text.header("content-type")), ("hello\n", Some("text/plain")));
    let mut wire = ask("name=stream", b"true").key(KEY).open(proxy.addr()).await;
    let head = wire.head().await.unwrap().unwrap();
    assert_eq!(head.get("content-type"), Some("text/event-stream"));
    let first = wire.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"data: {\"type\":\"transcript.text.delta\""));
    gate.open();
    let (rest, ended) = wire.body(&head, true).await;
    assert!(rest.ends_with(b"data: [DONE]\n\n") && ended == Ended::Complete);
    let slow: Answer = proxy.call(upload(form(&[(MODEL, b"gpt")]))).await.expect(429);
    assert_eq!(slow.header("retry-after"), Some("7"));
    let metrics = proxy.call(client::get("/metrics")).await.expect(200);
    assert!(metrics.text().contains("/audio/transcriptions"));
}

#[tokio::test]
async fn images_and_translations_are_uploads_too() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = before(&upstream, "").await;
    for path in ["/v1/images/edits", "/images/variations", "/v1/audio/translations"] {
        let body = form(&[(MODEL, b"gpt"), ("name=\"image[]\"; filename=a.png", b"PNG")]);
        proxy.call(with_body("POST", path, KIND, body)).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.head.word().trim_start_matches("/v1"), path.trim_start_matches("/v1"));
    }
}
