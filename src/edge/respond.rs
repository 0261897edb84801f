//! The only place where an error becomes an answer: outside it nothing can fail.
use super::problem::{limit, problem};
use super::told_key;
use crate::config::Compat;
use crate::providers::{Dialect, Operation, Problem};
use crate::router::{dollars, failure, failure_of, tell_error, tell_fallbacks};
use crate::telemetry::{Hit, RequestId, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cache::Replayed;
use bartizan_layers::facts::{CacheStatus, NanoUsd, ServedBy};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;

/// The time that ran out (contract 8.1).
const TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");

/// Wraps services in [`Respond`].
#[derive(Clone, Copy, Debug)]
pub struct RespondLayer(Compat);

impl RespondLayer {
    /// Answers as that generation of LiteLLM does.
    #[must_use]
    pub const fn new(compat: Compat) -> Self {
        Self(compat)
    }
}

impl<S> Layer<S> for RespondLayer {
    type Service = Respond<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Respond { inner, compat: self.0 }
    }
}

/// Middleware that renders errors in the client's dialect. Made by [`RespondLayer`].
#[derive(Clone, Debug)]
pub struct Respond<S> {
    inner: S,
    compat: Compat,
}

impl<S, B> Service<Request<B>> for Respond<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = RespondFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A stack that is not ready says why in its answer.
        drop(self.inner.poll_ready(cx));
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let operation: Option<&Operation> = req.extensions().get();
        let dialect = operation.map_or(Dialect::OpenAi, Operation::dialect);
        let bound = operation.map_or("max_tokens", Operation::bound);
        let trail = req.extensions().get().cloned();
        RespondFuture { dialect, bound, trail, compat: self.compat, inner: self.inner.call(req) }
    }
}

/// The response future of [`Respond`].
#[pin_project]
#[derive(Debug)]
pub struct RespondFuture<F> {
    #[pin]
    inner: F,
    dialect: Dialect,
    /// What is missing where nothing bounds an answer.
    bound: &'static str,
    trail: Option<Trail>,
    compat: Compat,
}

impl<F> Future for RespondFuture<F>
where
    F: Future<Output = Result<Response<Body>, BoxError>>,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(Ok(match ready!(this.inner.poll(cx)) {
            Ok(mut rsp) => {
                match (rsp.extensions().get(), this.trail.as_ref()) {
                    (Some(CacheStatus::Hit), trail) => from_cache(&mut rsp, trail),
                    (Some(CacheStatus::Miss), Some(trail)) => trail.set_missed(),
                    _ => {}
                }
                if let Some(about) = this.trail.as_ref().and_then(Trail::about)
                    && let Some(caller) = about.get()
                {
                    let cost = this.trail.as_ref().map_or(NanoUsd(0), Trail::cost);
                    told_key::tell(caller, cost, rsp.headers_mut());
                }
                let status = rsp.status();
                if let (true, Some(trail)) = (is_error(status), this.trail.as_ref()) {
                    trail.fail(failure_of(status));
                    tell_fallbacks(trail, rsp.headers_mut());
                }
                rsp
            }
            Err(error) => {
                let problem = problem(&*error, *this.compat, this.bound);
                let mut rsp = answer(*this.dialect, &problem);
                if let Some(trail) = this.trail {
                    trail.fail(failure(&problem));
                    trail.set_error(beginning(&problem.message).into());
                    tell_error(&*error, trail, rsp.headers_mut());
                    if let Some((scope, measure)) = limit(&*error) {
                        trail.set_refused(scope, measure);
                    }
                    tracing::debug!(request_id = trail.id().as_str(), %error, "Call refused");
                    // Answers of deployments have it already.
                    rsp.headers_mut().insert(RequestId::HEADER, trail.id().header().clone());
                }
                rsp
            }
        }))
    }
}

/// As much of a message as is kept of it.
fn beginning(message: &str) -> &str {
    message.split_at(message.floor_char_boundary(1024)).0
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Makes an answer that was kept one of this call, which has cost nothing.
#[cold]
fn from_cache(rsp: &mut Response<Body>, trail: Option<&Trail>) {
    let original = rsp.extensions().get::<Replayed>().and_then(|Replayed(kept)| kept.bill);
    let served_by = rsp.extensions().get().map(|ServedBy(id)| id.clone());
    let served = served_by.as_deref().map(HeaderValue::from_str);
    let headers = rsp.headers_mut();
    if let Some(trail) = trail {
        trail.set_hit(Box::new(Hit::new(served_by, original)));
        headers.insert(RequestId::HEADER, trail.id().header().clone());
    }
    if let Some(Ok(served)) = served {
        headers.insert(MODEL_ID, served);
    }
    headers.insert(COST, HeaderValue::from_static("0.0"));
    if let Some((_, cost)) = original {
        headers.insert(ORIGINAL_COST, dollars(cost));
    }
}

const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");
const MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
const ORIGINAL_COST: HeaderName = HeaderName::from_static("x-litellm-response-cost-original");

/// An answer that tells of a problem.
#[must_use]
pub fn answer(dialect: Dialect, problem: &Problem) -> Response<Body> {
    let mut rsp = Response::new(Body::from(dialect.error_body(problem)));
    *rsp.status_mut() = problem.status;
    let headers = rsp.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(own) = &problem.headers {
        headers.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    // Behind them, as those of a limit have one too.
    if let Some(wait) = problem.retry_after {
        // Whole seconds, rounded up (RFC 9110 10.2.3).
        let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(after) = problem.timed_out {
        // As Python writes a float: `1.0`.
        let seconds = HeaderValue::try_from(format!("{:?}", after.as_secs_f64()));
        headers.extend(seconds.ok().map(|seconds| (TIMEOUT, seconds)));
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    rsp
}
