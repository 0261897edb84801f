use super::upgrade::{PATIENCE, SWITCHED, ask};
use super::{outbound, post, text};
use crate::forward::{ForwardError, Forwarder, Upgrade, UpstreamBody};
use crate::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response, Uri, Version};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A TLS server with a certificate for `localhost`.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    ca: tempfile::NamedTempFile,
    tasks: Tasks,
}

/// How the server behaves.
#[derive(Clone, Copy)]
struct Manner {
    h2: bool,
    max_streams: u32,
    /// After this many requests an HTTP/2 connection says GOAWAY.
    requests: usize,
}

const H2: Manner = Manner { h2: true, max_streams: 100, requests: usize::MAX };

/// `ok`, and then nothing for as long as anybody waits; or the end at once.
struct Stall(bool, Option<Bytes>);

impl http_body::Body for Stall {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.1.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.0 => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Stall>, Infallible> {
    let stalls = request.uri().path() == "/stall";
    let mut response = Response::new(Stall(stalls, Some(Bytes::from_static(b"ok"))));
    let seen = format!("{:?} {}", request.version(), request.uri()).parse().unwrap();
    response.headers_mut().insert("seen", seen);
    Ok(response)
}

impl Server {
    async fn new(manner: Manner) -> Self {
        let (server, listener, acceptor) = Self::bind(manner.h2).await;
        let accepting =
            accept(listener, acceptor, manner, server.connections(), server.tasks.clone());
        server.tasks.spawn(accepting);
        server
    }

    async fn bind(h2: bool) -> (Self, TcpListener, TlsAcceptor) {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut ca = tempfile::NamedTempFile::new().unwrap();
        ca.write_all(key.cert.pem().as_bytes()).unwrap();
        let private = PrivateKeyDer::Pkcs8(key.signing_key.serialize_der().into());
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![key.cert.der().clone()], private)
                .unwrap();
        let protocol: &[u8] = if h2 { b"h2" } else { b"http/1.1" };
        config.alpn_protocols = vec![protocol.to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            ca,
            tasks: Tasks::default(),
        };
        (server, listener, TlsAcceptor::from(Arc::new(config)))
    }

    fn connections(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.connections)
    }

    fn made(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn base(&self, host: &str) -> Uri {
        format!("https://{host}:{}", self.address.port()).parse().unwrap()
    }

    fn forwarder(&self) -> Forwarder {
        let mut outbound = outbound();
        outbound.ca_file = Some(self.ca.path().to_owned());
        Forwarder::new(&outbound, Tasks::default()).unwrap()
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    manner: Manner,
    connections: Arc<AtomicUsize>,
    tasks: Tasks,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        connections.fetch_add(1, Ordering::SeqCst);
        let stream = TokioIo::new(stream);
        let executor = tasks.clone();
        tasks.spawn(async move {
            if !manner.h2 {
                drop(http1::Builder::new().serve_connection(stream, service_fn(answer)).await);
                return;
            }
            let left = Arc::new(AtomicUsize::new(manner.requests));
            let done = Arc::new(tokio::sync::Notify::new());
            let notify = Arc::clone(&done);
            let counted = service_fn(move |request| {
                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    notify.notify_one();
                }
                answer(request)
            });
            let connection = http2::Builder::new(executor)
                .max_concurrent_streams(manner.max_streams)
                .serve_connection(stream, counted);
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => return,
                () = done.notified() => connection.as_mut().graceful_shutdown(),
            }
            drop(connection.await);
        });
    }
}

fn to(path: &str) -> Request<bartizan_layers::body::Body> {
    let mut request = post();
    *request.uri_mut() = path.parse().unwrap();
    request
}

async fn stalled(upstream: &crate::forward::Upstream) -> UpstreamBody {
    let mut body = upstream.send(to("/stall")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ok");
    body
}

#[tokio::test]
async fn http_1_over_tls_is_used_again() {
    let server = Server::new(Manner { h2: false, ..H2 }).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    for _ in 0..3 {
        let response = upstream.send(to("/chat")).await.unwrap();
        assert_eq!(response.headers()["seen"], "HTTP/1.1 /chat");
        assert_eq!(text(response).await.unwrap(), "ok");
    }
    assert_eq!(server.made(), 1);
}

#[tokio::test]
async fn http_2_is_chosen_where_it_is_offered_and_shared() {
    let server = Server::new(H2).await;
    let forwarder = server.forwarder();
    let upstream = forwarder.upstream(&server.base("localhost"));
    // All at once, and still one connection.
    let call = || stalled(&upstream);
    let bodies = tokio::join!(call(), call(), call(), call(), call());
    let response = upstream.send(to("/chat")).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let seen = format!("HTTP/2.0 {}chat", server.base("localhost"));
    assert_eq!(response.headers()["seen"], seen.as_str());
    assert_eq!(text(response).await.unwrap(), "ok");
    assert_eq!(server.made(), 1);
    drop(bodies);
    assert_eq!((forwarder.stats()[0].open, forwarder.stats()[0].idle), (1, 1));
}

#[tokio::test]
async fn a_client_that_leaves_resets_its_stream_and_no_other() {
    let server = Server::new(H2).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    let other = stalled(&upstream).await;
    for _ in 0..5 {
        drop(stalled(&upstream).await);
    }
    assert_eq!(text(upstream.send(to("/chat")).await.unwrap()).await.unwrap(), "ok");
    assert_eq!(server.made(), 1);
    drop(other);
}

#[tokio::test]
async fn a_further_connection_is_opened_when_streams_run_out() {
    let server = Server::new(Manner { max_streams: 2, ..H2 }).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.push(stalled(&upstream).await);
    }
    assert_eq!(server.made(), 3);
    bodies.truncate(1);
    bodies.push(stalled(&upstream).await);
    assert_eq!(server.made(), 3, "room on a connection is used first");
}

