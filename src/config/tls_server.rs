//! `general_settings.tls` and `ops_tls`: how the listeners speak TLS.
use super::fields::Check;
use super::options::Options;
use super::problem::{Place, Problem};
use super::tls_upstream::concern_of;
use super::yaml::{Kind, Node};
use crate::tls::{FileError, Identity, roots};
use std::path::PathBuf;

/// What a listener shows, and asks of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// At least one; the first is for clients that name no host, or an unknown one.
    pub certificates: Vec<Certificate>,
    /// Who vouches for clients' certificates. Default none.
    pub client_ca: Option<PathBuf>,
    /// Whether clients need a certificate. Default [`ClientAuth::Require`] with a `client_ca`.
    pub client_auth: ClientAuth,
    /// The oldest TLS that is spoken. Default 1.2.
    pub min_version: MinVersion,
}

/// Where a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// PEM, the chain below it included.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Host names that it is shown for, in lower case; empty means the ones inside it.
    pub names: Vec<String>,
}

/// Whether clients need a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// They are not asked for one.
    None,
    /// One is checked if they have it.
    Request,
    /// Without one the handshake fails.
    Require,
}

/// The oldest TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// How both listeners speak TLS, when every part of it can be used.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    pub(super) calls: Option<ServerTls>,
    pub(super) ops: Option<ServerTls>,
    /// Something was asked for that cannot be done: to speak plainly instead would be unsafe.
    pub(super) failed: bool,
}

