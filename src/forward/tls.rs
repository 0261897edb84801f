//! TLS to upstreams: rustls on aws-lc-rs, HTTP/2 offered before HTTP/1.1.
use super::error::{ConnectError, SetupError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Makes TLS connections. The roots are parsed at the first one: a proxy whose upstreams are all
/// plain pays nothing for them.
#[derive(Debug)]
pub(super) struct Tls {
    verify: bool,
    extra: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// Reads `ca_file`, so that a bad one is told at start.
    pub(super) fn new(verify: bool, ca_file: Option<&Path>) -> Result<Self, SetupError> {
        if !verify {
            tracing::warn!("Certificates of upstreams are not checked: anyone may pose as them");
        }
        let extra = ca_file.map_or_else(|| Ok(Vec::new()), read_roots)?;
        Ok(Self { verify, extra, config: OnceLock::new() })
    }

    /// Speaks TLS on `stream`, and tells whether HTTP/2 was chosen.
    pub(super) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, bool), ConnectError> {
        let config = self.config.get_or_init(|| Arc::new(self.make()));
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, stream).await.map_err(explain)?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, is_h2))
    }

    /// Speaks TLS on `stream`, with HTTP/1.1 alone on offer.
    pub(super) async fn connect_h1(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        let mut config = ClientConfig::clone(self.config.get_or_init(|| Arc::new(self.make())));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.map_err(explain)
    }

    fn make(&self) -> ClientConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs speaks TLS 1.2 and 1.3");
        let builder = if self.verify {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(self.extra.iter().cloned());
            builder.with_root_certificates(roots)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let failed = |source| SetupError::CaFile { path: path.to_owned(), source };
    let roots = CertificateDer::pem_file_iter(path).map_err(failed)?;
    let roots = roots.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if roots.is_empty() {
        return Err(SetupError::NoCertificate(path.to_owned()));
    }
    let mut store = RootCertStore::empty();
    for root in &roots {
        let bad = |source| SetupError::BadCertificate { path: path.to_owned(), source };
        store.add(root.clone()).map_err(bad)?;
    }
    Ok(roots)
}

/// What the peer did, and what the operator can do about it.
fn explain(error: io::Error) -> ConnectError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(cause) = cause else {
        return ConnectError::Tcp(error);
    };
    ConnectError::Tls(match cause {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate was not issued by a trusted authority; if it is your own, name its \
             root in SSL_CERT_FILE"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another host name".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired".to_owned(),
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        other => other.to_string(),
    })
}

/// For `SSL_VERIFY=false`: takes any certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
