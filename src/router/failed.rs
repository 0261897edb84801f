//! How an upstream failed.
use crate::credentials::CredentialError;
use crate::forward::{ConnectError, FetchError, ForwardError};
use crate::providers::{Class, Problem};
use crate::telemetry::Failure;
use bartizan_layers::BoxError;
use bartizan_layers::facts::{Cause, Fault};
use bartizan_layers::wire::usage_tap::UsageTapError;
use http::StatusCode;
use std::time::Duration;

/// An upstream failed before its answer could be handed on.
#[derive(Debug, thiserror::Error)]
#[error("the upstream failed: {cause}")]
pub struct UpstreamFailure {
    /// The provider as error messages spell it.
    pub provider: &'static str,
    /// What went wrong.
    pub cause: UpstreamCause,
    #[source]
    fault: Fault,
}

/// What went wrong at an upstream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamCause {
    /// The connection: refused, lost, too slow.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// There is nothing to prove the call with.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The answer broke off before the client got any of it.
    #[error("the answer broke off")]
    Cut,
    /// An error status with a page instead of the provider's JSON.
    #[error("an error page with status {0}")]
    Page(StatusCode),
    /// Another kind of answer than was asked for: no WebSocket, or one that nobody wanted.
    #[error("an answer of another kind, with status {0}")]
    Unasked(StatusCode),
    /// A 200 whose first event was an error.
    #[error("the stream began with an error: {message}")]
    ErrorFirst {
        /// What the error stands for.
        fault: Fault,
        /// The provider's own words.
        message: String,
    },
}

impl UpstreamFailure {
    /// What went wrong at `provider`.
    pub(super) fn new(provider: &'static str, cause: UpstreamCause) -> Self {
        let status = cause.status();
        let known = match &cause {
            UpstreamCause::ErrorFirst { fault, .. } => Some(fault.clone()),
            _ => None,
        };
        let fault = known.unwrap_or_else(|| {
            let (unsent, retry_after) = match &cause {
                UpstreamCause::Forward(error) => (error.nothing_sent(), None),
                UpstreamCause::Credential(error) => (true, error.retry_after()),
                _ => (false, None),
            };
            Fault { unsent, retry_after, ..Fault::new(cause.kind(), status) }
        });
        Self { provider, cause, fault }
    }

    /// What a client gets to see of it (contract 4.4).
    #[must_use]
    pub fn problem(&self) -> Problem {
        let status = self.cause.status();
        let class = Class::of(status);
        let words = match &self.cause {
            UpstreamCause::Forward(error) if error.is_timeout() => {
                let (after, words) = timed_out(error);
                let problem = Problem::new(status, format!("litellm.Timeout: {words}"));
                return Problem { timed_out: after, ..problem };
            }
            UpstreamCause::Forward(ForwardError::Image(error)) => {
                let problem = Problem::new(status, format!("litellm.ImageFetchError: {error}"));
                return problem.kind("invalid_request_error");
            }
            UpstreamCause::Forward(error @ ForwardError::Loop { .. }) => error.to_string(),
            UpstreamCause::Forward(error) => format!("Connection error. ({error})"),
            UpstreamCause::Credential(error) => error.to_string(),
            UpstreamCause::Cut => "Connection error. (the answer broke off)".to_owned(),
            UpstreamCause::Page(status) => format!("Error code: {}", status.as_u16()),
            UpstreamCause::Unasked(status) => {
                format!("It answered with status {}, which was not asked for.", status.as_u16())
            }
            UpstreamCause::ErrorFirst { message, .. } => message.clone(),
        };
        let (name, provider) = (class.name(), self.provider);
        Problem::new(status, format!("litellm.{name}: {name}: {provider}Exception - {words}"))
    }
}

/// A stream that is no answer.
impl From<UsageTapError> for UpstreamCause {
    fn from(error: UsageTapError) -> Self {
        match error {
            UsageTapError::ErrorFirst { fault, message } => {
                let message = message.unwrap_or_else(|| "the stream began with an error".into());
                Self::ErrorFirst { fault, message }
            }
            UsageTapError::Broke { error, .. } => Self::of_break(error),
            _ => Self::Cut,
        }
    }
}

impl UpstreamCause {
    /// An answer that broke off with `error`.
    pub(super) fn of_break(error: BoxError) -> Self {
        error.downcast::<ForwardError>().map_or(Self::Cut, |error| (*error).into())
    }

    /// The status that it is answered with (contract 4.4).
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Forward(error) if error.is_timeout() => StatusCode::REQUEST_TIMEOUT,
            Self::Forward(ForwardError::Loop { .. }) => StatusCode::LOOP_DETECTED,
            Self::Forward(ForwardError::Image(FetchError::NoMemory)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Forward(ForwardError::Image(_)) => StatusCode::BAD_REQUEST,
            Self::Forward(ForwardError::Connect { cause: ConnectError::NotPublic, .. }) => {
                StatusCode::FORBIDDEN
            }
            Self::Forward(_) | Self::Cut => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Credential(error) if error.is_refusal() => StatusCode::UNAUTHORIZED,
            Self::Credential(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unasked(_) => StatusCode::BAD_GATEWAY,
            Self::ErrorFirst { fault, .. } => fault.status,
            Self::Page(status) => *status,
        }
    }

    /// What kind of failure it is to retries, fallbacks and breakers.
    fn kind(&self) -> Cause {
        match self {
            Self::Forward(error) if error.is_timeout() => Cause::Timeout,
            Self::Forward(ForwardError::Loop { .. } | ForwardError::Image(_)) => Cause::Invalid,
            Self::Forward(ForwardError::Connect { cause: ConnectError::NotPublic, .. }) => {
                Cause::Invalid
            }
            Self::Forward(ForwardError::Target(_) | ForwardError::RequestBody(_)) => Cause::Invalid,
            Self::Forward(_) | Self::Cut => Cause::Network,
            Self::Credential(error) if error.is_refusal() => Cause::BadCredential,
            Self::Credential(_) | Self::Unasked(_) => Cause::Outage,
            Self::Page(_) | Self::ErrorFirst { .. } => Cause::of(self.status()),
        }
    }
}

/// What records and metrics tell of a problem.
#[must_use]
pub fn failure(problem: &Problem) -> Failure {
    Failure { status: problem.status.as_u16(), class: problem.class.name() }
}

/// What they tell of an upstream's own error.
#[must_use]
pub fn failure_of(status: StatusCode) -> Failure {
    Failure { status: status.as_u16(), class: Class::of(status).name() }
}

/// After how long, and the words for it.
fn timed_out(error: &ForwardError) -> (Option<Duration>, String) {
    let (ForwardError::FirstByteTimeout(after)
    | ForwardError::IdleTimeout(after)
    | ForwardError::TotalTimeout(after)
    | ForwardError::ConnectTimeout { after, .. }) = error
    else {
        return (None, format!("Request timed out. ({error})"));
    };
    let seconds = after.as_secs_f64();
    (Some(*after), format!("Request timed out after {seconds:?} seconds. ({error})"))
}
