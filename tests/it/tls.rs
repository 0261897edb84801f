//! TLS on both sides, through a tunnel on each: what speaks plain HTTP here need not learn it.
use crate::client::{chat, get};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy, Setup, free_port};
use crate::upstream::{self, COMPLETION, Upstream};
use crate::wire::Wire;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A root, and files of certificates that it has signed.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        let authority = Self { issuer, dir };
        authority.issue("one", "localhost");
        authority
    }

    pub(crate) fn issue(&self, file: &str, name: &str) {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path(&format!("{file}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{file}.key")), key.serialize_pem()).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.dir.path().join(file).to_str().unwrap().to_owned()
    }

    fn chain(&self, file: &str) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_file(self.path(&format!("{file}.pem"))).unwrap()]
    }

    fn key(&self, file: &str) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_file(self.path(&format!("{file}.key"))).unwrap()
    }

    fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add(self.issuer.der().clone()).unwrap();
        store
    }

    /// A client that trusts this root and shows `identity`.
    fn client(&self, identity: Option<&Self>) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.store());
        match identity {
            None => builder.with_no_client_auth(),
            Some(by) => builder.with_client_auth_cert(by.chain("one"), by.key("one")).unwrap(),
        }
    }

    /// A server with a certificate by this root, that demands one by `clients`.
    fn server(&self, clients: Option<&Self>) -> ServerConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let store = Arc::new(clients.store());
                let verifier = WebPkiClientVerifier::builder_with_provider(store, provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        builder.with_single_cert(self.chain("one"), self.key("one")).unwrap()
    }
}

/// Carries bytes between something that speaks TLS and something that does not.
struct Tunnel {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Tunnel {
    /// Takes plain connections and leads them to `to` over TLS.
    async fn into(to: SocketAddr, config: ClientConfig) -> Self {
        let connector = TlsConnector::from(Arc::new(config));
        let connect = move |plain: TcpStream| {
            let connector = connector.clone();
            async move {
                let name = ServerName::try_from("localhost").unwrap();
                let far = TcpStream::connect(to).await.unwrap();
                let Ok(far) = connector.connect(name, far).await else { return };
                carry(plain, far).await;
            }
        };
        Self::new(connect).await
    }

    /// Takes connections over TLS and leads them to `to`.
    async fn out_of(config: ServerConfig, to: SocketAddr) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let accept = move |near: TcpStream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(near) = acceptor.accept(near).await else { return };
                carry(near, TcpStream::connect(to).await.unwrap()).await;
            }
        };
        Self::new(accept).await
    }

    async fn new<F>(lead: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                open.spawn(lead(stream));
            }
        });
        Self { addr, connections, _tasks: tasks }
    }

    fn base(&self) -> String {
        format!("https://localhost:{}/v1", self.addr.port())
    }
}

async fn carry(
    mut one: impl AsyncRead + AsyncWrite + Unpin,
    mut other: impl AsyncRead + AsyncWrite + Unpin,
) {
    copy_bidirectional(&mut one, &mut other).await.ok();
}

async fn completing() -> Upstream {
    Upstream::playing(upstream::json(200, COMPLETION)).await
}

/// A config with deployments `NAME` that have these parameters.
fn models(models: &[(&str, String)]) -> String {
    let entry = |(name, params): &(&str, String)| {
        format!(
            "- model_name: {name}\n  litellm_params: {{model: openai/gpt-4o-mini, api_key: \
             {CREDENTIAL}, {params}}}\n"
        )
    };
    let entries: String = models.iter().map(entry).collect();
    format!("model_list:\n{entries}general_settings:\n  master_key: {KEY}\n")
}

fn certified(setup: Setup, authority: &Authority) -> Setup {
    setup
        .arg("--port")
        .arg("0")
        .arg("--ssl_certfile_path")
        .arg(&authority.path("one.pem"))
        .arg("--ssl_keyfile_path")
        .arg(&authority.path("one.key"))
}

async fn plain(addr: SocketAddr) -> String {
    let mut wire: Wire = get("/health/readiness").open(addr).await;
    String::from_utf8(wire.rest().await.0.to_vec()).unwrap()
}

#[tokio::test]
async fn calls_and_operations_are_served_over_tls() {
    let (authority, upstream) = (Authority::new("root"), completing().await);
    let config = proxy::config(&upstream.base()) + "  ops_tls: true\n";
    let ops = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let setup = certified(proxy::with(&config), &authority);
    let proxy: Proxy = setup.arg("--ops-listen").arg(&ops.to_string()).launch().await;
    proxy.line(|line| line.contains("Listening on https://127.0.0.1:")).await;
    let calls = Tunnel::into(proxy.addr(), authority.client(None)).await;
    let answer = chat("gpt").key(KEY).send(calls.addr).await.expect(200);
    assert_eq!(answer.text(), COMPLETION);
    let stranger = chat("gpt").key("sk-of-nobody").send(calls.addr).await;
    stranger.expect(401);
    let ops = Tunnel::into(ops, authority.client(None)).await;
    get("/metrics").send(ops.addr).await.expect(200);
    let told = plain(proxy.addr()).await;
    assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("https"), "{told}");
}

