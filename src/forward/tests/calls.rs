use super::{OK, Peer, forwarder, hasty, is_closed, outbound, post, serve, text};
use crate::forward::{Deadlines, ForwardError, Forwarder};
use crate::tasks::Tasks;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::join;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_request_goes_to_the_base_with_host_and_length() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let mut request = post();
    request.headers_mut().insert("host", "proxy.example".parse().unwrap());
    *request.version_mut() = Version::HTTP_2;
    let (answer, seen) =
        join!(async { text(upstream.send(request).await.unwrap()).await }, async {
            serve(&mut peer.accept().await, OK).await
        });
    assert_eq!(answer.unwrap(), "ok");
    let expected = format!("host: {}\r\n", peer.address);
    assert!(seen.starts_with("POST /v1/chat HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&expected) && seen.matches("host:").count() == 1, "{seen}");
    assert!(seen.contains("content-length: 5\r\n"), "{seen}");
}

#[tokio::test]
async fn a_connection_is_used_again_and_shared_between_upstreams_of_one_origin() {
    let peer = Peer::new().await;
    let forwarder = forwarder();
    let bases = [peer.base("/v1"), peer.base("/v2")];
    let client = async {
        for base in bases.iter().cycle().take(20) {
            assert_eq!(
                text(forwarder.upstream(base).send(post()).await.unwrap()).await.unwrap(),
                "ok"
            );
        }
    };
    let server = async {
        let mut stream = peer.accept().await;
        for turn in 0..20 {
            let chunked =
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
            serve(&mut stream, if turn % 2 == 0 { OK } else { chunked }).await;
        }
        stream
    };
    let ((), _stream) = join!(client, server);
    let stats = forwarder.stats();
    assert_eq!((stats[0].opened, stats[0].open, stats[0].idle), (1, 1, 1), "{stats:?}");
}

#[tokio::test]
async fn an_answer_without_a_body_frees_its_connection_at_once() {
    let peer = Peer::new().await;
    let forwarder = forwarder();
    let upstream = forwarder.upstream(&peer.base(""));
    let (response, _stream) = join!(upstream.send(post()), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, "HTTP/1.1 204 No Content\r\n\r\n").await;
        stream
    });
    assert!(response.unwrap().body().is_end_stream());
    assert_eq!(forwarder.stats()[0].idle, 1);
}

#[tokio::test]
async fn a_connection_that_went_stale_is_replaced_unseen() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let server = async {
        for _ in 0..3 {
            // Answers as if it kept the connection, and closes it.
            serve(&mut peer.accept().await, OK).await;
        }
    };
    let client = async {
        for _ in 0..3 {
            assert_eq!(text(upstream.send(post()).await.unwrap()).await.unwrap(), "ok");
        }
    };
    join!(client, server);
}

#[tokio::test]
async fn redirects_are_passed_on() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (response, _) =
        join!(upstream.send(post()), async { serve(&mut peer.accept().await, answer).await });
    let response = response.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], "http://127.0.0.1:1/");
}

#[tokio::test]
async fn a_streamed_request_body_arrives_in_chunks() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let body = Body::stream(Pieces(["hel", "lo"].map(Bytes::from).into()));
    let request = Request::put("/files").body(body).unwrap();
    let (response, _) = join!(upstream.send(request), async {
        let mut stream = peer.accept().await;
        let mut seen = Vec::new();
        while !seen.ends_with(b"0\r\n\r\n") {
            stream.read_buf(&mut seen).await.unwrap();
        }
        let seen = String::from_utf8(seen).unwrap();
        assert!(seen.contains("transfer-encoding: chunked"), "{seen}");
        assert!(seen.ends_with("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), "{seen}");
        stream.write_all(OK.as_bytes()).await.unwrap();
        stream
    });
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
}

/// A body of unknown length.
struct Pieces(VecDeque<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

#[tokio::test]
async fn a_client_that_leaves_closes_the_upstream_connection() {
    let peer = Peer::new().await;
    let forwarder = forwarder();
    let upstream = forwarder.upstream(&peer.base(""));
    let start = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";
    let (response, mut stream) = join!(upstream.send(post()), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, start).await;
        stream
    });
    let mut body = response.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ok");
    drop(body);
    assert!(is_closed(&mut stream).await);
    assert_eq!(forwarder.stats()[0].open, 0);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_closes_the_upstream_connection() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let call = upstream.send(post());
    let seen = async {
        let mut stream = peer.accept().await;
        super::read_request(&mut stream).await;
        stream
    };
    let mut stream = tokio::select! {
        stream = seen => stream,
        _ = call => panic!("nobody answered"),
    };
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn idle_connections_are_closed_in_time_and_the_sweeper_ends() {
    let peer = Peer::new().await;
    let tasks = Tasks::default();
    let mut outbound = outbound();
    outbound.pool_idle = Duration::from_millis(20);
    let forwarder = Forwarder::new(&outbound, tasks.clone()).unwrap();
    let upstream = forwarder.upstream(&peer.base(""));
    let (response, mut stream) = join!(upstream.send(post()), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, OK).await;
        stream
    });
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    assert!(is_closed(&mut stream).await);
    tasks.drained().await;
    assert_eq!(forwarder.stats()[0].open, 0);
}

