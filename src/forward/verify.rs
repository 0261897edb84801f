//! Which upstreams are believed to be who they say.
use crate::config::UpstreamTls;
use crate::tls::{Pin, is_trusted_itself};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// The upstream's key is none of those that are pinned.
#[derive(Debug, thiserror::Error)]
#[error("the key of the certificate is not pinned")]
pub(super) struct Unpinned;

/// Checks as a deployment, or the config for all of them, says. That the peer holds the key of its
/// certificate is checked in any case.
#[derive(Debug)]
pub(super) struct Verifier {
    /// The built-in roots and our own; `None` takes any certificate.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    told: Arc<UpstreamTls>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(told: Arc<UpstreamTls>, provider: Arc<CryptoProvider>) -> Self {
        let authorities = told.verify.then(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(told.roots.iter().cloned());
            let provider = Arc::clone(&provider);
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .expect("there are roots, and no revocation lists")
        });
        Self { authorities, told, provider }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(authorities) = &self.authorities {
            let verified = authorities.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            if let Err(error) = verified {
                if !is_trusted_itself(&error, end_entity, &self.told.roots) {
                    return Err(error);
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            }
        }
        // Of the chain only the server's own certificate counts: any other may be sent along by
        // anybody.
        let pins = &self.told.pins;
        if pins.is_empty() || Pin::of(end_entity).is_some_and(|pin| pins.contains(&pin)) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(Unpinned))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
