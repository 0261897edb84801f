//! TLS with Redis: `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs`, as redis-py
//! calls them.
use crate::config::Secret;
use crate::config::fields::Check;
use crate::config::problem::Problem;
use crate::config::tls_upstream::Source;
use crate::config::yaml::Node;
use crate::tls::{FileError, Identity, read, roots};
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
        read(path).map(Self)
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
    key: Option<(PathBuf, Source)>,
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
        let key = file("ssl_keyfile");
        // A word that is none of the three is told by the table of keys.
        let verify = self.text(map, "ssl_cert_reqs").as_deref().and_then(checks);
        Files { ca, certificate, key, verify }
    }

    /// How TLS is spoken, if it is; `None` if a file cannot be used.
    pub(super) fn redis_tls(&mut self, told: Files, is_spoken: bool) -> Option<Option<RedisTls>> {
        if !is_spoken {
            if let Some((_, source)) = told.ca.or(told.certificate).or(told.key) {
                let message = "certificates have no effect without TLS to Redis";
                self.useless(message, source, "add `ssl: true`, or write the URL as rediss://");
            }
            return Some(None);
        }
        let before = self.errors();
        let Files { ca, certificate, key, verify } = self.with_redis_variables(told);
        if !verify.unwrap_or(true) {
            let notice = "the certificate of Redis is not checked (ssl_cert_reqs: none): anyone may \
                          pose as it";
            self.problems.notice(notice.to_owned());
        }
        let mut tls = RedisTls { verify: verify.unwrap_or(true), roots: None, identity: None };
        if let Some((path, source)) = ca {
            match roots(&path).and_then(|_| Pem::read(&path)) {
                Ok(pem) => tls.roots = Some(pem),
                Err(error) => self.of_no_use(&error, source),
            }
        }
        if let Some((path, source)) = certificate {
            match identity(&path, key.as_ref().map_or(&path, |(key, _)| key)) {
                Ok(pair) => tls.identity = Some(pair),
                Err(error) => self.of_no_use(&error, source),
            }
        } else if let Some((_, source)) = key {
            let message = "the key for Redis is that of no certificate";
            self.useless(message, source, "name the certificate: `ssl_certfile: FILE`");
        }
        (self.errors() == before).then_some(Some(tls))
    }

    fn useless(&mut self, message: &str, source: Source, help: &str) {
        self.tell(Problem::warning(message.to_owned(), source.place()).help(help));
    }

    fn with_redis_variables(&mut self, told: Files) -> Files {
        let env = self.env;
        let file = |name| env.get(name).map(|path| (path.into(), Source::Variable(name)));
        let told_so = "`none` or `required`";
        let verify =
            told.verify.or_else(|| self.variable("REDIS_SSL_CERT_REQS", true, told_so, checks));
        Files {
            // As for all programs that use OpenSSL: who names a bundle, trusts that one.
            ca: told.ca.or_else(|| file("REDIS_SSL_CA_CERTS")).or_else(|| file("SSL_CERT_FILE")),
            certificate: told.certificate.or_else(|| file("REDIS_SSL_CERTFILE")),
            key: told.key.or_else(|| file("REDIS_SSL_KEYFILE")),
            verify,
        }
    }
}

/// Whether certificates are checked where redis-py is told so.
fn checks(cert_reqs: &str) -> Option<bool> {
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
