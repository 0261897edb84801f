//! What went wrong, as a client may see it.
use http::{HeaderMap, StatusCode};
use std::borrow::Cow;
use std::time::Duration;

/// LiteLLM's exception classes: clients look for them at the start of a message, and metrics
/// carry them as `exception_class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// 401.
    Authentication,
    /// 403.
    PermissionDenied,
    /// 400.
    BadRequest,
    /// 404.
    NotFound,
    /// 408.
    Timeout,
    /// 422.
    UnprocessableEntity,
    /// 429.
    RateLimit,
    /// 500.
    InternalServer,
    /// 502.
    BadGateway,
    /// 503.
    ServiceUnavailable,
    /// A budget is spent.
    BudgetExceeded,
    /// 499: the client left.
    Cancelled,
    /// Any other status of an upstream.
    Api,
}

impl Class {
    /// The class that LiteLLM gives to an upstream's status.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 413 => Self::BadRequest,
            401 => Self::Authentication,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            422 => Self::UnprocessableEntity,
            429 => Self::RateLimit,
            500 | 529 => Self::InternalServer,
            502 => Self::BadGateway,
            503 => Self::ServiceUnavailable,
            _ => Self::Api,
        }
    }

    /// Its name, for example `RateLimitError`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "AuthenticationError",
            Self::PermissionDenied => "PermissionDeniedError",
            Self::BadRequest => "BadRequestError",
            Self::NotFound => "NotFoundError",
            Self::Timeout => "Timeout",
            Self::UnprocessableEntity => "UnprocessableEntityError",
            Self::RateLimit => "RateLimitError",
            Self::InternalServer => "InternalServerError",
            Self::BadGateway => "BadGatewayError",
            Self::ServiceUnavailable => "ServiceUnavailableError",
            Self::BudgetExceeded => "BudgetExceededError",
            Self::Cancelled => "Cancelled",
            Self::Api => "APIError",
        }
    }
}

/// An error that a client gets to see: its status, and the parts of every dialect's envelope.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// LiteLLM's class.
    pub class: Class,
    /// What happened and what to do, without any secret.
    pub message: Cow<'static, str>,
    /// OpenAI's `type`; `None` is null.
    pub kind: Option<&'static str>,
    /// OpenAI's `param`; `None` is null.
    pub param: Option<Cow<'static, str>>,
    /// When to try again, for the header `retry-after`.
    pub retry_after: Option<Duration>,
    /// More headers.
    pub headers: Option<Box<HeaderMap>>,
    /// How long an upstream was waited for, for the header `x-litellm-timeout`.
    pub timed_out: Option<Duration>,
}

impl Problem {
    /// A problem with the class of its status and the `type` that LiteLLM gives to it.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            class: Class::of(status),
            message: message.into(),
            kind: Some(kind_of(status)),
            param: None,
            retry_after: None,
            headers: None,
            timed_out: None,
        }
    }

    /// The client's own mistake.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// With this OpenAI `type`.
    #[must_use]
    pub fn kind(self, kind: &'static str) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// About this field of the request.
    #[must_use]
    pub fn param(self, param: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    /// Worth another try after `wait`.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

/// The `type` of an error by its status (contract 4.4, late 2026).
fn kind_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "throttling_error",
        400..=499 => "invalid_request_error",
        _ => "internal_server_error",
    }
}
