//! What can go wrong between us and an upstream.
use super::fetch::FetchError;
use bartizan_layers::BoxError;
use rustls::AlertDescription;
use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Why an upstream gave no answer, or not all of it. No message holds a URL or a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardError {
    /// No connection could be made.
    #[error("could not connect to {host}: {cause}")]
    Connect {
        /// Host and port of the upstream.
        host: Arc<str>,
        /// Which step failed.
        cause: ConnectError,
    },
    /// No connection within `after`, name resolution, proxy and TLS included.
    #[error("could not connect to {host} within {after:?}")]
    ConnectTimeout {
        /// Host and port of the upstream.
        host: Arc<str>,
        /// The limit.
        after: Duration,
    },
    /// No response headers within this time.
    #[error("the upstream sent no answer within {0:?}")]
    FirstByteTimeout(Duration),
    /// Nothing more of the body within this time.
    #[error("the upstream sent nothing more for {0:?}")]
    IdleTimeout(Duration),
    /// The call as a whole took longer than this.
    #[error("the upstream did not finish within {0:?}")]
    TotalTimeout(Duration),
    /// The connection ended after the request was (partly) sent and before response headers.
    #[error("the upstream closed the connection before it answered")]
    Closed(#[source] hyper::Error),
    /// A new connection ended before anything was sent on it.
    #[error("the upstream closed the connection before the request was sent")]
    Unsent(#[source] hyper::Error),
    /// The response body broke off.
    #[error("the upstream broke off in the middle of its answer")]
    Cut(#[source] hyper::Error),
    /// What the upstream sent is not HTTP.
    #[error("the upstream's answer is not valid HTTP")]
    Protocol(#[source] hyper::Error),
    /// The response body broke off, for a reason that is not the connection's.
    #[error("the answer broke off: {0}")]
    AnswerBody(#[source] BoxError),
    /// The request body could not be read, so the request could not be sent whole.
    #[error("the request body broke off")]
    RequestBody(#[source] BoxError),
    /// An image that the request names by its URL could not be fetched.
    #[error("an image of the request could not be fetched: {0}")]
    Image(#[source] FetchError),
    /// The upstream ended the connection over our certificate. With TLS 1.3 that is heard only
    /// after the handshake, in place of an answer; of the request it has seen nothing.
    #[error(
        "the upstream refused our client certificate, or the lack of one; see the deployment's \
         tls.client_certificate"
    )]
    ClientCertificate(#[source] hyper::Error),
    /// Base URL and path together are no valid target.
    #[error("the path of the request does not fit the upstream's base URL")]
    Target(#[source] http::Error),
    /// The upstream is one of our own listeners.
    #[error("the upstream {host} is this proxy itself; set its api_base to the provider's URL")]
    Loop {
        /// Host and port of the upstream.
        host: Arc<str>,
    },
}

/// The step at which connecting failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name has no address.
    #[error("the name could not be resolved: {0}")]
    Dns(String),
    /// TCP: refused, unreachable, reset.
    #[error("{0}")]
    Tcp(#[source] io::Error),
    /// TLS, most often a certificate that is not trusted.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// Its certificate is in order, but its key is none of the deployment's `tls.pins`.
    #[error(
        "the key of its certificate is none of those that are pinned; if the provider has a new \
         one, mend the deployment's tls.pins, and else somebody may pose as it"
    )]
    Pin,
    /// The proxy of `HTTP_PROXY` or `HTTPS_PROXY` did not open a tunnel.
    #[error("the proxy {0}")]
    Proxy(String),
    /// The HTTP handshake failed.
    #[error("HTTP failed: {0}")]
    Http(#[source] hyper::Error),
    /// A client named an address that is not on the public internet.
    #[error("its address is not on the public internet")]
    NotPublic,
    /// The base URL has no host, or a scheme other than `http` and `https`.
    #[error("the base URL needs a host and the scheme http or https")]
    Url,
}

/// What is wrong with the settings of the forwarder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A proxy's URL is of no use. The URL itself may hold a password and is not shown.
    #[error("{variable} must be a URL of the form http://host:port")]
    Proxy {
        /// Which setting.
        variable: &'static str,
    },
}

impl ForwardError {
    /// Whether a deadline passed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout { .. }
                | Self::FirstByteTimeout(_)
                | Self::IdleTimeout(_)
                | Self::TotalTimeout(_)
        )
    }

    /// Whether there was never a connection.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::ConnectTimeout { .. }
                | Self::Loop { .. }
                | Self::ClientCertificate(_)
        )
    }

    /// Whether the upstream certainly saw nothing of the request, so that a second try is safe.
    #[must_use]
    pub const fn nothing_sent(&self) -> bool {
        self.is_connect() || matches!(self, Self::Unsent(_) | Self::Target(_) | Self::Image(_))
    }

    /// An error of hyper before the response headers, once the request was handed over.
    pub(super) fn before_headers(error: hyper::Error) -> Self {
        if error.is_parse() {
            return Self::Protocol(error);
        }
        if error.is_user() {
            return Self::RequestBody(error.into());
        }
        if is_about_our_certificate(&error) {
            return Self::ClientCertificate(error);
        }
        Self::Closed(error)
    }

    /// An error of hyper on a new connection that took nothing of the request.
    pub(super) fn unsent(error: hyper::Error) -> Self {
        if is_about_our_certificate(&error) {
            return Self::ClientCertificate(error);
        }
        Self::Unsent(error)
    }

    /// An error of hyper inside the response body.
    pub(super) fn in_body(error: hyper::Error) -> Self {
        if error.is_parse() { Self::Protocol(error) } else { Self::Cut(error) }
    }
}

fn is_about_our_certificate(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        let inner = one.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(alert) = inner.and_then(|inner| inner.downcast_ref()) {
            return is_certificate_alert(alert);
        }
        cause = one.source();
    }
    false
}

/// Whether a peer's alert is about the certificate that it was, or was not, shown.
pub(super) const fn is_certificate_alert(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
        )
    )
}
