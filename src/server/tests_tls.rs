//! Claims about TLS: certificates, clients' certificates, rotation, and that a socket behaves as a
//! plain one.
use super::tests::*;
use super::*;
use crate::config::{Certificate, ClientAuth, MinVersion, ServerTls};
use crate::tls::tests::{Authority, Pair};
use crate::tls::{Identity, roots};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Client = TlsStream<tokio::net::TcpStream>;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn told(pairs: &[&Pair]) -> ServerTls {
    let certificates = pairs.iter().map(|(certificate, key)| Certificate {
        certificate: certificate.clone(),
        key: key.clone(),
        names: Vec::new(),
    });
    ServerTls {
        certificates: certificates.collect(),
        client_ca: None,
        client_auth: ClientAuth::None,
        min_version: MinVersion::Tls12,
    }
}

/// A listener that answers with [`say`].
fn saying_over(tls: &Tls) -> Served {
    start_over(Some(tls.clone()), service_fn(say), limits(), Drain::new(Duration::from_secs(5)))
}

/// What a client trusts, shows and speaks.
struct Trust<'a> {
    authority: &'a Authority,
    identity: Option<&'a Pair>,
    alpn: &'a [&'a str],
}

impl<'a> Trust<'a> {
    const fn of(authority: &'a Authority) -> Self {
        Self { authority, identity: None, alpn: &[] }
    }

    fn config(&self) -> ClientConfig {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots(&self.authority.ca()).unwrap());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(store);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let identity = Identity::read(certificate, key).unwrap();
                let shown = Arc::clone(identity.certified());
                let shown = rustls::sign::SingleCertAndKey::from(shown);
                builder.with_client_cert_resolver(Arc::new(shown))
            }
        };
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    async fn connect(&self, served: &Served, name: &str) -> io::Result<Client> {
        let connector = TlsConnector::from(Arc::new(self.config()));
        let name = ServerName::try_from(name.to_owned()).unwrap();
        connector.connect(name, served.connect().await).await
    }
}

fn shown(client: &Client) -> CertificateDer<'static> {
    client.get_ref().1.peer_certificates().unwrap()[0].clone()
}

fn certificate(pair: &Pair) -> CertificateDer<'static> {
    crate::tls::certificates(&pair.0).unwrap()[0].clone()
}

