//! `--limit_concurrency`: calls beyond a number are refused.
use crate::providers::Problem;
use crate::telemetry::Metrics;
use bartizan_layers::BoxError;
use http::{Request, Response, StatusCode};
use pin_project::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// A call came while as many as may be were open.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{0} calls are open already")]
pub struct TooManyCalls(pub usize);

impl TooManyCalls {
    /// 503, to be tried again soon.
    #[must_use]
    pub fn problem(self) -> Problem {
        let message = format!(
            "The proxy has {} calls open, which is as many as --limit_concurrency allows. Try \
             again.",
            self.0
        );
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, message);
        problem.retry_after(Duration::from_secs(1))
    }
}

/// Wraps services in [`Room`].
#[derive(Clone, Debug)]
pub struct RoomLayer(Option<Full>);

/// When there is no room.
#[derive(Clone, Debug)]
struct Full {
    limit: usize,
    metrics: Arc<Metrics>,
}

impl RoomLayer {
    /// Lets `limit` calls be open at once, as `metrics` count them, or any number.
    #[must_use]
    pub fn new(limit: Option<usize>, metrics: &Arc<Metrics>) -> Self {
        Self(limit.map(|limit| Full { limit, metrics: metrics.clone() }))
    }
}

impl<S> Layer<S> for RoomLayer {
    type Service = Room<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Room { inner, full: self.0.clone() }
    }
}

/// Middleware that refuses calls beyond a number. Made by [`RoomLayer`]; stands inside of what
/// counts a call as open, so that a call counts itself.
#[derive(Clone, Debug)]
pub struct Room<S> {
    inner: S,
    full: Option<Full>,
}

impl<S, B, R> Service<Request<B>> for Room<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = RoomFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        match &self.full {
            Some(full) if full.metrics.open_calls() > full.limit => {
                RoomFuture::Refused(TooManyCalls(full.limit))
            }
            _ => RoomFuture::Called(self.inner.call(req)),
        }
    }
}

/// The response future of [`Room`].
#[pin_project(project = FutureProj)]
#[derive(Debug)]
pub enum RoomFuture<F> {
    /// There was room.
    Called(#[pin] F),
    /// There was none.
    Refused(TooManyCalls),
}

impl<F, R> Future for RoomFuture<F>
where
    F: Future<Output = Result<R, BoxError>>,
{
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project() {
            FutureProj::Called(call) => ready!(call.poll(cx)),
            FutureProj::Refused(refused) => Err((*refused).into()),
        })
    }
}
