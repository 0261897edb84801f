//! Claims about files, and certificates for the tests of other rooms.
use super::{FileError, Identity, Pin, certificates, further_roots, roots};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::RootCertStore;
use std::path::PathBuf;
use tempfile::TempDir;

/// A root of its own, and what it has vouched for, as files.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

/// A certificate's file and its key's.
pub(crate) type Pair = (PathBuf, PathBuf);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(["itself.test".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        std::fs::write(dir.path().join("ca.key"), issuer.key().serialize_pem()).unwrap();
        allow(&dir.path().join("ca.key"), 0o600);
        Self { issuer, dir }
    }

    /// Its root and the root's key, as a server that signs for itself shows it.
    pub(crate) fn itself(&self) -> Pair {
        (self.ca(), self.file("ca.key"))
    }

    /// Its root.
    pub(crate) fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a certificate for `names` into `NAME.pem`, and its key into `NAME.key`.
    pub(crate) fn issue(&self, file: &str, names: &[&str]) -> Pair {
        self.issue_until(file, names, 2999)
    }

    fn issue_until(&self, file: &str, names: &[&str], year: i32) -> Pair {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.distinguished_name.push(DnType::CommonName, file);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pair = (self.file(&format!("{file}.pem")), self.file(&format!("{file}.key")));
        std::fs::write(&pair.0, certificate.pem()).unwrap();
        std::fs::write(&pair.1, key.serialize_pem()).unwrap();
        allow(&pair.1, 0o600);
        pair
    }
}

fn allow(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal(certificate: &std::path::Path, key: &std::path::Path) -> String {
    Identity::read(certificate, key).unwrap_err().to_string()
}

#[test]
fn a_certificate_and_its_key_know_their_names() {
    let authority = Authority::new("root");
    let (certificate, key) = authority.issue("one", &["One.Test", "*.two.test"]);
    let identity = Identity::read(&certificate, &key).unwrap();
    assert_eq!(identity.names(), ["one.test", "*.two.test"]);
    assert!(identity.concerns().is_empty(), "{:?}", identity.concerns());
    let both = authority.file("both.pem");
    let text = [std::fs::read(&key).unwrap(), std::fs::read(&certificate).unwrap()].concat();
    std::fs::write(&both, text).unwrap();
    Identity::read(&both, &both).unwrap();
}

#[test]
fn roots_that_are_known_are_not_held_again() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let bundle = one.file("bundle.pem");
    let text = [one.ca(), other.ca()].map(|path| std::fs::read(path).unwrap()).concat();
    std::fs::write(&bundle, text).unwrap();
    assert_eq!(roots(&bundle).unwrap().len(), 2);
    assert_eq!(further_roots(&bundle, &[]).unwrap(), roots(&bundle).unwrap());
    let mut known = RootCertStore::empty();
    known.add(roots(&one.ca()).unwrap().remove(0)).unwrap();
    let further = further_roots(&bundle, &known.roots).unwrap();
    assert_eq!(further, roots(&other.ca()).unwrap());
    // Nothing new is no mistake; nothing at all is.
    assert!(further_roots(&one.ca(), &known.roots).unwrap().is_empty());
}

#[test]
fn what_is_strange_about_a_certificate_is_a_concern_and_no_refusal() {
    let authority = Authority::new("root");
    let (certificate, key) = authority.issue_until("old", &["one.test"], 2020);
    allow(&key, 0o644);
    let concerns = Identity::read(&certificate, &key).unwrap().concerns();
    assert_eq!(concerns.len(), 2, "{concerns:?}");
    assert!(concerns[0].contains("old.pem has expired"), "{concerns:?}");
    assert!(concerns[1].contains("read the private key"), "{concerns:?}");
}

#[test]
fn a_file_of_no_use_is_named_with_the_reason_and_without_its_content() {
    let authority = Authority::new("root");
    let (certificate, key) = authority.issue("one", &["one.test"]);
    let (_, other) = authority.issue("other", &["one.test"]);
    let missing = authority.file("missing.pem");
    let write = |name: &str, text: &str| {
        let path = authority.file(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let empty = write("empty.pem", "");
    let damaged = write("damaged.pem", "-----BEGIN CERTIFICATE-----\nc2VjcmV0!\n");
    let begun = write("begun.pem", "-----BEGIN c2VjcmV0\n");
    let text = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
    let no_certificate = write("other.der", text);
    let text =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = write("encrypted.key", text);
    let text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    let bad = write("bad.key", text);
    let cases = [
        (refusal(&missing, &key), "missing.pem cannot be read"),
        (refusal(&certificate, &missing), "missing.pem cannot be read"),
        (refusal(&empty, &key), "holds no certificate"),
        (refusal(&damaged, &key), "is not valid PEM"),
        (refusal(&begun, &key), "is not valid PEM"),
        (refusal(&no_certificate, &key), "cannot be used"),
        (refusal(&certificate, &certificate), "holds no private key"),
        (refusal(&certificate, &encrypted), "is encrypted"),
        (refusal(&certificate, &bad), "cannot be used"),
        (refusal(&certificate, &other), "does not belong to the certificate"),
        (roots(&no_certificate).unwrap_err().to_string(), "cannot be used"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{text} instead of {expected}");
        assert!(!text.contains("c2VjcmV0") && !text.contains("secret"), "{text}");
    }
    assert!(matches!(certificates(&empty), Err(FileError::NoCertificate(_))));
}

#[test]
fn a_pin_is_the_hash_of_a_public_key() {
    let authority = Authority::new("root");
    let (certificate, _) = authority.issue("one", &["one.test"]);
    let pin = Pin::of(&certificates(&certificate).unwrap()[0]).unwrap();
    assert_eq!(pin.to_string().parse::<Pin>().unwrap(), pin);
    let other = Pin::of(&certificates(&authority.ca()).unwrap()[0]).unwrap();
    assert_ne!(pin, other);
    for bad in ["", "sha256/", "sha256/AAAA", "sha1/AAAA", "AAAA"] {
        assert!(bad.parse::<Pin>().is_err(), "{bad}");
    }
}
