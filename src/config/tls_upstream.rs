//! How TLS is spoken with upstreams: `ssl_verify`, `ssl_certificate`, `litellm_params.tls`.
use super::env::truth;
use super::fields::{Check, described};
use super::problem::{Place, Problem};
use super::tls_server::bad_file;
use super::yaml::{Kind, Node};
use crate::tls::{FileError, Identity, Pin, further_roots};
use http::Uri;
use rustls_pki_types::{CertificateDer, ServerName};
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is asked of an upstream's certificate, and what is shown to it. Two are equal when they
/// ask and show the same, from whichever files it came.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    /// Whether certificates are checked (`SSL_VERIFY`, `ssl_verify`). Default true.
    pub verify: bool,
    /// Roots to trust besides the built-in ones (`SSL_CERT_FILE`, a path in `ssl_verify`,
    /// `tls.ca_file`).
    pub roots: Vec<CertificateDer<'static>>,
    /// What is shown to an upstream that asks who we are. Default nothing.
    pub identity: Option<Identity>,
    /// Public keys of which the upstream must have one, checked also where `verify` is off.
    /// Empty means any.
    pub pins: Vec<Pin>,
    /// The name that is asked for and that the certificate must be for. Default the URL's host.
    pub server_name: Option<ServerName<'static>>,
    /// The files that all this came from.
    pub files: Vec<PathBuf>,
}

impl Default for UpstreamTls {
    fn default() -> Self {
        Self {
            verify: true,
            roots: Vec::new(),
            identity: None,
            pins: Vec::new(),
            server_name: None,
            files: Vec::new(),
        }
    }
}

impl UpstreamTls {
    /// The same for equal settings, another one for others.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let chain = self.identity.as_ref().map(|identity| &identity.certified().cert);
        hash.update([u8::from(self.verify), u8::from(chain.is_some())]);
        let name = self.server_name.as_ref().map(ServerName::to_str).unwrap_or_default();
        let parts = [self.roots.len(), self.pins.len(), name.len()];
        parts.iter().for_each(|count| hash.update(count.to_le_bytes()));
        hash.update(name.as_bytes());
        self.pins.iter().for_each(|pin| hash.update(pin.bytes()));
        // A key belongs to one certificate, so the chain stands for both.
        for certificate in self.roots.iter().chain(chain.into_iter().flatten()) {
            hash.update(Sha256::digest(certificate));
        }
        hash.finalize().into()
    }
}

impl PartialEq for UpstreamTls {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl Eq for UpstreamTls {}

impl Hash for UpstreamTls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint().hash(state);
    }
}

/// What `ssl_verify` says.
enum Verify {
    Told(bool),
    Roots(PathBuf, Source),
}

/// Where a file is named: its place in the config, or a variable.
#[derive(Clone, Copy)]
pub(super) enum Source {
    At(Place),
    Variable(&'static str),
}

impl Check<'_> {
    /// Reads what holds for all upstreams; false if it cannot be used.
    pub(super) fn outbound_tls(&mut self, litellm: &Node) -> bool {
        let before = self.errors();
        let mut tls = UpstreamTls::default();
        let env = self.env;
        let variable = |name| env.get(name).map(|text| verify_of(name, text));
        match self.ssl_verify(litellm).or_else(|| variable("SSL_VERIFY")) {
            Some(Verify::Told(false)) => tls.verify = false,
            Some(Verify::Roots(path, source)) => self.add_roots(&mut tls, &path, source),
            Some(Verify::Told(true)) | None => {
                if let Some(path) = env.get("SSL_CERT_FILE") {
                    let source = Source::Variable("SSL_CERT_FILE");
                    self.add_roots(&mut tls, Path::new(path), source);
                }
            }
        }
        let key = self.text(litellm, "ssl_certificate_key");
        let told = self.text(litellm, "ssl_certificate");
        if let Some(certificate) = told.as_deref().or_else(|| env.get("SSL_CERTIFICATE")) {
            let source = match litellm.get("ssl_certificate").filter(|_| told.is_some()) {
                Some(node) => Source::At(node.place),
                None => Source::Variable("SSL_CERTIFICATE"),
            };
            self.show(&mut tls, certificate, key.as_deref().unwrap_or(certificate), source);
        } else if let Some(key) = litellm.get("ssl_certificate_key").filter(|_| key.is_some()) {
            let message = "`ssl_certificate_key` is the key of no certificate".to_owned();
            self.error(key, message, "add `ssl_certificate: FILE`");
        }
        self.tls = Arc::new(tls);
        self.errors() == before
    }

    /// What a deployment has of its own; `None` if that cannot be used.
    pub(super) fn deployment_tls(
        &mut self,
        params: &Node,
        base: Option<&Uri>,
    ) -> Option<Option<Arc<UpstreamTls>>> {
        let before = self.errors();
        let told = self.ssl_verify(params);
        let section = self.section(params, "tls");
        if told.is_none() && section.is_none() {
            return (self.errors() == before).then_some(None);
        }
        self.note_reach(params, &told, base);
        let mut tls = UpstreamTls::clone(&self.tls);
        let ca = section.and_then(|section| Some((section.get("ca_file")?, section)));
        let ca = ca.and_then(|(node, section)| Some((node, self.text(section, "ca_file")?)));
        if ca.is_some() || matches!(told, Some(Verify::Roots(..))) {
            (tls.verify, tls.roots) = (true, Vec::new());
        }
        if let Some((node, path)) = &ca {
            self.add_roots(&mut tls, Path::new(path), Source::At(node.place));
        }
        match told {
            Some(Verify::Told(verify)) => tls.verify = verify,
            Some(Verify::Roots(path, source)) => self.add_roots(&mut tls, &path, source),
            None => {}
        }
        if let Some((node, _)) = ca.filter(|_| !tls.verify) {
            let message = "`ca_file` has no effect with `ssl_verify: false`".to_owned();
            self.warn(node, message, "remove one of both");
        }
        if let Some(section) = section {
            self.own_tls(section, &mut tls);
        }
        (self.errors() == before).then(|| Some(Arc::new(tls)))
    }

