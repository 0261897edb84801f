//! TLS to upstreams: rustls on aws-lc-rs, HTTP/2 offered before HTTP/1.1.
use super::error::{ConnectError, is_certificate_alert};
use super::verify::{Unpinned, Verifier};
use crate::config::UpstreamTls;
use rustls::crypto::aws_lc_rs;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig, OtherError};
use rustls_pki_types::ServerName;
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
        let verifier = Arc::new(Verifier::new(Arc::clone(&self.told), provider));
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
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
        rustls::Error::InvalidCertificate(unknown) if is_unknown(unknown) => {
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
        alert if is_certificate_alert(alert) => {
            "it refused our client certificate, or the lack of one; see the deployment's \
             tls.client_certificate"
                .to_owned()
        }
        rustls::Error::InvalidMessage(_) => "what answers there does not speak TLS".to_owned(),
        other => other.to_string(),
    })
}

/// Whether nobody who is trusted vouches for a certificate, a root that is shown as a server's own
/// included.
fn is_unknown(error: &CertificateError) -> bool {
    match error {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(OtherError(other)) => {
            other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
        }
        _ => false,
    }
}
