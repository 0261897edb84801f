//! TLS to upstreams: rustls on aws-lc-rs, HTTP/2 offered before HTTP/1.1.
use super::error::ConnectError;
use crate::config::UpstreamTls;
use crate::tls::Pin;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::SingleCertAndKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Makes TLS connections of one kind. Its roots are parsed at the first one: a proxy whose
/// upstreams are all plain pays nothing for them.
#[derive(Debug)]
pub(super) struct Tls {
    told: Arc<UpstreamTls>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) const fn new(told: Arc<UpstreamTls>) -> Self {
        Self { told, config: OnceLock::new() }
    }

    pub(super) const fn told(&self) -> &Arc<UpstreamTls> {
        &self.told
    }

    /// Speaks TLS on `stream`, and tells whether HTTP/2 was chosen.
    pub(super) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, bool), ConnectError> {
        let config = self.config.get_or_init(|| Arc::new(self.make()));
        let connector = TlsConnector::from(Arc::clone(config));
        let name = self.told.server_name.clone().unwrap_or(name);
        let stream = connector.connect(name, stream).await.map_err(explain)?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, is_h2))
    }

    fn make(&self) -> ClientConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs speaks TLS 1.2 and 1.3");
        let builder = builder.dangerous().with_custom_certificate_verifier(self.verifier(provider));
        let mut config = match &self.told.identity {
            Some(identity) => {
                let shown = SingleCertAndKey::from(Arc::clone(identity.certified()));
                builder.with_client_cert_resolver(Arc::new(shown))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> {
        let verifier: Arc<dyn ServerCertVerifier> = if self.told.verify {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(self.told.roots.iter().cloned());
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.expect("there are roots, and no revocation lists")
        } else {
            Arc::new(AnyCertificate(provider))
        };
        match self.told.pins.is_empty() {
            true => verifier,
            false => Arc::new(Pinned { verifier, pins: self.told.pins.clone() }),
        }
    }
}

/// What the peer did, and what the operator can do about it.
fn explain(error: io::Error) -> ConnectError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(cause) = cause else {
        return ConnectError::Tcp(error);
    };
    if let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = cause
        && other.0.is::<Unpinned>()
    {
        return ConnectError::Pin;
    }
    ConnectError::Tls(match cause {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate was not issued by a trusted authority; if it is your own, name its \
             root in SSL_CERT_FILE or in the deployment's tls.ca_file"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another host name".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired".to_owned(),
        rustls::Error::AlertReceived(alert) if wants_a_certificate(*alert) => {
            format!("{NO_CERTIFICATE} ({alert:?})")
        }
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        other => other.to_string(),
    })
}

const NO_CERTIFICATE: &str = "it refused our client certificate, or the lack of one; see the \
                              deployment's tls.client_certificate";

const fn wants_a_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
    )
}

/// The upstream's key is none of those that are pinned.
#[derive(Debug, thiserror::Error)]
#[error("the key of the certificate is not pinned")]
struct Unpinned;

/// Takes only certificates whose key is known, after all other checks. Of the chain only the
/// server's own certificate counts: any other may be sent along by anybody.
#[derive(Debug)]
struct Pinned {
    verifier: Arc<dyn ServerCertVerifier>,
    pins: Vec<Pin>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        match Pin::of(end_entity).is_some_and(|pin| self.pins.contains(&pin)) {
            true => Ok(verified),
            false => Err(CertificateError::Other(OtherError(Arc::new(Unpinned))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
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
