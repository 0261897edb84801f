//! TLS on the listeners: certificates by server name, clients' certificates, rotation.
use super::clients::Clients;
use super::socket::Socket;
use crate::config::{Certificate, ClientAuth, MinVersion, ServerTls};
use crate::tls::{FileError, Identity, roots};
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How a listener speaks TLS now. Clones are the same: a reload is seen by all of them.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    told: ServerTls,
    now: ArcSwap<ServerConfig>,
}

/// What a client that spoke plain HTTP is told.
const SPEAKS_TLS: &str = "this port speaks TLS: call it by https\n";

impl Tls {
    /// Reads the files that `told` names.
    ///
    /// # Errors
    /// [`FileError`] for the first that is of no use.
    pub fn new(told: &ServerTls) -> Result<Self, FileError> {
        let (config, _) = read(told)?;
        let now = ArcSwap::from_pointee(config);
        Ok(Self(Arc::new(Inner { told: told.clone(), now })))
    }

    /// The files that are read: a change of one of them asks for a [`Tls::reload`].
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let told = &self.0.told;
        let pairs = told.certificates.iter();
        let pairs = pairs.flat_map(|one| [one.certificate.clone(), one.key.clone()]);
        pairs.chain(told.client_ca.clone()).collect()
    }

    /// Reads the files again. New connections get what is in them now; open ones go on.
    ///
    /// # Errors
    /// [`FileError`] for the first that is of no use; then everything stays as it was.
    pub fn reload(&self) -> Result<(), FileError> {
        let (config, identities) = read(&self.0.told)?;
        for concern in identities.iter().flat_map(Identity::concerns) {
            tracing::warn!("After a reload, {concern}");
        }
        self.0.now.store(Arc::new(config));
        tracing::info!(
            certificates = identities.len(),
            "The listener's certificates were read again"
        );
        Ok(())
    }

    /// Shakes hands with a client, and tells whether HTTP/2 was chosen.
    ///
    /// # Errors
    /// The client's, or that it does not speak TLS; it has been told then.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(Box<TlsStream<TcpStream>>, bool)> {
        let mut first = [0];
        // A handshake begins with a record of type 22 (RFC 8446, 5.1), a request with a letter.
        if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
            answer_plainly(stream).await?;
            return Err(io::Error::other("the client spoke plain HTTP to a port that speaks TLS"));
        }
        let acceptor = TlsAcceptor::from(self.0.now.load_full());
        let stream = acceptor.accept(stream).await?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Box::new(stream), is_h2))
    }
}

/// Says in plain HTTP what is wrong, and closes so that it can be read.
async fn answer_plainly(stream: TcpStream) -> io::Result<()> {
    let mut socket = Socket::plain(stream, Arc::default());
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{SPEAKS_TLS}",
        SPEAKS_TLS.len()
    );
    socket.write_all(answer.as_bytes()).await?;
    socket.shutdown().await
}

fn read(told: &ServerTls) -> Result<(ServerConfig, Vec<Identity>), FileError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let read = |one: &Certificate| Identity::read(&one.certificate, &one.key);
    let identities = told.certificates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let shown = told.certificates.iter().zip(&identities).map(|(one, identity)| Shown {
        names: if one.names.is_empty() { identity.names().to_vec() } else { one.names.clone() },
        key: Arc::clone(identity.certified()),
    });
    let by_name = ByName(shown.collect());
    let versions = match told.min_version {
        MinVersion::Tls12 => &[&TLS13, &TLS12][..],
        MinVersion::Tls13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .expect("aws-lc-rs speaks TLS 1.2 and 1.3");
    let builder = match clients(told, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(by_name));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, identities))
}

/// What checks clients' certificates, where they are asked for.
fn clients(
    told: &ServerTls,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, FileError> {
    let Some(path) = told.client_ca.as_ref().filter(|_| told.client_auth != ClientAuth::None)
    else {
        return Ok(None);
    };
    let mut store = RootCertStore::empty();
    let roots = roots(path)?;
    store.add_parsable_certificates(roots.iter().cloned());
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider);
    let builder = match told.client_auth {
        ClientAuth::Require => builder,
        ClientAuth::Request | ClientAuth::None => builder.allow_unauthenticated(),
    };
    let authorities = builder.build().expect("there are roots, and no revocation lists");
    Ok(Some(Arc::new(Clients { authorities, roots })))
}

/// A certificate and the names that it is shown for.
#[derive(Debug)]
struct Shown {
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

/// Chooses by the name that the client wants to reach: the certificate with that name, else the
/// one with a wildcard for it, else the first.
#[derive(Debug)]
struct ByName(Vec<Shown>);

impl ByName {
    fn choose(&self, wanted: Option<&str>) -> Option<&Shown> {
        let first = self.0.first();
        let Some(wanted) = wanted.filter(|_| self.0.len() > 1) else { return first };
        // rustls hands the name over in lower case.
        let is_exact = |shown: &&Shown| shown.names.iter().any(|name| name == wanted);
        let parent = wanted.split_once('.').map(|(_, parent)| parent);
        let covers = |name: &String| name.strip_prefix("*.").is_some_and(|at| Some(at) == parent);
        let by_wildcard = || self.0.iter().find(|shown| shown.names.iter().any(covers));
        self.0.iter().find(is_exact).or_else(by_wildcard).or(first)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name()).map(|shown| Arc::clone(&shown.key))
    }
}
