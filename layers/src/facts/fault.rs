//! Why an attempt failed, in the terms that fallback, retry and breaker go by.
use crate::BoxError;
use crate::cause::cause_ref;
use http::{HeaderMap, Response, StatusCode, header};
use std::time::Duration;
use std::{error, fmt};

/// What kind of failure it is. Each has its own effect on retry, fallback and breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The credential was refused.
    BadCredential,
    /// The credential may not do this.
    Permission,
    /// The account has nothing left.
    Quota,
    /// Too many calls or tokens for now.
    RateLimit,
    /// The provider has too much to do.
    Overload,
    /// The prompt is longer than the model takes.
    ContextTooLong,
    /// The provider's policy refuses the prompt or the answer.
    ContentFilter,
    /// The request is wrong.
    Invalid,
    /// There is no such model.
    NotFound,
    /// It took too long.
    Timeout,
    /// The provider is broken.
    Outage,
    /// The provider was not reached, or the connection broke.
    Network,
}

impl Cause {
    /// For labels and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadCredential => "bad_credential",
            Self::Permission => "permission",
            Self::Quota => "quota",
            Self::RateLimit => "rate_limit",
            Self::Overload => "overload",
            Self::ContextTooLong => "context_too_long",
            Self::ContentFilter => "content_filter",
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Timeout => "timeout",
            Self::Outage => "outage",
            Self::Network => "network",
        }
    }

    /// What a status says alone, where nothing else is known.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::BadCredential,
            402 => Self::Quota,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            429 => Self::RateLimit,
            503 | 529 => Self::Overload,
            400..=499 => Self::Invalid,
            _ => Self::Outage,
        }
    }
}

/// How an attempt failed. A fact of an answer with an error status, or the cause in an error's
/// chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure it is.
    pub cause: Cause,
    /// The upstream's status, or the one that the failure stands for.
    pub status: StatusCode,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
    /// Whether nothing of the request reached the provider, so that it cannot have acted on it.
    pub unsent: bool,
    /// Whether it was this side that refused, because the deployment rests or has no room. That
    /// says nothing of the deployment, and to ask the same one again at once is in vain.
    pub refused: bool,
}

impl Fault {
    /// A call that this side refused: the source of such an error.
    pub const REFUSED: Self = Self {
        unsent: true,
        refused: true,
        ..Self::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE)
    };

    /// A failure of which no more is known.
    #[must_use]
    pub const fn new(cause: Cause, status: StatusCode) -> Self {
        Self { cause, status, retry_after: None, unsent: false, refused: false }
    }

    /// How an attempt failed that ended like this; `None` if it did not fail. An answer that
    /// carries a fault is judged by it, any other by its status; an error by the fault in its
    /// chain of causes, and one without any is a failure of the network.
    #[must_use]
    pub fn of<B>(result: Result<&Response<B>, &BoxError>) -> Option<Self> {
        match result {
            Ok(rsp) => {
                let failed = rsp.status().is_client_error() || rsp.status().is_server_error();
                let told = rsp.extensions().get::<Self>().cloned();
                told.or_else(|| failed.then(|| Self::of_status(rsp.status(), rsp.headers())))
            }
            Err(error) => {
                Some(cause_ref::<Self>(&**error).cloned().unwrap_or_else(|| {
                    Self::new(Cause::Network, StatusCode::INTERNAL_SERVER_ERROR)
                }))
            }
        }
    }

    fn of_status(status: StatusCode, headers: &HeaderMap) -> Self {
        Self { retry_after: retry_after(headers), ..Self::new(Cause::of(status), status) }
    }
}

/// The seconds of `retry-after` (RFC 9110 10.2.3), or the milliseconds of `retry-after-ms`, which
/// OpenAI and Azure send. A date is not read here: it needs a clock.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|millis| millis / 1000.0);
    let seconds = seconds.or_else(|| number(header::RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refused {
            return f.write_str("the upstream was not asked");
        }
        write!(f, "the upstream failed: {} ({})", self.cause.name(), self.status.as_u16())
    }
}

impl error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::{Cause, Fault};
    use crate::BoxError;
    use http::{Response, StatusCode};
    use std::time::Duration;

    #[test]
    fn an_answer_is_judged_by_its_fault_before_its_status() {
        let mut rsp = Response::builder().status(429).header("retry-after", "7").body(()).unwrap();
        let fault = Fault::of(Ok(&rsp)).unwrap();
        assert_eq!(
            (fault.cause, fault.retry_after),
            (Cause::RateLimit, Some(Duration::from_secs(7)))
        );
        rsp.extensions_mut().insert(Fault::new(Cause::Quota, StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(Fault::of(Ok(&rsp)).unwrap().cause, Cause::Quota);
        assert_eq!(Fault::of::<()>(Ok(&Response::new(()))), None);
    }

    #[test]
    fn an_error_without_a_fault_is_one_of_the_network() {
        let reset = BoxError::from("reset");
        assert_eq!(Fault::of::<()>(Err(&reset)).unwrap().cause, Cause::Network);
        let fault = BoxError::from(Fault::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(Fault::of::<()>(Err(&fault)).unwrap().cause, Cause::Overload);
    }
}
