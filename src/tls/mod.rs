//! What files of certificates and private keys hold: read, checked, and never shown.
//!
//! Config reads them to tell mistakes at their place, the listeners to serve them and to take new
//! ones, the forwarder to present them to upstreams.
use rustls::{CertificateError, RootCertStore};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, TrustAnchor};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

pub use self::identity::Identity;
pub use self::pin::Pin;

mod identity;
mod pin;
#[cfg(test)]
pub(crate) mod tests;

/// Why a file of certificates or of a key is of no use. No message holds any of its content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It has a section that does not end, or is no base64.
    #[error("{} is not valid PEM", .0.display())]
    Damaged(PathBuf),
    /// It has no certificate.
    #[error("{} holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate in it is damaged, or of a kind that cannot be used.
    #[error("{} holds a certificate that cannot be used: {source}", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// It has no private key.
    #[error("{} holds no private key in PEM form", .0.display())]
    NoKey(PathBuf),
    /// Its private key can be read with a password only.
    #[error("the private key in {} is encrypted, and there is no way to give its password", .0.display())]
    EncryptedKey(PathBuf),
    /// Its private key is of an unknown kind.
    #[error("the private key in {} cannot be used", .0.display())]
    BadKey(PathBuf),
    /// The key is another certificate's.
    #[error("the private key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

/// The certificates in a PEM file, in its order; at least one.
///
/// # Errors
/// [`FileError`], when it cannot be read or has none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    kept(path, |_| Ok(true))
}

/// As [`certificates`], each of which can vouch for others.
///
/// # Errors
/// [`FileError`], also for one that cannot be a root.
pub fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    kept(path, |root| anchors(path, root).map(|_| true))
}

/// As [`roots`], without those that are among `known`. With the built-in ones, next to nothing is
/// left of a system's bundle.
///
/// # Errors
/// As [`roots`].
pub fn further_roots(
    path: &Path,
    known: &[TrustAnchor<'_>],
) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let is_known = |anchor: &TrustAnchor<'_>| known.contains(anchor);
    kept(path, |root| anchors(path, root).map(|store| !store.roots.iter().all(is_known)))
}

fn anchors(path: &Path, root: &CertificateDer<'_>) -> Result<RootCertStore, FileError> {
    let mut store = RootCertStore::empty();
    let bad = |source| FileError::BadCertificate { path: path.to_owned(), source };
    store.add(CertificateDer::from(root.as_ref())).map_err(bad)?;
    Ok(store)
}

/// The certificates that `keep` takes, read one by one: a bundle is large.
fn kept(
    path: &Path,
    keep: impl Fn(&CertificateDer<'_>) -> Result<bool, FileError>,
) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let (mut found, mut all) = (false, Vec::new());
    for certificate in CertificateDer::pem_reader_iter(file) {
        let certificate = certificate.map_err(|error| match error {
            pem::Error::Io(source) => unreadable(source),
            // The parser's own words may quote the file.
            _ => FileError::Damaged(path.to_owned()),
        })?;
        found = true;
        if keep(&certificate)? {
            all.push(certificate);
        }
    }
    if found { Ok(all) } else { Err(FileError::NoCertificate(path.to_owned())) }
}

/// Whether `error` says no more than that a root was shown as a server's or client's own
/// certificate, and that very root is trusted. Self-signed certificates are often made so, and
/// OpenSSL takes them; whoever trusts one means its holder. Time has been checked then, a name has
/// not.
#[must_use]
pub fn is_trusted_itself(
    error: &rustls::Error,
    shown: &CertificateDer<'_>,
    roots: &[CertificateDer<'_>],
) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    let is_a_root = other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity);
    is_a_root && roots.contains(shown)
}

/// All that a file holds.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })
}
