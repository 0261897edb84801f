//! Makes answers of errors, at the outside of a stack.
//!
//! A server that is handed an error cuts the connection. This layer tells the client instead what
//! went wrong: the status that belongs to the first error in the chain that is known, its text, and
//! `retry-after` where a time is known. Beyond it nothing fails, as hyper and axum want it.
//!
//! Unknown errors are a 502 and say no more than that: their text may name addresses. A program
//! that speaks to its clients in a format of its own writes this layer itself, by [`cause_ref`].
//!
//! # Errors
//!
//! None. Answers pass through untouched, but for their type.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::facts::{Cause, Fault};
//! use bartizan_layers::respond::RespondLayer;
//! # use {bytes::Bytes, http::{Request, Response, StatusCode}, http_body_util::Empty};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let service = ServiceBuilder::new().layer(RespondLayer::new()).service_fn(async |_: Request<()>| {
//!     Err::<Response<Empty<Bytes>>, _>(Fault::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE))
//! });
//! let Ok(response) = service.oneshot(Request::new(())).await;
//! assert_eq!(response.status(), 503);
//! # }
//! ```
#[cfg(test)]
mod tests;

use crate::BoxError;
use crate::body::Body;
use crate::cause::cause_ref;
use crate::facts::Fault;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Respond`]. See the [module docs](self) for an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct RespondLayer(());

impl RespondLayer {
    /// Answers in plain text.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for RespondLayer {
    type Service = Respond<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Respond { inner }
    }
}

/// Middleware that makes answers of errors. Made by [`RespondLayer`].
#[derive(Clone, Debug)]
pub struct Respond<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Respond<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = RespondFuture<S, B>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // An inner service that is not ready may fail; that, too, has to be an answer.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        RespondFuture { state: State::Waiting, service: self.inner.clone(), request: Some(req) }
    }
}

/// Waits until the inner service is ready, then for its answer. Dropping it drops the call.
#[pin_project]
#[derive(Debug)]
pub struct RespondFuture<S: Service<Request<B>>, B> {
    #[pin]
    state: State<S::Future>,
    service: S,
    request: Option<Request<B>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Waiting,
    Calling(#[pin] F),
}

impl<S, B, R> Future for RespondFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let result = loop {
            match this.state.as_mut().project() {
                StateProj::Waiting => match ready!(this.service.poll_ready(cx)) {
                    Ok(()) => {
                        let req = this.request.take().expect("a call is made once");
                        this.state.set(State::Calling(this.service.call(req)));
                    }
                    Err(error) => break Err(error),
                },
                StateProj::Calling(call) => break ready!(call.poll(cx)),
            }
        };
        Poll::Ready(Ok(match result {
            Ok(rsp) => rsp.map(Body::stream),
            Err(error) => respond(&error.into()),
        }))
    }
}

/// The answer that tells a client of `error`.
#[must_use]
pub fn respond(error: &BoxError) -> Response<Body> {
    let Told { status, text, retry_after } = told(error).unwrap_or_else(|| Told {
        status: StatusCode::BAD_GATEWAY,
        text: "the upstream could not be asked".to_owned(),
        retry_after: None,
    });
    let mut rsp = Response::new(Body::from(Bytes::from(text)));
    *rsp.status_mut() = status;
    let headers = rsp.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Some(wait) = retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    #[cfg(feature = "ratelimit")]
    if let Some(crate::ratelimit::RateLimitError::Exceeded(exceeded)) = cause_ref(&**error) {
        exceeded.headers(rsp.headers_mut());
    }
    rsp
}

/// What is said of an error.
struct Told {
    status: StatusCode,
    text: String,
    retry_after: Option<Duration>,
}

impl Told {
    fn new(status: StatusCode, error: &dyn std::error::Error) -> Self {
        Self { status, text: error.to_string(), retry_after: None }
    }
}

fn told(error: &BoxError) -> Option<Told> {
    let known: &[fn(&BoxError) -> Option<Told>] = &[
        #[cfg(feature = "auth")]
        of_auth,
        #[cfg(feature = "auth")]
        of_access,
        #[cfg(feature = "wire")]
        of_ingest,
        #[cfg(feature = "ratelimit")]
        of_ratelimit,
        #[cfg(feature = "cost")]
        of_cost,
        #[cfg(feature = "breaker")]
        of_breaker,
        #[cfg(feature = "adaptive")]
        of_adaptive,
        of_fault,
    ];
    known.iter().find_map(|of| of(error))
}

#[cfg(feature = "auth")]
fn of_auth(error: &BoxError) -> Option<Told> {
    use crate::auth::AuthError;
    let error: &AuthError = cause_ref(&**error)?;
    let status = match error {
        AuthError::Outage(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::UNAUTHORIZED,
    };
    Some(Told::new(status, error))
}

#[cfg(feature = "auth")]
fn of_access(error: &BoxError) -> Option<Told> {
    use crate::auth::access::AccessError;
    let error: &AccessError = cause_ref(&**error)?;
    let status = match error {
        AccessError::Outage(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    Some(Told::new(status, error))
}

#[cfg(feature = "wire")]
fn of_ingest(error: &BoxError) -> Option<Told> {
    use crate::wire::ingest::IngestError;
    let error: &IngestError = cause_ref(&**error)?;
    let status = match error {
        IngestError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        IngestError::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    Some(Told::new(status, error))
}

#[cfg(feature = "ratelimit")]
fn of_ratelimit(error: &BoxError) -> Option<Told> {
    use crate::ratelimit::RateLimitError;
    let error: &RateLimitError = cause_ref(&**error)?;
    let status = match error {
        RateLimitError::Outage(_) => StatusCode::SERVICE_UNAVAILABLE,
        RateLimitError::Exceeded(_) => StatusCode::TOO_MANY_REQUESTS,
    };
    Some(Told::new(status, error))
}

#[cfg(feature = "cost")]
fn of_cost(error: &BoxError) -> Option<Told> {
    use crate::cost::CostError;
    let error: &CostError = cause_ref(&**error)?;
    let (status, retry_after) = match error {
        CostError::Outage(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
        CostError::Unbounded => (StatusCode::BAD_REQUEST, None),
        // LiteLLM's (contract 4.4): clients repeat a 429 at once.
        CostError::BudgetExhausted(exhausted) => {
            (StatusCode::UNPROCESSABLE_ENTITY, exhausted.resets_in)
        }
    };
    Some(Told { retry_after, ..Told::new(status, error) })
}

#[cfg(feature = "breaker")]
fn of_breaker(error: &BoxError) -> Option<Told> {
    use crate::breaker::BreakerError;
    let error: &BreakerError = cause_ref(&**error)?;
    let retry_after = match error {
        BreakerError::Resting { until } => Some(until.duration_since(tokio::time::Instant::now())),
        BreakerError::Probing => None,
    };
    Some(Told { retry_after, ..Told::new(StatusCode::SERVICE_UNAVAILABLE, error) })
}

#[cfg(feature = "adaptive")]
fn of_adaptive(error: &BoxError) -> Option<Told> {
    let error: &crate::adaptive::Crowded = cause_ref(&**error)?;
    Some(Told::new(StatusCode::SERVICE_UNAVAILABLE, error))
}

fn of_fault(error: &BoxError) -> Option<Told> {
    let fault: &Fault = cause_ref(&**error)?;
    Some(Told { retry_after: fault.retry_after, ..Told::new(fault.status, fault) })
}