#[tokio::test]
async fn a_connection_that_says_goaway_is_replaced() {
    let server = Server::new(Manner { requests: 2, ..H2 }).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    for _ in 0..10 {
        assert_eq!(text(upstream.send(to("/chat")).await.unwrap()).await.unwrap(), "ok");
    }
    assert!(server.made() >= 2);
}

#[tokio::test]
async fn closing_idle_connections_ends_the_tasks_of_http_2() {
    let server = Server::new(H2).await;
    let tasks = Tasks::default();
    let mut outbound = outbound();
    outbound.ca_file = Some(server.ca.path().to_owned());
    let forwarder = Forwarder::new(&outbound, tasks.clone()).unwrap();
    let upstream = forwarder.upstream(&server.base("localhost"));
    let body = stalled(&upstream).await;
    forwarder.close_idle();
    assert!(tasks.running() > 0, "the open call is not cut");
    drop(body);
    tasks.drained().await;
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_with_advice() {
    let server = Server::new(H2).await;
    let forwarder = Forwarder::new(&outbound(), Tasks::default()).unwrap();
    let error = forwarder.upstream(&server.base("localhost")).send(post()).await.unwrap_err();
    assert!(matches!(error, ForwardError::Connect { .. }));
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let server = Server::new(H2).await;
    let base = server.base("127.0.0.1");
    let error = server.forwarder().upstream(&base).send(post()).await.unwrap_err();
    assert!(error.to_string().contains("another host name"), "{error}");
}

#[tokio::test]
async fn any_certificate_is_taken_when_checks_are_off() {
    let server = Server::new(H2).await;
    let mut outbound = outbound();
    outbound.verify_tls = false;
    let forwarder = Forwarder::new(&outbound, Tasks::default()).unwrap();
    let response = forwarder.upstream(&server.base("127.0.0.1")).send(post()).await.unwrap();
    assert_eq!(text(response).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_bad_file_of_roots_is_told_at_setup() {
    let mut outbound = outbound();
    let file = tempfile::NamedTempFile::new().unwrap();
    outbound.ca_file = Some(file.path().to_owned());
    let error = Forwarder::new(&outbound, Tasks::default()).unwrap_err();
    assert!(error.to_string().contains("no certificate"), "{error}");
    outbound.ca_file = Some("/does/not/exist".into());
    let error = Forwarder::new(&outbound, Tasks::default()).unwrap_err();
    assert!(error.to_string().contains("/does/not/exist"), "{error}");
}

#[tokio::test]
async fn a_stream_that_was_refused_unseen_is_sent_again_once() {
    let (server, listener, acceptor) = Server::bind(true).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    // The first connection answers once and then refuses, the second refuses at once.
    let peer = async {
        let mut seen = Vec::new();
        for answers in [1, 0] {
            let stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let mut left = answers;
            let refuse = async {
                while let Some(request) = connection.accept().await {
                    let (request, mut respond) = request.unwrap();
                    seen.push(request.uri().path().to_owned());
                    if left == 0 {
                        respond.send_reset(h2::Reason::REFUSED_STREAM);
                    } else {
                        left -= 1;
                        respond.send_response(Response::new(()), true).unwrap();
                    }
                    if left == 0 && seen.len() > 1 {
                        break;
                    }
                }
            };
            refuse.await;
            let closing = connection;
            server.tasks.spawn(async move {
                let mut closing = closing;
                while closing.accept().await.is_some() {}
            });
        }
        seen
    };
    let client = async {
        upstream.send(to("/first")).await.unwrap();
        upstream.send(to("/second")).await
    };
    let (seen, result) = tokio::join!(peer, client);
    assert_eq!(seen, ["/first", "/second", "/second"]);
    assert!(matches!(result, Err(ForwardError::Unsent(_))), "{result:?}");
    assert!(result.unwrap_err().nothing_sent());
}

#[tokio::test]
async fn another_protocol_is_asked_for_in_http1_alone() {
    let (server, listener, acceptor) = Server::bind(false).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    let serving = async {
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(SWITCHED.as_bytes()).await.unwrap();
        stream
    };
    let (answer, _stream) = tokio::join!(upstream.upgrade(ask(), PATIENCE), serving);
    assert!(matches!(answer.unwrap(), Upgrade::Switched(..)));
    // What knows HTTP/2 alone has nothing to choose from.
    let (server, listener, acceptor) = Server::bind(true).await;
    let upstream = server.forwarder().upstream(&server.base("localhost"));
    let serving = async { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() };
    let (answer, accepted) = tokio::join!(upstream.upgrade(ask(), PATIENCE), serving);
    assert!(matches!(answer, Err(ForwardError::Connect { .. })), "{answer:?}");
    assert!(!accepted);
}