    /// Says whom nobody checks, and what no TLS is spoken with.
    fn note_reach(&mut self, params: &Node, told: &Option<Verify>, base: Option<&Uri>) {
        let secure = base.filter(|url| url.scheme_str() == Some("https"));
        match (secure.and_then(Uri::host), told) {
            (Some(host), Some(Verify::Told(false))) => self.problems.notice(format!(
                "the certificate of {host} is not checked (ssl_verify: false): anyone may pose as it"
            )),
            (Some(_), _) => {}
            (None, _) => {
                let node = params.get("tls").or_else(|| params.get("ssl_verify"));
                let message =
                    "settings of TLS have no effect without an https `api_base`".to_owned();
                let help = "remove them, or write `api_base: https://…`";
                self.warn(node.unwrap_or(params), message, help);
            }
        }
    }

    fn own_tls(&mut self, section: &Node, tls: &mut UpstreamTls) {
        let certificate = self.text(section, "client_certificate");
        let key = self.text(section, "client_key");
        if let Some(certificate) = &certificate {
            let node = section.get("client_certificate").unwrap_or(section);
            let key = key.as_deref().unwrap_or(certificate);
            self.show(tls, certificate, key, Source::At(node.place));
        } else if let Some(node) = section.get("client_key").filter(|_| key.is_some()) {
            let message = "`client_key` is the key of no certificate".to_owned();
            self.error(node, message, "add `client_certificate: FILE`");
        }
        self.pins(section, tls);
        if let Some(name) = self.text(section, "server_name") {
            tls.server_name = ServerName::try_from(name).ok();
            if tls.server_name.is_none() {
                let at = section.get("server_name").unwrap_or(section);
                self.error(at, "`server_name` is no host name".into(), "write it as HOST.DOMAIN");
            }
        }
    }

    fn pins(&mut self, section: &Node, tls: &mut UpstreamTls) {
        let Some(node) = section.get("pins").filter(|pins| !pins.is_null()) else { return };
        let one = std::slice::from_ref(node);
        let all = if matches!(node.kind, Kind::List(_)) { node.items() } else { one };
        for pin in all {
            match pin.as_text().and_then(|text| text.parse().ok()) {
                Some(pin) => tls.pins.push(pin),
                None => {
                    let help = "write `sha256/` and the base64 of the SHA-256 of the server's \
                                SubjectPublicKeyInfo; docs/tls.md shows how to get it";
                    self.error(pin, "this is not a pin".to_owned(), help);
                }
            }
        }
        if all.is_empty() {
            let help = "name one, or leave `pins` out";
            self.error(node, "`pins` names no key, so none would be accepted".into(), help);
        }
    }

    fn ssl_verify(&mut self, map: &Node) -> Option<Verify> {
        let node = map.get("ssl_verify").filter(|node| !node.is_null())?;
        let told = match (node.as_bool(), &node.kind) {
            (Some(verify), _) => Some(Verify::Told(verify)),
            (None, Kind::Text(path)) if !path.is_empty() => {
                Some(Verify::Roots(path.into(), Source::At(node.place)))
            }
            _ => None,
        };
        if told.is_none() && node.text() != Some("") {
            let what = described(node);
            let message = format!("`ssl_verify` must be true, false or a file, not {what}");
            self.error(node, message, "write false, or the path of a PEM file of roots");
        }
        told
    }

    fn add_roots(&mut self, tls: &mut UpstreamTls, path: &Path, source: Source) {
        match further_roots(path, webpki_roots::TLS_SERVER_ROOTS) {
            Ok(roots) => {
                tls.roots.extend(roots);
                tls.files.push(path.to_owned());
            }
            Err(error) => self.of_no_use(&error, source),
        }
    }

    fn show(&mut self, tls: &mut UpstreamTls, certificate: &str, key: &str, source: Source) {
        match Identity::read(Path::new(certificate), Path::new(key)) {
            Ok(identity) => {
                for concern in identity.concerns() {
                    self.problems.add_once(concern_of(concern, source.place()));
                }
                tls.identity = Some(identity);
                tls.files.extend([certificate, key].map(PathBuf::from));
            }
            Err(error) => self.of_no_use(&error, source),
        }
    }

    /// Tells of a file that cannot be used.
    pub(super) fn of_no_use(&mut self, error: &FileError, source: Source) {
        let mut problem = bad_file(error, source.place());
        if let Source::Variable(name) = source {
            problem.message = format!("{name} names a file of no use: {}", problem.message);
            problem.help = problem.help.map(|help| format!("{help}, or unset {name}"));
        }
        self.problems.add(problem);
    }
}

impl Source {
    pub(super) fn place(self) -> Place {
        match self {
            Self::At(place) => place,
            Self::Variable(_) => Place::default(),
        }
    }
}

/// What a variable says that is a switch or a path.
fn verify_of(variable: &'static str, text: &str) -> Verify {
    let roots = || Verify::Roots(text.into(), Source::Variable(variable));
    truth(text).map_or_else(roots, Verify::Told)
}

/// The warning of something strange about a certificate or its key.
pub(super) fn concern_of(concern: String, place: Place) -> Problem {
    let help = if concern.contains("private key") {
        "take reading from others: `chmod o-r FILE`, or `defaultMode: 0440` of a volume"
    } else {
        "renew it, or check this machine's clock"
    };
    Problem::warning(concern, place).help(help)
}