impl Check<'_> {
    pub(super) fn listening(&mut self, general: &Node, options: &Options) -> Listening {
        if options.for_command {
            // On loopback, for clients that would not trust a certificate for 127.0.0.1.
            return Listening::default();
        }
        let before = self.errors();
        let told = self.pair(options);
        let section = self.section(general, "tls");
        let calls = match (section, told) {
            (None, None) => None,
            (None, Some(pair)) => Some(ServerTls {
                certificates: vec![pair],
                client_ca: None,
                client_auth: ClientAuth::None,
                min_version: MinVersion::Tls12,
            }),
            (Some(section), told) => self.server_tls(section, "general_settings.tls", told),
        };
        let ops = general.get("ops_tls").filter(|node| !node.is_null());
        let ops = match ops.map(|node| (node, node.as_bool())) {
            None | Some((_, Some(false))) => None,
            Some((node, Some(true))) => {
                if calls.is_none() && section.is_none() {
                    let message = "`ops_tls: true` means as `tls`, which is not set".to_owned();
                    self.error(node, message, "add `tls:`, or give `ops_tls` its certificates");
                }
                calls.clone()
            }
            Some((_, None)) => {
                let section = self.section(general, "ops_tls");
                section.and_then(|one| self.server_tls(one, "general_settings.ops_tls", None))
            }
        };
        Listening { calls, ops, failed: self.errors() > before }
    }

    /// The certificate of LiteLLM's two flags, or of their variables.
    fn pair(&mut self, options: &Options) -> Option<Certificate> {
        let (certificate, key) = options.certificate(self.env);
        let (given, missing) = match (certificate, key) {
            (Some(certificate), Some(key)) => {
                let pair = Certificate { certificate, key, names: Vec::new() };
                return self.usable(&pair, Place::default()).then_some(pair);
            }
            (None, None) => return None,
            (Some(_), None) => (CERTIFICATE, KEY),
            (None, Some(_)) => (KEY, CERTIFICATE),
        };
        let message = format!("{given} is set, but {missing} is not: TLS needs both");
        self.problems.add(Problem::error(message, Place::default()).help(format!("set {missing}")));
        None
    }

    fn server_tls(
        &mut self,
        section: &Node,
        path: &str,
        told: Option<Certificate>,
    ) -> Option<ServerTls> {
        let before = self.errors();
        let list = section.get("certificates").filter(|list| !list.is_null());
        let listed: Vec<_> = list.into_iter().flat_map(Node::items).collect();
        let certificates = match told {
            Some(pair) => {
                if !listed.is_empty() {
                    self.problems.notice(format!("{CERTIFICATE} replaces {path}.certificates"));
                }
                vec![pair]
            }
            None => listed.into_iter().filter_map(|one| self.certificate(one, path)).collect(),
        };
        if certificates.is_empty() && self.errors() == before {
            let message = format!("`{path}` names no certificate");
            let help = "add `certificates:` and below it `- certificate: FILE` with `key: FILE`";
            self.error(list.unwrap_or(section), message, help);
        }
        let client_ca = self.client_ca(section);
        let client_auth = self.client_auth(section, client_ca.is_some());
        let min_version = match self.text(section, "min_version").as_deref() {
            None | Some("1.2") => MinVersion::Tls12,
            Some("1.3") => MinVersion::Tls13,
            Some(_) => {
                let at = section.get("min_version").unwrap_or(section);
                let message = "`min_version` is no version of TLS that is spoken here".to_owned();
                self.error(at, message, "use \"1.2\" or \"1.3\"");
                MinVersion::Tls12
            }
        };
        let usable = !certificates.is_empty();
        usable.then_some(ServerTls { certificates, client_ca, client_auth, min_version })
    }

    fn certificate(&mut self, entry: &Node, path: &str) -> Option<Certificate> {
        if !matches!(entry.kind, Kind::Map(_)) {
            let help = "write `- certificate: FILE` and `key: FILE` below it";
            self.error(entry, format!("an entry of `{path}.certificates` must be a map"), help);
            return None;
        }
        let mut file = |key: &str, what: &str| {
            let file = self.text(entry, key).map(PathBuf::from);
            if file.is_none() && entry.get(key).is_none_or(Node::is_null) {
                let help = format!("add `{key}`: a PEM file with {what}");
                self.error(entry, format!("`{key}` is missing"), &help);
            }
            file
        };
        let certificate = file("certificate", "the certificate and the chain below it");
        let key = file("key", "its private key");
        let (certificate, key) = certificate.zip(key)?;
        let names = entry.get("names").filter(|names| !names.is_null());
        let one = names.map(std::slice::from_ref).unwrap_or_default();
        let all = names.map(Node::items).filter(|items| !items.is_empty()).unwrap_or(one);
        let names = all.iter().filter_map(Node::as_text);
        let names = names.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        let pair = Certificate { certificate, key, names };
        let at = entry.get("certificate").unwrap_or(entry).place;
        self.usable(&pair, at).then_some(pair)
    }

    /// Whether both files can be used together; what is strange about them is told.
    fn usable(&mut self, pair: &Certificate, place: Place) -> bool {
        match Identity::read(&pair.certificate, &pair.key) {
            Ok(identity) => {
                for concern in identity.concerns() {
                    self.problems.add_once(concern_of(concern, place));
                }
                true
            }
            Err(error) => {
                self.problems.add(bad_file(&error, place));
                false
            }
        }
    }

    fn client_ca(&mut self, section: &Node) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(section, "client_ca")?);
        if let Err(error) = roots(&path) {
            let place = section.get("client_ca").unwrap_or(section).place;
            self.problems.add(bad_file(&error, place));
        }
        Some(path)
    }

    fn client_auth(&mut self, section: &Node, has_ca: bool) -> ClientAuth {
        let told = self.text(section, "client_auth");
        let at = section.get("client_auth").unwrap_or(section);
        let auth = match told.as_deref() {
            None if has_ca => ClientAuth::Require,
            None | Some("none") => ClientAuth::None,
            Some("request") => ClientAuth::Request,
            Some("require") => ClientAuth::Require,
            Some(_) => {
                let message = "`client_auth` is none of the three ways".to_owned();
                self.error(at, message, "use `require`, `request` or `none`");
                return ClientAuth::None;
            }
        };
        if auth != ClientAuth::None && !has_ca {
            let message = "`client_auth` needs a `client_ca` that vouches for clients".to_owned();
            self.error(at, message, "add `client_ca: FILE` with your root certificate");
        } else if auth == ClientAuth::None && has_ca {
            let message = "`client_ca` has no effect with `client_auth: none`".to_owned();
            self.warn(at, message, "remove one of both, or use `require`");
        }
        auth
    }
}

const CERTIFICATE: &str = "--ssl_certfile_path (SSL_CERTFILE_PATH)";
const KEY: &str = "--ssl_keyfile_path (SSL_KEYFILE_PATH)";

/// The problem of a file that cannot be used.
pub(super) fn bad_file(error: &FileError, place: Place) -> Problem {
    let help = match error {
        FileError::Unreadable { .. } => "check the path and its permissions",
        FileError::Mismatch { .. } => "name the certificate and the key that were made together",
        FileError::EncryptedKey(_) => "decrypt it: `openssl pkey -in FILE -out NEW`",
        FileError::NoKey(_) | FileError::BadKey(_) => {
            "name a PEM file with `BEGIN PRIVATE KEY`: RSA, ECDSA or Ed25519"
        }
        _ => "name a PEM file with `BEGIN CERTIFICATE`",
    };
    Problem::error(error.to_string(), place).help(help)
}
