//! TLS with Redis: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`, as redis-py
//! calls them.
use crate::config::Secret;
use crate::config::fields::Check;
use crate::config::problem::Problem;
use crate::config::tls_upstream::Source;
use crate::config::yaml::Node;
use crate::tls::{FileError, Identity, roots};
use std::fmt;
use std::path::{Path, PathBuf};

/// How TLS is spoken with Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisTls {
    /// Whether certificates are checked. Default true.
    pub verify: bool,
    /// The only roots to trust. Default the built-in ones.
    pub roots: Option<Pem>,
    /// What is shown to a server that asks who we are. Default nothing.
    pub identity: Option<(Pem, Secret<Pem>)>,
}

/// What a PEM file holds; `Debug` shows its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Vec<u8>);

impl Pem {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn read(path: &Path) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        std::fs::read(path).map(Self).map_err(unreadable)
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// What one source says of TLS besides whether it is spoken.
#[derive(Default)]
pub(super) struct Files {
    ca: Option<(PathBuf, Source)>,
    certificate: Option<(PathBuf, Source)>,
    key: Option<PathBuf>,
    verify: Option<bool>,
}

impl Check<'_> {
    /// The keys beside `ssl`; what they leave open comes from the variables.
    pub(super) fn redis_files(&mut self, map: &Node) -> Files {
        let mut file = |key: &str| {
            let place = map.get(key).map(|node| node.place).unwrap_or_default();
            self.text(map, key).map(|path| (PathBuf::from(path), Source::At(place)))
        };
        let (ca, certificate) = (file("ssl_ca_certs"), file("ssl_certfile"));
        let key = file("ssl_keyfile").map(|(path, _)| path);
        // A word that is none of the three is told by the table of keys.
        let verify = self.text(map, "ssl_cert_reqs").as_deref().and_then(verify);
        Files { ca, certificate, key, verify }
    }

    /// How TLS is spoken, if it is; `None` if a file cannot be used.
    pub(super) fn redis_tls(&mut self, told: Files, is_spoken: bool) -> Option<Option<RedisTls>> {
        if !is_spoken {
            if let Some((_, source)) = told.ca.or(told.certificate) {
                let message = "certificates have no effect without TLS to Redis".to_owned();
                let problem = Problem::warning(message, source.place());
                self.tell(problem.help("add `ssl: true`, or write the URL as rediss://"));
            }
            return Some(None);
        }
        let env = self.env;
        let file = |name| env.get(name).map(|path| (path.into(), Source::Variable(name)));
        let cert_reqs = |text: &str| verify(text);
        let verify = told.verify.or_else(|| {
            self.variable("REDIS_SSL_CERT_REQS", true, "`none` or `required`", cert_reqs)
        });
        if verify == Some(false) {
            let notice = "the certificate of Redis is not checked (ssl_cert_reqs: none): anyone may \
                          pose as it";
            self.problems.notice(notice.to_owned());
        }
        // As for all programs that use OpenSSL: who names a bundle, trusts that one.
        let ca = told.ca.or_else(|| file("REDIS_SSL_CA_CERTS")).or_else(|| file("SSL_CERT_FILE"));
        let certificate = told.certificate.or_else(|| file("REDIS_SSL_CERTFILE"));
        let key = told.key.or_else(|| env.get("REDIS_SSL_KEYFILE").map(PathBuf::from));
        let mut tls = RedisTls { verify: verify.unwrap_or(true), roots: None, identity: None };
        let before = self.errors();
        if let Some((path, source)) = ca {
            match roots(&path).and_then(|_| Pem::read(&path)) {
                Ok(pem) => tls.roots = Some(pem),
                Err(error) => self.of_no_use(&error, source),
            }
        }
        if let Some((path, source)) = certificate {
            match identity(&path, key.as_deref().unwrap_or(&path)) {
                Ok(pair) => tls.identity = Some(pair),
                Err(error) => self.of_no_use(&error, source),
            }
        }
        (self.errors() == before).then_some(Some(tls))
    }
}

fn verify(cert_reqs: &str) -> Option<bool> {
    match cert_reqs.to_ascii_lowercase().as_str() {
        "none" => Some(false),
        "required" | "optional" => Some(true),
        _ => None,
    }
}

/// A certificate and its key, which belong to each other.
fn identity(certificate: &Path, key: &Path) -> Result<(Pem, Secret<Pem>), FileError> {
    Identity::read(certificate, key)?;
    Ok((Pem::read(certificate)?, Secret::new(Pem::read(key)?)))
}