#[tokio::test]
async fn a_client_certificate_is_demanded_and_is_no_key() {
    let (authority, clients) = (Authority::new("root"), Authority::new("clients"));
    let upstream = completing().await;
    let config = proxy::config(&upstream.base());
    let config = format!(
        "{config}  tls:\n    certificates: [{{certificate: {}, key: {}}}]\n    client_ca: {}\n",
        authority.path("one.pem"),
        authority.path("one.key"),
        clients.path("ca.pem")
    );
    let proxy = proxy::with(&config).arg("--port").arg("0").launch().await;
    let known = Tunnel::into(proxy.addr(), authority.client(Some(&clients))).await;
    chat("gpt").key(KEY).send(known.addr).await.expect(200);
    chat("gpt").send(known.addr).await.expect(401);
    let unknown = Tunnel::into(proxy.addr(), authority.client(None)).await;
    let mut wire = chat("gpt").key(KEY).open(unknown.addr).await;
    assert!(!matches!(wire.response().await, Ok(Some(_))), "it was answered");
}

#[tokio::test]
async fn tls_does_not_stand_in_for_a_key_beyond_this_machine() {
    let authority = Authority::new("root");
    let config = "model_list: []\n";
    let ran = certified(proxy::with(config), &authority).arg("--host").arg("0.0.0.0").finish();
    assert!(!ran.status.success(), "{}", ran.output);
    assert!(ran.output.contains("no key is set"), "{}", ran.output);
}

#[test]
fn what_cannot_be_served_over_tls_is_told_and_not_served_plainly() {
    let authority = Authority::new("root");
    let config = proxy::config("http://127.0.0.1:9/v1");
    let with = |names: &[(&str, &str)]| {
        let setup = proxy::with(&config).arg("--port").arg("0");
        let set = |setup: Setup, (name, value): &(&str, &str)| setup.env(name, value);
        names.iter().fold(setup, set).finish()
    };
    let (certificate, key) = (authority.path("one.pem"), authority.path("one.key"));
    authority.issue("other", "localhost");
    for (variables, words) in [
        (&[("SSL_CERTFILE_PATH", &*certificate)][..], "SSL_KEYFILE_PATH"),
        (&[("SSL_KEYFILE_PATH", &*key)], "SSL_CERTFILE_PATH"),
        (
            &[("SSL_CERTFILE_PATH", "/none.pem"), ("SSL_KEYFILE_PATH", &*key)],
            "/none.pem cannot be read",
        ),
        (
            &[
                ("SSL_CERTFILE_PATH", &*certificate),
                ("SSL_KEYFILE_PATH", &authority.path("other.key")),
            ],
            "does not belong to the certificate",
        ),
        (&[("SSL_CERT_FILE", "/none.pem")], "SSL_CERT_FILE names a file of no use"),
        (&[("SSL_CERT_FILE", &*key)], "SSL_CERT_FILE names a file of no use"),
    ] {
        let ran = with(variables);
        assert!(!ran.status.success(), "{}", ran.output);
        assert!(ran.output.contains(words), "{words} in {}", ran.output);
        assert!(!ran.output.contains("Listening"), "{}", ran.output);
    }
}

#[test]
fn the_check_names_a_wrong_file_with_its_place() {
    let config = models(&[
        ("a", "api_base: 'https://one.test/v1', tls: {ca_file: /none.pem}".to_owned()),
        ("b", "api_base: 'https://one.test/v1', tls: {pins: [sha256/x]}".to_owned()),
    ]);
    let setup = proxy::bare().file("config.yaml", &config);
    let ran = setup.arg("check").arg("config.yaml").finish();
    assert_eq!(ran.status.code(), Some(1), "{}", ran.output);
    for words in ["/none.pem cannot be read", "config.yaml:3:", "not a pin", "config.yaml:5:"] {
        assert!(ran.output.contains(words), "{words:?} is not said in:\n{}", ran.output);
    }
}

#[tokio::test]
async fn each_deployment_asks_and_shows_what_it_was_told() {
    let (authority, clients) = (Authority::new("provider"), Authority::new("clients"));
    let upstream = completing().await;
    let open = Tunnel::out_of(authority.server(None), upstream.addr()).await;
    let guarded = Tunnel::out_of(authority.server(Some(&clients)), upstream.addr()).await;
    let at = |tunnel: &Tunnel, more: &str| format!("api_base: '{}'{more}", tunnel.base());
    let ca = authority.path("ca.pem");
    let (mine, key) = (clients.path("one.pem"), clients.path("one.key"));
    let nobody = format!("sha256/{}=", "A".repeat(43));
    let shows = format!("client_certificate: {mine}, client_key: {key}");
    let proxy = proxy::with(&models(&[
        ("strict", at(&open, "")),
        ("trusting", at(&open, &format!(", tls: {{ca_file: {ca}}}"))),
        ("careless", at(&open, ", ssl_verify: false")),
        ("pinned", at(&open, &format!(", ssl_verify: {ca}, tls: {{pins: ['{nobody}']}}"))),
        ("shy", at(&guarded, &format!(", tls: {{ca_file: {ca}}}"))),
        ("known", at(&guarded, &format!(", tls: {{ca_file: {ca}, {shows}}}"))),
    ]))
    .start()
    .await;
    for model in ["trusting", "careless", "trusting", "careless", "known"] {
        proxy.call(chat(model)).await.expect(200);
    }
    assert_eq!(open.connections.load(Ordering::SeqCst), 2, "one for each way of asking");
    let refused = proxy.call(chat("strict")).await.error_message();
    assert!(refused.contains("trusted authority"), "{refused}");
    let pinned = proxy.call(chat("pinned")).await.error_message();
    assert!(pinned.contains("localhost:") && pinned.contains("pinned"), "{pinned}");
    assert!(!pinned.contains(&nobody), "{pinned}");
    let shy = proxy.call(chat("shy")).await;
    let shy = shy.error_message();
    assert!(shy.contains("tls.client_certificate"), "{shy}");
    let info = proxy.call(get("/model/info")).await.expect(200);
    assert!(!info.text().contains(&key), "the key's file is shown");
}
