//! Claims about connections that are asked for another protocol.
use super::{Peer, is_closed, serve};
use crate::forward::{ForwardError, Forwarder, Upgrade};
use http::Request;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;

/// Longer than any of these tests takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly";

pub(super) fn ask() -> Request<()> {
    let request = Request::get("/realtime").header("connection", "upgrade");
    request.header("upgrade", "websocket").body(()).unwrap()
}

async fn ask_and_serve(peer: &Peer, answer: &str) -> (Result<Upgrade, ForwardError>, String) {
    let upstream = peer.upstream();
    let serving = async { serve(&mut peer.accept().await, answer).await };
    join!(upstream.upgrade(ask(), PATIENCE), serving)
}

#[tokio::test]
async fn a_switched_line_begins_with_what_came_behind_the_101() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let serving = async {
        let mut stream = peer.accept().await;
        let seen = serve(&mut stream, SWITCHED).await;
        (seen, stream)
    };
    let (answer, (seen, mut stream)) = join!(upstream.upgrade(ask(), PATIENCE), serving);
    assert!(seen.starts_with("GET /v1/realtime HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {}\r\n", peer.address)), "{seen}");
    let Upgrade::Switched(parts, mut line) = answer.unwrap() else { panic!("it switched") };
    assert_eq!(parts.headers["upgrade"], "websocket");
    // It came with the head or behind it, as the network has it.
    let mut early = line.take_early().to_vec();
    let mut rest = vec![0; "early".len() - early.len()];
    line.read_exact(&mut rest).await.unwrap();
    early.append(&mut rest);
    assert_eq!(early, b"early");
    line.write_all(b"hello").await.unwrap();
    let mut said = [0; 5];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"hello");
    drop(line);
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn a_refusal_is_read_whole() {
    let peer = Peer::new().await;
    let refusal = "HTTP/1.1 403 No\r\ncontent-length: 3\r\n\r\nno!";
    let (answer, _) = ask_and_serve(&peer, refusal).await;
    let Upgrade::Refused(rsp) = answer.unwrap() else { panic!("it refused") };
    assert_eq!((rsp.status().as_u16(), &rsp.body()[..]), (403, &b"no!"[..]));
}

#[tokio::test]
async fn a_refusal_that_never_ends_is_cut() {
    let peer = Peer::new().await;
    let refusal = format!("HTTP/1.1 403 No\r\n\r\n{}", "x".repeat(2 << 20));
    let upstream = peer.upstream();
    let serving = async {
        let mut stream = peer.accept().await;
        super::read_request(&mut stream).await;
        // The rest is not wanted.
        stream.write_all(refusal.as_bytes()).await.ok();
    };
    let (answer, ()) = join!(upstream.upgrade(ask(), PATIENCE), serving);
    let Upgrade::Refused(rsp) = answer.unwrap() else { panic!("it refused") };
    assert_eq!(rsp.body().len(), 1 << 20);
}

#[tokio::test]
async fn a_connection_that_ends_or_says_nothing_is_an_error() {
    let peer = Peer::new().await;
    let (answer, _) = ask_and_serve(&peer, "").await;
    assert!(matches!(answer, Err(ForwardError::Closed(_))), "{answer:?}");
    let limit = Duration::from_millis(50);
    let upstream = peer.upstream();
    let (answer, _silent) = join!(upstream.upgrade(ask(), limit), peer.accept());
    assert!(matches!(answer, Err(ForwardError::FirstByteTimeout(_))), "{answer:?}");
}

#[tokio::test]
async fn the_connection_is_counted_and_is_nobody_elses() {
    let peer = Peer::new().await;
    let forwarder: Forwarder = super::forwarder();
    let upstream = forwarder.upstream(&peer.base("/v1"));
    let mut lines = Vec::new();
    for open in 1..=2 {
        let serving = async {
            let mut stream = peer.accept().await;
            serve(&mut stream, SWITCHED).await;
            stream
        };
        lines.push(join!(upstream.upgrade(ask(), PATIENCE), serving));
        let stats = forwarder.stats();
        assert_eq!((stats[0].open, stats[0].idle), (open, 0));
    }
    drop(lines);
    assert_eq!(forwarder.stats()[0].open, 0);
}
