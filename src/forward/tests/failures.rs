use super::{OK, Peer, forwarder, hasty, outbound, post, read_request, serve, text};
use crate::forward::{Deadlines, ForwardError, Forwarder};
use crate::tasks::Tasks;
use http::Uri;
use socket2::SockRef;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::join;

const SOON: Duration = Duration::from_millis(40);

async fn refused(base: &str) -> ForwardError {
    forwarder().upstream(&base.parse().unwrap()).send(post()).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_names_the_host_and_nothing_of_the_url() {
    let error = refused("http://user:secret@127.0.0.1:1/v1?key=secret").await;
    assert!(error.is_connect() && error.nothing_sent() && !error.is_timeout());
    let message = error.to_string();
    assert!(message.starts_with("could not connect to 127.0.0.1:1: "), "{message}");
    assert!(message.contains("refused") && !message.contains("secret"), "{message}");
}

#[tokio::test]
async fn a_base_url_without_http_fails_clearly() {
    for base in ["/v1", "ftp://127.0.0.1/"] {
        assert!(refused(base).await.to_string().contains("http or https"), "{base}");
    }
}

#[tokio::test]
async fn a_call_to_ourselves_is_a_loop() {
    let peer = Peer::new().await;
    let mut outbound = outbound();
    outbound.own = [peer.address].into();
    let forwarder = Forwarder::new(&outbound, Tasks::default()).unwrap();
    for host in ["127.0.0.1", "localhost", "me.localhost"] {
        let base: Uri = format!("http://{host}:{}/v1", peer.address.port()).parse().unwrap();
        let error = forwarder.upstream(&base).send(post()).await.unwrap_err();
        assert!(matches!(error, ForwardError::Loop { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_peer_that_never_finishes_connecting_is_given_up() {
    let peer = Peer::new().await;
    let mut outbound = outbound();
    outbound.connect_timeout = SOON;
    let forwarder = Forwarder::new(&outbound, Tasks::default()).unwrap();
    // The peer takes the connection and never speaks TLS.
    let base: Uri = format!("https://{}", peer.address).parse().unwrap();
    let error = forwarder.upstream(&base).send(post()).await.unwrap_err();
    assert!(matches!(error, ForwardError::ConnectTimeout { after: SOON, .. }), "{error}");
    assert!(error.is_timeout() && error.nothing_sent());
}

#[tokio::test]
async fn the_end_of_the_whole_call_counts_while_connecting() {
    let peer = Peer::new().await;
    let base: Uri = format!("https://{}", peer.address).parse().unwrap();
    let request = hasty(Deadlines { total: Some(SOON), ..Deadlines::default() });
    let error = forwarder().upstream(&base).send(request).await.unwrap_err();
    assert!(matches!(error, ForwardError::TotalTimeout(SOON)), "{error}");
}

#[tokio::test]
async fn silence_before_the_headers_is_a_first_byte_timeout() {
    let peer = Peer::new().await;
    let request = hasty(Deadlines { first_byte: SOON, ..Deadlines::default() });
    let error = peer.upstream().send(request).await.unwrap_err();
    assert!(matches!(error, ForwardError::FirstByteTimeout(SOON)), "{error}");
    assert!(!error.nothing_sent());
}

#[tokio::test]
async fn silence_inside_the_body_is_an_idle_timeout() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let request = hasty(Deadlines { idle: SOON, ..Deadlines::default() });
    let (response, _stream) = join!(upstream.send(request), async {
        let mut stream = peer.accept().await;
        serve(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok").await;
        stream
    });
    let error = text(response.unwrap()).await.unwrap_err();
    assert!(matches!(error, ForwardError::IdleTimeout(SOON)), "{error}");
}

#[tokio::test]
async fn frames_that_keep_coming_do_not_stretch_the_whole_call() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let request = hasty(Deadlines { total: Some(4 * SOON), ..Deadlines::default() });
    let endless = async {
        let mut stream = peer.accept().await;
        serve(&mut stream, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(SOON / 8).await;
        }
    };
    let client = async { text(upstream.send(request).await.unwrap()).await };
    let (result, ()) = join!(client, endless);
    assert!(matches!(result, Err(ForwardError::TotalTimeout(_))), "{result:?}");
}

#[tokio::test]
async fn an_early_deadline_holds_on_a_connection_that_was_armed_for_a_late_one() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let client = async {
        assert_eq!(text(upstream.send(post()).await.unwrap()).await.unwrap(), "ok");
        upstream.send(hasty(Deadlines { first_byte: SOON, ..Deadlines::default() })).await
    };
    let server = async {
        let mut stream = peer.accept().await;
        read_request(&mut stream).await;
        tokio::task::yield_now().await;
        stream.write_all(OK.as_bytes()).await.unwrap();
        read_request(&mut stream).await;
        stream
    };
    let (result, _stream) = join!(client, server);
    assert!(matches!(result, Err(ForwardError::FirstByteTimeout(SOON))), "{result:?}");
}

#[tokio::test]
async fn a_reset_before_the_headers_is_not_tried_again() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let server = async {
        let mut stream = peer.accept().await;
        read_request(&mut stream).await;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    };
    let (result, ()) = join!(upstream.send(post()), server);
    let error = result.unwrap_err();
    assert!(matches!(error, ForwardError::Closed(_)), "{error}");
    assert!(!error.nothing_sent());
}

#[tokio::test]
async fn a_close_after_the_request_was_read_is_not_tried_again_on_a_used_connection() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let server = async {
        let mut stream = peer.accept().await;
        serve(&mut stream, OK).await;
        read_request(&mut stream).await;
    };
    let client = async {
        assert_eq!(text(upstream.send(post()).await.unwrap()).await.unwrap(), "ok");
        upstream.send(post()).await
    };
    let (result, ()) = join!(client, server);
    assert!(matches!(result, Err(ForwardError::Closed(_))), "{result:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_is_an_error_and_what_came_before_is_delivered() {
    let cuts = [
        "content-length: 9\r\n\r\nok",
        "transfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\nok",
    ];
    for cut in cuts {
        let peer = Peer::new().await;
        let upstream = peer.upstream();
        let server =
            async { serve(&mut peer.accept().await, &format!("HTTP/1.1 200 OK\r\n{cut}")).await };
        let client = async { text(upstream.send(post()).await.unwrap()).await };
        let (result, _) = join!(client, server);
        assert!(matches!(result, Err(ForwardError::Cut(_))), "{cut:?}: {result:?}");
    }
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole() {
    let peer = Peer::new().await;
    let upstream = peer.upstream();
    let server = async { serve(&mut peer.accept().await, "HTTP/1.1 200 OK\r\n\r\nok").await };
    let client = async { text(upstream.send(post()).await.unwrap()).await };
    let (result, _) = join!(client, server);
    assert_eq!(result.unwrap(), "ok");
}

#[tokio::test]
async fn bytes_that_are_not_http_are_a_protocol_error() {
    for garbage in ["\x16\x03\x01 no http\r\n\r\n", "HTTP/1.1 9999 What\r\n\r\n"] {
        let peer = Peer::new().await;
        let upstream = peer.upstream();
        let server = async { serve(&mut peer.accept().await, garbage).await };
        let (result, _) = join!(upstream.send(post()), server);
        assert!(matches!(result, Err(ForwardError::Protocol(_))), "{result:?}");
    }
}
