//! What was wrong once, seen from outside.
use crate::client::{Call, connect, post, with_body};
use crate::proxy::{self, KEY};
use crate::upstream::Upstream;
use crate::wire::PATIENCE;

/// The line that tells of a call whose client left before the last bytes of its body.
async fn left(call: Call, route: &str) -> String {
    let upstream = Upstream::playing(Vec::new()).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let bytes = call.key(KEY).bytes(proxy.addr());
    let mut wire = connect(proxy.addr()).await;
    wire.send(bytes.get(..bytes.len() - 7).unwrap()).await.unwrap();
    drop(wire);
    proxy.line(|line| line.contains(route)).await
}

#[tokio::test]
async fn a_client_that_leaves_before_the_end_of_its_body_made_no_mistake() {
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF\r\n--x--\r\n";
    let form = |path| with_body("POST", path, "multipart/form-data; boundary=x", file);
    for (call, route) in [
        (post("/v1/chat/completions", body), "/chat/completions"),
        (
            post("/v1/chat/completions", chunked).header("transfer-encoding", "chunked"),
            "/chat/completions",
        ),
        (form("/v1/audio/transcriptions"), "/audio/transcriptions"),
        (form("/v1/files?model=gpt"), "/files"),
    ] {
        let line = left(call, route).await;
        assert!(line.contains("499") && line.contains("Cancelled"), "{line}");
    }
}

#[tokio::test]
async fn a_body_that_is_framed_wrongly_is_a_mistake() {
    let upstream = Upstream::playing(Vec::new()).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let call = post("/v1/chat/completions", "zz\r\n{}\r\n").header("transfer-encoding", "chunked");
    let answer = tokio::time::timeout(PATIENCE, proxy.call(call)).await.expect("an answer");
    answer.expect(400);
}
