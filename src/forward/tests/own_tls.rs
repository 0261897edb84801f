//! Claims about deployments with TLS settings of their own.
use super::{outbound, post, text};
use crate::config::UpstreamTls;
use crate::forward::{ConnectError, ForwardError, Forwarder};
use crate::tasks::Tasks;
use crate::tls::tests::{Authority, Pair};
use crate::tls::{Identity, Pin, certificates, roots};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::{RootCertStore, ServerConfig};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A provider with a certificate for `one.test` by an authority that nobody knows.
struct Provider {
    address: SocketAddr,
    authority: Authority,
    pair: Pair,
    connections: Arc<AtomicUsize>,
    _tasks: Tasks,
}

async fn answer(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("ok")))
}

impl Provider {
    async fn new(names: &[&str]) -> Self {
        Self::asking(names, None).await
    }

    /// One that wants a certificate by `clients`. Without a name it shows its own root, which is
    /// for `itself.test`.
    async fn asking(names: &[&str], clients: Option<&Authority>) -> Self {
        let authority = Authority::new("provider");
        let pair = match names {
            [] => authority.itself(),
            names => authority.issue("server", names),
        };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(roots(&clients.ca()).unwrap());
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let identity = Identity::read(&pair.0, &pair.1).unwrap();
        let shown = SingleCertAndKey::from(Arc::clone(identity.certified()));
        let config = builder.with_cert_resolver(Arc::new(shown));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (connections, tasks) = (Arc::new(AtomicUsize::new(0)), Tasks::default());
        let address = listener.local_addr().unwrap();
        let (counted, spawner) = (Arc::clone(&connections), tasks.clone());
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                counted.fetch_add(1, Ordering::SeqCst);
                let io = TokioIo::new(stream);
                spawner.spawn(async move {
                    drop(http1::Builder::new().serve_connection(io, service_fn(answer)).await);
                });
            }
        });
        Self { address, authority, pair, connections, _tasks: tasks }
    }

    fn base(&self) -> Uri {
        format!("https://localhost:{}/v1", self.address.port()).parse().unwrap()
    }

    fn made(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn trusted(&self) -> UpstreamTls {
        UpstreamTls { roots: roots(&self.authority.ca()).unwrap(), ..UpstreamTls::default() }
    }

    fn pin(&self) -> Pin {
        Pin::of(&certificates(&self.pair.0).unwrap()[0]).unwrap()
    }

    async fn call(&self, forwarder: &Forwarder, own: &UpstreamTls) -> Result<String, ForwardError> {
        let upstream = forwarder.upstream_over(&self.base(), Some(&Arc::new(own.clone())));
        text(upstream.send(post()).await?).await
    }
}

fn forwarder() -> Forwarder {
    Forwarder::new(&outbound(), Tasks::default()).unwrap()
}

#[tokio::test]
async fn a_root_of_its_own_is_trusted_by_that_deployment_only() {
    let provider = Provider::new(&["localhost"]).await;
    let forwarder = forwarder();
    assert_eq!(provider.call(&forwarder, &provider.trusted()).await.unwrap(), "ok");
    let error = forwarder.upstream(&provider.base()).send(post()).await.unwrap_err();
    assert!(error.to_string().contains("tls.ca_file"), "{error}");
}