async fn exchange(client: &mut Client, request: &str) -> io::Result<String> {
    client.write_all(request.as_bytes()).await?;
    let mut text = Vec::new();
    client.read_to_end(&mut text).await?;
    Ok(String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn both_protocols_are_served_as_the_client_chooses() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let served = saying_over(&tls);
    for alpn in [&[][..], &["http/1.1"]] {
        let trust = Trust { alpn, ..Trust::of(&authority) };
        let mut client = trust.connect(&served, "one.test").await.unwrap();
        // `read_to_end` fails without close_notify, so this shows that one is sent.
        let answer = exchange(&mut client, GET).await.unwrap();
        assert!(answer.ends_with("GET / a []\n\r\n0\r\n\r\n"), "{answer}");
    }
    let trust = Trust { alpn: &["h2", "http/1.1"], ..Trust::of(&authority) };
    let client = trust.connect(&served, "one.test").await.unwrap();
    assert_eq!(client.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(client);
    let handshake = hyper::client::conn::http2::handshake(served.tasks.clone(), io);
    let (mut send, connection) = handshake.await.unwrap();
    served.tasks.spawn(async move { drop(connection.await) });
    let body: Full<Bytes> = Full::from("hello");
    let request = Request::post("https://one.test/two").body(body).unwrap();
    let answer = send.send_request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "POST /two - [hello]\n");
}

#[tokio::test]
async fn the_certificate_follows_the_name_exact_before_wildcard_before_the_first() {
    let authority = Authority::new("root");
    let first = authority.issue("first", &["first.test", "b.two.test"]);
    let wild = authority.issue("wild", &["*.two.test"]);
    let exact = authority.issue("exact", &["a.two.test"]);
    let by_hand = authority.issue("by_hand", &["three.test", "elsewhere.test"]);
    let mut told = told(&[&first, &wild, &exact, &by_hand]);
    told.certificates[3].names = vec!["three.test".to_owned()];
    let served = saying_over(&Tls::new(&told).unwrap());
    let trust = Trust::of(&authority);
    for (name, pair) in [
        ("first.test", &first),
        ("a.two.test", &exact),
        ("A.Two.Test", &exact),
        ("b.two.test", &first),
        ("c.two.test", &wild),
        ("three.test", &by_hand),
    ] {
        let client = trust.connect(&served, name).await.unwrap();
        assert_eq!(shown(&client), certificate(pair), "{name}");
    }
    // The first one, which is not for that name: the client refuses.
    assert!(trust.connect(&served, "elsewhere.test").await.is_err());
}

#[tokio::test]
async fn clients_without_a_certificate_are_refused_where_one_is_required() {
    let authority = Authority::new("root");
    let clients = Authority::new("clients");
    let strangers = Authority::new("strangers");
    let mine = clients.issue("mine", &["client.test"]);
    let strange = strangers.issue("strange", &["client.test"]);
    let itself = clients.itself();
    let mut told = told(&[&authority.issue("one", &["one.test"])]);
    told.client_ca = Some(clients.ca());
    told.client_auth = ClientAuth::Require;
    let required = saying_over(&Tls::new(&told).unwrap());
    told.client_auth = ClientAuth::Request;
    let requested = saying_over(&Tls::new(&told).unwrap());
    for (identity, if_required, if_requested) in [
        (None, false, true),
        (Some(&mine), true, true),
        (Some(&itself), true, true),
        (Some(&strange), false, false),
        (Some(&strangers.itself()), false, false),
    ] {
        for (served, expected) in [(&required, if_required), (&requested, if_requested)] {
            let trust = Trust { identity, ..Trust::of(&authority) };
            // With TLS 1.3 a client hears of the refusal when it reads.
            let answered = match trust.connect(served, "one.test").await {
                Ok(mut client) => exchange(&mut client, GET).await.is_ok(),
                Err(_) => false,
            };
            assert_eq!(answered, expected, "{identity:?}");
        }
    }
}

#[tokio::test]
async fn an_old_tls_is_refused_where_a_newer_one_is_demanded() {
    let authority = Authority::new("root");
    let mut told = told(&[&authority.issue("one", &["one.test"])]);
    told.min_version = MinVersion::Tls13;
    let served = saying_over(&Tls::new(&told).unwrap());
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots(&authority.ca()).unwrap());
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    let name = ServerName::try_from("one.test").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    assert!(connector.connect(name, served.connect().await).await.is_err());
    assert!(Trust::of(&authority).connect(&served, "one.test").await.is_ok());
}

#[tokio::test]
async fn a_new_certificate_is_served_while_an_old_stream_goes_on() {
    let authority = Authority::new("root");
    let pair = authority.issue("one", &["one.test"]);
    let old = certificate(&pair);
    let tls = Tls::new(&told(&[&pair])).unwrap();
    let (feed, body) = fed();
    let body = std::sync::Mutex::new(Some(body));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = body.lock().unwrap().take().unwrap_or_else(|| whole("more"));
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let served = start_over(Some(tls.clone()), service, limits(), Drain::new(Duration::ZERO));
    let trust = Trust::of(&authority);
    let mut streaming = trust.connect(&served, "one.test").await.unwrap();
    assert_eq!(shown(&streaming), old);
    streaming.write_all(GET.as_bytes()).await.unwrap();
    feed.send(Bytes::from_static(b"begun,")).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"begun,\r\n") {
        assert_ne!(streaming.read_buf(&mut seen).await.unwrap(), 0);
    }

    let renewed = authority.issue("one", &["one.test"]);
    assert_ne!(certificate(&renewed), old);
    tls.reload().unwrap();
    assert_eq!(tls.files(), [pair.0.clone(), pair.1.clone()]);
    let client = trust.connect(&served, "one.test").await.unwrap();
    assert_eq!(shown(&client), certificate(&renewed));

    feed.send(Bytes::from_static(b"ended")).await.unwrap();
    drop(feed);
    streaming.read_to_end(&mut seen).await.unwrap();
    let seen = String::from_utf8(seen).unwrap();
    assert!(seen.ends_with("5\r\nended\r\n0\r\n\r\n"), "{seen}");
}

