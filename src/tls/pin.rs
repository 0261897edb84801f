//! Public keys that are the only ones accepted.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use webpki::EndEntityCert;

/// The SHA-256 of a certificate's SubjectPublicKeyInfo, written `sha256/BASE64` (RFC 7469, 2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// A text that is no pin.
#[derive(Debug, thiserror::Error)]
#[error("a pin is `sha256/` and 32 bytes in base64")]
pub struct NotAPin;

impl Pin {
    /// The pin of a certificate; `None` if that is damaged.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let key = EndEntityCert::try_from(certificate).ok()?.subject_public_key_info();
        Some(Self(Sha256::digest(key).into()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = NotAPin;

    fn from_str(text: &str) -> Result<Self, NotAPin> {
        let text = text.trim().strip_prefix("sha256/").ok_or(NotAPin)?;
        let bytes = STANDARD.decode(text).map_err(|_| NotAPin)?;
        bytes.try_into().map(Self).map_err(|_| NotAPin)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
