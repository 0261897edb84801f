//! A certificate with its private key.
use super::{FileError, certificates, read};
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, UnixTime};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use webpki::{EndEntityCert, KeyUsage};

/// A certificate chain and the key that belongs to it. `Debug` shows the names only.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    names: Arc<[String]>,
    files: (PathBuf, PathBuf),
}

impl Identity {
    /// Reads both files, which may be one and the same.
    ///
    /// # Errors
    /// [`FileError`]: unreadable, no PEM, a key of another certificate.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, FileError> {
        let chain = certificates(certificate)?;
        let bad = |source| FileError::BadCertificate { path: certificate.to_owned(), source };
        let names = names(&chain).map_err(bad)?;
        let provider = aws_lc_rs::default_provider();
        let signing = provider.key_provider.load_private_key(private_key(key)?);
        let signing = signing.map_err(|_| FileError::BadKey(key.to_owned()))?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
                let (certificate, key) = (certificate.to_owned(), key.to_owned());
                return Err(FileError::Mismatch { certificate, key });
            }
            Ok(()) | Err(rustls::Error::InconsistentKeys(_)) => {}
            Err(source) => return Err(bad(source)),
        }
        let files = (certificate.to_owned(), key.to_owned());
        Ok(Self { certified: Arc::new(certified), names, files })
    }

    /// What rustls signs with.
    #[must_use]
    pub const fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// The host names that the certificate is for, in lower case; `*.` stands for one label.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is wrong with it although it can be used: a certificate out of its time, a key that
    /// every user of the machine can read.
    #[must_use]
    pub fn concerns(&self) -> Vec<String> {
        let (certificate, key) = &self.files;
        let at = certificate.display();
        let mut concerns = Vec::new();
        match self.validity() {
            Validity::Good => {}
            Validity::Over => concerns.push(format!("the certificate in {at} has expired")),
            Validity::NotYet => concerns.push(format!("the certificate in {at} is not valid yet")),
        }
        if is_open_to_all(key) {
            let key = key.display();
            concerns.push(format!("every user of this machine can read the private key {key}"));
        }
        concerns
    }

    fn validity(&self) -> Validity {
        let Some(Ok(certificate)) = self.certified.cert.first().map(EndEntityCert::try_from) else {
            return Validity::Good;
        };
        // Without anyone to vouch for it the check cannot succeed, but time is what it looks at
        // first.
        let (now, usage) = (UnixTime::now(), KeyUsage::server_auth());
        match certificate.verify_for_usage(&[], &[], &[], now, usage, None, None) {
            Err(webpki::Error::CertExpired { .. }) => Validity::Over,
            Err(webpki::Error::CertNotValidYet { .. }) => Validity::NotYet,
            _ => Validity::Good,
        }
    }
}

enum Validity {
    Good,
    Over,
    NotYet,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("names", &self.names).finish_non_exhaustive()
    }
}

fn names(chain: &[rustls_pki_types::CertificateDer<'_>]) -> Result<Arc<[String]>, rustls::Error> {
    let Some(first) = chain.first() else { return Ok([].into()) };
    let certificate = EndEntityCert::try_from(first)
        .map_err(|error| rustls::CertificateError::Other(rustls::OtherError(Arc::new(error))))?;
    Ok(certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    let text = read(path)?;
    // The parser's own words may quote the file.
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(_) if text.windows(9).any(|word| word == b"ENCRYPTED") => {
            Err(FileError::EncryptedKey(path.to_owned()))
        }
        Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(FileError::NoKey(path.to_owned())),
        Err(_) => Err(FileError::Damaged(path.to_owned())),
    }
}

#[cfg(unix)]
fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &Path) -> bool {
    false
}