#[tokio::test]
async fn a_rotation_that_cannot_be_used_leaves_what_was() {
    let authority = Authority::new("root");
    let pair = authority.issue("one", &["one.test"]);
    let old = certificate(&pair);
    let tls = Tls::new(&told(&[&pair])).unwrap();
    let served = saying_over(&tls);
    // Half of a rotation: the new certificate with the old key.
    let key = std::fs::read(&pair.1).unwrap();
    authority.issue("one", &["one.test"]);
    std::fs::write(&pair.1, key).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("does not belong"), "{error}");
    let client = Trust::of(&authority).connect(&served, "one.test").await.unwrap();
    assert_eq!(shown(&client), old);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_is_closed_by_the_timer_and_counted_until_then() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let limits = Limits { max_connections: 1, header_timeout: Duration::from_secs(3), ..limits() };
    let served = start_over(Some(tls), service_fn(say), limits, Drain::new(Duration::ZERO));
    let mut stalled = served.connect().await;
    stalled.write_all(&[22, 3, 1]).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut next = Box::pin(async {
        let mut client = Trust::of(&authority).connect(&served, "one.test").await.unwrap();
        exchange(&mut client, GET).await.unwrap()
    });
    tokio::select! {
        biased;
        _ = &mut next => panic!("a connection too many was served"),
        closed = stalled.read_u8() => assert!(closed.is_err()),
    }
    assert!(began.elapsed() >= Duration::from_secs(3));
    assert_eq!(status(&next.await), "200");
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_is_told_so() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let served = saying_over(&tls);
    let answer = served.exchange(GET).await;
    assert_eq!(status(&answer), "400");
    assert!(answer.ends_with("call it by https\n"), "{answer}");
    let mut stream = served.connect().await;
    stream.write_all(b"\x00\x01nonsense").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
    assert!(Trust::of(&authority).connect(&served, "one.test").await.is_ok());
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_reaches_the_client() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let service = service_fn(async |_: Request<Incoming>| {
        let mut answer = Response::new(whole("no key\n"));
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        Ok::<_, Infallible>(answer)
    });
    let served = start_over(Some(tls), service, limits(), Drain::new(Duration::ZERO));
    let client = Trust::of(&authority).connect(&served, "one.test").await.unwrap();
    let (mut read, mut write) = tokio::io::split(client);
    let size = 8 << 20;
    let sending = async {
        let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n");
        write.write_all(head.as_bytes()).await.ok();
        let body = vec![b'x'; size];
        write.write_all(&body).await.ok();
    };
    let reading = async {
        let mut text = Vec::new();
        read.read_to_end(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    };
    let ((), answer) = tokio::join!(sending, reading);
    assert_eq!(status(&answer), "401", "{answer}");
    assert!(answer.contains("no key"), "{answer}");
}

#[tokio::test]
async fn a_client_that_leaves_without_close_notify_has_its_call_dropped() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let (alive, mut gone) = tokio::sync::mpsc::channel::<()>(1);
    let (called, mut calls) = tokio::sync::mpsc::channel(1);
    let alive = std::sync::Mutex::new(Some(alive));
    let service = service_fn(move |_: Request<Incoming>| {
        let alive = alive.lock().unwrap().take();
        called.try_send(()).unwrap();
        async move {
            let _alive = alive;
            std::future::pending::<()>().await;
            Ok::<_, Infallible>(Response::new(whole("never")))
        }
    });
    let served = start_over(Some(tls), service, limits(), Drain::new(Duration::ZERO));
    let mut client = Trust::of(&authority).connect(&served, "one.test").await.unwrap();
    client.write_all(GET.as_bytes()).await.unwrap();
    calls.recv().await.unwrap();
    drop(client);
    assert_eq!(gone.recv().await, None);
}

#[tokio::test]
async fn a_drain_lets_a_call_end_and_closes_idle_connections() {
    let authority = Authority::new("root");
    let tls = Tls::new(&told(&[&authority.issue("one", &["one.test"])])).unwrap();
    let served = saying_over(&tls);
    let mut client = Trust::of(&authority).connect(&served, "one.test").await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"0\r\n\r\n") {
        assert_ne!(client.read_buf(&mut seen).await.unwrap(), 0);
    }
    served.drain.trigger();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    assert_eq!(served.cut.await.unwrap(), 0);
}
