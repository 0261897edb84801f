//! What holds for the calls of all deployments.
#[cfg(doc)]
use crate::config::Routing;
use crate::config::{ClientSide, Fit, TagRules, Timeouts};
use crate::conversations::Conversations;
use crate::credentials::Credentials;
use crate::forward::Forwarder;
use http::{HeaderName, HeaderValue};

/// What holds for the calls of all deployments.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) settings: Settings,
    /// What proves calls, and what sends them.
    pub(super) credentials: Credentials,
    /// Where responses are kept whose providers keep none.
    pub(super) conversations: Option<Conversations>,
    /// The header that names this process to the next hop.
    pub(super) hop: (HeaderName, HeaderValue),
    /// The header that carries the client's key where the config names one.
    pub(super) key_header: Option<HeaderName>,
}

impl Rules {
    pub(super) fn forwarder(&self) -> &Forwarder {
        self.credentials.forwarder()
    }
}

/// The parts of [`Routing`] that are not deployments.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) fit: Fit,
    pub(super) stream_usage: bool,
    pub(super) forward_metadata: bool,
    pub(super) timeouts: Timeouts,
    pub(super) client_side: ClientSide,
    pub(super) tags: Option<TagRules>,
    pub(super) client_mocks: bool,
    pub(super) list_wildcards: bool,
}