#[tokio::test]
async fn checks_are_off_for_the_deployment_that_says_so_only() {
    let provider = Provider::new(&["other.test"]).await;
    let forwarder = forwarder();
    let unchecked = UpstreamTls { verify: false, ..UpstreamTls::default() };
    assert_eq!(provider.call(&forwarder, &unchecked).await.unwrap(), "ok");
    forwarder.upstream(&provider.base()).send(post()).await.unwrap_err();
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_an_upstream_that_demands_one() {
    let clients = Authority::new("clients");
    let (certificate, key) = clients.issue("mine", &["client.test"]);
    let provider = Provider::asking(&["localhost"], Some(&clients)).await;
    let identity = Some(Identity::read(&certificate, &key).unwrap());
    let own = UpstreamTls { identity, ..provider.trusted() };
    let forwarder = forwarder();
    assert_eq!(provider.call(&forwarder, &own).await.unwrap(), "ok");
    provider.call(&forwarder, &provider.trusted()).await.unwrap_err();
}

#[tokio::test]
async fn only_a_pinned_key_is_accepted_whether_or_not_certificates_are_checked() {
    let provider = Provider::new(&["localhost"]).await;
    let wrong = Pin::of(&certificates(&provider.authority.ca()).unwrap()[0]).unwrap();
    let forwarder = forwarder();
    let unchecked = UpstreamTls { verify: false, ..UpstreamTls::default() };
    for tls in [provider.trusted(), unchecked] {
        let right = UpstreamTls { pins: vec![wrong, provider.pin()], ..tls.clone() };
        assert_eq!(provider.call(&forwarder, &right).await.unwrap(), "ok");
        // The root's key is no pin for what it has signed.
        let tls = UpstreamTls { pins: vec![wrong], ..tls };
        let error = provider.call(&forwarder, &tls).await.unwrap_err();
        let told = error.to_string();
        assert!(
            matches!(error, ForwardError::Connect { cause: ConnectError::Pin, .. }),
            "{error:?}"
        );
        assert!(told.contains("localhost:") && told.contains("tls.pins"), "{told}");
        assert!(!told.contains("sha256/"), "{told}");
    }
}

#[tokio::test]
async fn another_name_is_asked_for_where_the_deployment_says_so() {
    let provider = Provider::new(&["inner.test"]).await;
    let forwarder = forwarder();
    let error = provider.call(&forwarder, &provider.trusted()).await.unwrap_err();
    assert!(error.to_string().contains("another host name"), "{error}");
    let name = "inner.test".try_into().ok();
    let own = UpstreamTls { server_name: name, ..provider.trusted() };
    assert_eq!(provider.call(&forwarder, &own).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_self_signed_certificate_is_taken_where_it_is_trusted_itself_and_for_its_name() {
    let (provider, other) = (Provider::new(&[]).await, Authority::new("provider"));
    let forwarder = forwarder();
    let named = |name: &'static str, roots| UpstreamTls {
        server_name: name.try_into().ok(),
        roots,
        ..UpstreamTls::default()
    };
    let itself = provider.trusted().roots;
    let right = named("itself.test", itself.clone());
    assert_eq!(provider.call(&forwarder, &right).await.unwrap(), "ok");
    let error = provider.call(&forwarder, &named("other.test", itself)).await.unwrap_err();
    assert!(error.to_string().contains("another host name"), "{error}");
    let stranger = named("itself.test", roots(&other.ca()).unwrap());
    let error = provider.call(&forwarder, &stranger).await.unwrap_err();
    assert!(error.to_string().contains("trusted authority"), "{error}");
}

#[tokio::test]
async fn a_connection_is_shared_between_equal_settings_only() {
    let provider = Provider::new(&["localhost"]).await;
    let forwarder = forwarder();
    let one = provider.trusted();
    let other = UpstreamTls { pins: vec![provider.pin()], ..provider.trusted() };
    for _ in 0..2 {
        provider.call(&forwarder, &one).await.unwrap();
        provider.call(&forwarder, &provider.trusted()).await.unwrap();
    }
    assert_eq!(provider.made(), 1, "the same settings, read twice");
    provider.call(&forwarder, &other).await.unwrap();
    assert_eq!(provider.made(), 2);
    let unchecked = UpstreamTls { verify: false, ..one.clone() };
    provider.call(&forwarder, &unchecked).await.unwrap();
    assert_eq!(provider.made(), 3);
    provider.call(&forwarder, &one).await.unwrap();
    assert_eq!(provider.made(), 3);
}

#[tokio::test]
async fn settings_that_say_what_holds_everywhere_share_its_connections() {
    let provider = Provider::new(&["localhost"]).await;
    let outbound = crate::config::Outbound { tls: Arc::new(provider.trusted()), ..outbound() };
    let forwarder = Forwarder::new(&outbound, Tasks::default()).unwrap();
    let response = forwarder.upstream(&provider.base()).send(post()).await.unwrap();
    text(response).await.unwrap();
    provider.call(&forwarder, &provider.trusted()).await.unwrap();
    assert_eq!(provider.made(), 1);
}
