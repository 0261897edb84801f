use super::upgrade::{PATIENCE, SWITCHED, ask};
use super::{OK, Peer, outbound, post, read_request, serve, text};
use crate::config::Secret;
use crate::forward::{ForwardError, Forwarder, Upgrade};
use crate::tasks::Tasks;
use http::Uri;
use tokio::io::AsyncWriteExt;
use tokio::join;

fn through(peer: &Peer) -> Forwarder {
    let mut outbound = outbound();
    let proxy: Uri = format!("http://user:pass@{}", peer.address).parse().unwrap();
    outbound.proxies.http = Some(Secret::new(proxy.clone()));
    outbound.proxies.https = Some(Secret::new(proxy));
    Forwarder::new(&outbound, Tasks::default()).unwrap()
}

#[tokio::test]
async fn a_plain_upstream_is_named_in_full_to_the_proxy() {
    let peer = Peer::new().await;
    let upstream = through(&peer).upstream(&Uri::from_static("http://api.invalid/v1"));
    let (response, seen) =
        join!(upstream.send(post()), async { serve(&mut peer.accept().await, OK).await });
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    assert!(seen.starts_with("POST http://api.invalid/v1/chat HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("host: api.invalid\r\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: Basic dXNlcjpwYXNz\r\n"), "{seen}");
}

#[tokio::test]
async fn a_tls_upstream_is_reached_by_a_tunnel() {
    let peer = Peer::new().await;
    let upstream = through(&peer).upstream(&Uri::from_static("https://api.invalid/v1"));
    let server = async {
        let mut stream = peer.accept().await;
        let seen = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
        let mut hello = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut hello).await.unwrap();
        (seen, hello)
    };
    let (_, (seen, hello)) = join!(upstream.send(post()), server);
    assert!(seen.starts_with("CONNECT api.invalid:443 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("proxy-authorization: Basic dXNlcjpwYXNz\r\n"), "{seen}");
    assert_eq!(hello, [0x16], "a TLS handshake follows");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_apart_from_the_upstream() {
    for (status, expected) in [("407 No", "credentials"), ("403 No", "status 403")] {
        let peer = Peer::new().await;
        let upstream = through(&peer).upstream(&Uri::from_static("https://api.invalid/v1"));
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let (result, _) =
            join!(upstream.send(post()), async { serve(&mut peer.accept().await, &answer).await });
        let error = result.unwrap_err();
        assert!(matches!(error, ForwardError::Connect { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn another_protocol_is_tunnelled_to_a_plain_upstream_too() {
    let peer = Peer::new().await;
    let upstream = through(&peer).upstream(&Uri::from_static("http://api.invalid/v1"));
    let server = async {
        let mut stream = peer.accept().await;
        let yes = "HTTP/1.1 200 Connection established\r\n\r\n";
        let asked = serve(&mut stream, yes).await;
        (asked, serve(&mut stream, SWITCHED).await)
    };
    let (answer, (asked, sent)) = join!(upstream.upgrade(ask(), PATIENCE), server);
    assert!(matches!(answer.unwrap(), Upgrade::Switched(..)));
    assert!(asked.starts_with("CONNECT api.invalid:80 HTTP/1.1\r\n"), "{asked}");
    assert!(sent.starts_with("GET /v1/realtime HTTP/1.1\r\n"), "{sent}");
    assert!(!sent.contains("proxy-authorization"), "{sent}");
}
