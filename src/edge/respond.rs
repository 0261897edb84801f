//! The only place where an error becomes an answer: outside it nothing can fail.
//!
//! The table from error to status, class and text follows the contract's 4.4.
use crate::config::Compat;
use crate::edge::{IngestError, Paused, TooManyCalls};
use crate::providers::{Class, Dialect, Operation, Problem};
use crate::router::{
    NoDeployment, RouteError, UpstreamFailure, dollars, failure, failure_of, tell_error,
    tell_fallbacks,
};
use crate::telemetry::{self, Hit, RequestId, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::auth::AuthError;
use bartizan_layers::body::Body;
use bartizan_layers::cache::Replayed;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::cost::CostError;
use bartizan_layers::facts::{CacheStatus, Limit, Scope, ServedBy};
use bartizan_layers::ratelimit::{Exceeded, RateLimitError};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};
use tower_layer::Layer;
use tower_service::Service;

/// The time that ran out (contract 8.1).
const TIMEOUT: HeaderName = HeaderName::from_static("x-litellm-timeout");

/// When a limit that refused a call lets calls in again (contract 4.4).
const RESET_AT: HeaderName = HeaderName::from_static("reset_at");

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

/// The problem that an error is to a client, whose request bounds its answer by the member `bound`.
#[must_use]
pub fn problem(
    error: &(dyn std::error::Error + 'static),
    compat: Compat,
    bound: &'static str,
) -> Problem {
    if let Some(error) = cause_ref::<AuthError>(error) {
        return refused(error);
    }
    if let Some(full) = cause_ref::<TooManyCalls>(error) {
        return full.problem();
    }
    if let Some(paused) = cause_ref::<Paused>(error) {
        return paused.problem();
    }
    if let Some(error) = cause_ref::<IngestError>(error) {
        return error.problem();
    }
    if let Some(error) = cause_ref::<RouteError>(error) {
        return error.problem();
    }
    if let Some(nobody) = cause_ref::<NoDeployment>(error) {
        return nobody.why.problem();
    }
    if let Some(RateLimitError::Exceeded(exceeded)) = cause_ref(error) {
        return limited(exceeded);
    }
    if let Some(error) = cause_ref::<CostError>(error) {
        return unpaid(error, compat, bound);
    }
    if let Some(error) = cause_ref::<UpstreamFailure>(error) {
        return error.problem();
    }
    tracing::error!(%error, "An error has no answer of its own");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error of the proxy")
}

/// Whose limit it is that an error tells of, and what it limits.
fn limit(error: &(dyn std::error::Error + 'static)) -> Option<(&'static str, &'static str)> {
    if let Some(RateLimitError::Exceeded(exceeded)) = cause_ref(error) {
        let Limit { scope, measure, .. } = exceeded.limit;
        return Some((scope.name(), measure.name()));
    }
    let route = cause_ref::<NoDeployment>(error).map(|nobody| &nobody.why);
    if let Some(RouteError::Full { measure, .. }) = route {
        return measure.map(|measure| (Scope::Deployment.name(), measure.name()));
    }
    let exhausted = |error: &CostError| match error {
        CostError::BudgetExhausted(exhausted) => Some((exhausted.budget.scope.name(), "budget")),
        _ => None,
    };
    cause_ref(error).and_then(exhausted)
}

fn limited(exceeded: &Exceeded) -> Problem {
    let resets = telemetry::utc(SystemTime::now() + exceeded.reset);
    let message = format!("{exceeded}. Limit resets at: {resets}");
    let mut headers = HeaderMap::new();
    exceeded.headers(&mut headers);
    headers.extend(HeaderValue::try_from(resets).ok().map(|resets| (RESET_AT, resets)));
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, message);
    Problem { headers: Some(Box::new(headers)), ..problem }.retry_after(exceeded.reset)
}

/// A budget that refuses a call: 422 since late 2026, 400 before (contract 4.4).
fn unpaid(error: &CostError, compat: Compat, bound: &'static str) -> Problem {
    match error {
        CostError::BudgetExhausted(exhausted) => {
            let [cost, max] = [exhausted.spent, exhausted.budget.max].map(dollars);
            let (cost, max) = (cost.to_str().unwrap_or("?"), max.to_str().unwrap_or("?"));
            let message =
                format!("Budget has been exceeded! Current cost: {cost}, Max budget: {max}");
            let status = match compat {
                Compat::Current => StatusCode::UNPROCESSABLE_ENTITY,
                Compat::Classic => StatusCode::BAD_REQUEST,
            };
            let problem = Problem::new(status, message).kind("budget_exceeded");
            let problem = Problem { class: Class::BudgetExceeded, ..problem };
            exhausted.resets_in.into_iter().fold(problem, Problem::retry_after)
        }
        CostError::Unbounded => Problem::bad_request(format!(
            "`{bound}` is missing: the budget is strict, so a call must say how long its answer \
             may be."
        ))
        .param(bound),
        _ => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The budget cannot be read at the moment. Try again.",
        )
        .retry_after(Duration::from_secs(1)),
    }
}

fn refused(error: &AuthError) -> Problem {
    let unauthorized = |message: &'static str| Problem {
        class: Class::Authentication,
        ..Problem::new(StatusCode::UNAUTHORIZED, message).kind("auth_error")
    };
    match error {
        AuthError::Missing => unauthorized("Authentication Error, No api key passed in."),
        AuthError::Malformed => unauthorized(
            "Authentication Error, Malformed API Key passed in. \
             Ensure Key has `Bearer ` prefix.",
        ),
        AuthError::Outage(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Authentication Error, the store of keys cannot be reached. Try again.",
        ),
        _ => unauthorized(
            "Authentication Error, Invalid proxy server token passed. The key is not known here: \
             send the proxy's key, not the provider's.",
        )
        .kind("token_not_found_in_db")
        .param("key"),
    }
}