#[tokio::test]
async fn closing_idle_connections_leaves_nothing_for_drain_to_wait_for() {
    let peer = Peer::new().await;
    let tasks = Tasks::default();
    let forwarder = Forwarder::new(&outbound(), tasks.clone()).unwrap();
    let upstream = forwarder.upstream(&peer.base(""));
    let (response, mut stream) = join!(upstream.send(post()), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, OK).await;
        stream
    });
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    assert_eq!(tasks.running(), 1);
    forwarder.close_idle();
    assert!(is_closed(&mut stream).await);
    tasks.drained().await;
}

#[tokio::test]
async fn a_slow_reader_holds_the_upstream_back() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let total: usize = 64 * 1024 * 1024;
    let (response, mut stream) = join!(upstream.send(post()), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, &format!("HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n")).await;
        stream
    });
    let mut body = response.unwrap().into_body();
    let piece = vec![b'x'; 64 * 1024];
    let mut written = 0;
    // Nobody reads the body: soon the socket takes no more.
    while let Ok(sent) = tokio::time::timeout(Duration::from_millis(50), stream.write(&piece)).await
    {
        written += sent.unwrap();
        assert!(written < total / 2, "{written} bytes were taken from a peer nobody listens to");
    }
    let mut read = 0;
    let write_rest = async {
        while written < total {
            let rest = piece.len().min(total - written);
            written += stream.write(&piece[..rest]).await.unwrap();
        }
    };
    let read_all = async {
        while let Some(frame) = body.frame().await {
            read += frame.unwrap().into_data().unwrap().len();
        }
    };
    join!(write_rest, read_all);
    assert_eq!(read, total);
}

#[tokio::test]
async fn a_reader_that_is_slow_itself_does_not_count_as_an_idle_upstream() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let idle = Duration::from_millis(30);
    let request = hasty(Deadlines { idle, ..Deadlines::default() });
    let (response, _stream) = join!(upstream.send(request), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok").await;
        stream
    });
    let mut body = response.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    tokio::time::sleep(2 * idle).await;
    let waited = tokio::time::Instant::now();
    assert!(matches!(body.frame().await.unwrap(), Err(ForwardError::IdleTimeout(_))));
    assert!(waited.elapsed() >= idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_streams_on_many_threads_all_come_to_their_end() {
    const CALLS: usize = 64;
    let peer = Peer::new().await;
    let forwarder = forwarder();
    let upstream = forwarder.upstream(&peer.base("/v1"));
    let tasks = Tasks::default();
    let done = Arc::new(AtomicUsize::new(0));
    let servers = tasks.clone();
    let server = async move {
        loop {
            let mut stream = peer.accept().await;
            servers.spawn(async move { while stream_some(&mut stream).await.is_ok() {} });
        }
    };
    for _ in 0..CALLS {
        let (upstream, done) = (upstream.clone(), Arc::clone(&done));
        tasks.spawn(async move {
            for _ in 0..20 {
                let answer = text(upstream.send(post()).await.unwrap()).await.unwrap();
                assert_eq!(answer.len(), 50);
            }
            done.fetch_add(1, Ordering::SeqCst);
        });
    }
    let all_done = async {
        while done.load(Ordering::SeqCst) < CALLS {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = server => {}
        () = all_done => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("a stream got lost"),
    }
    assert!(forwarder.stats()[0].opened <= CALLS as u64, "{:?}", forwarder.stats());
}

/// Answers one request with 50 small chunks, each sent by itself.
async fn stream_some(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"hello") {
        if stream.read_buf(&mut seen).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    for _ in 0..50 {
        stream.write_all(b"1\r\nx\r\n").await?;
        tokio::task::yield_now().await;
    }
    stream.write_all(b"0\r\n\r\n").await
}
