//! A panic costs one call, not its connection: a future answers 500, a body breaks off.
use crate::edge::Answer;
use crate::providers::{Dialect, Problem};
use bartizan_layers::BoxError;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use pin_project::pin_project;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Catch`].
#[derive(Clone, Copy, Debug)]
pub struct CatchLayer;

impl<S> Layer<S> for CatchLayer {
    type Service = Catch<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Catch(inner)
    }
}

/// Middleware that turns a panic into an answer. Made by [`CatchLayer`].
#[derive(Clone, Debug)]
pub struct Catch<S>(S);

impl<S, B> Service<Request<B>> for Catch<S>
where
    S: Service<Request<B>, Response = Response<Answer>, Error = Infallible>,
{
    type Response = Response<CatchBody>;
    type Error = Infallible;
    type Future = CatchFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        CatchFuture(self.0.call(req))
    }
}

/// The response future of [`Catch`].
#[pin_project]
#[derive(Debug)]
pub struct CatchFuture<F>(#[pin] F);

impl<F> Future for CatchFuture<F>
where
    F: Future<Output = Result<Response<Answer>, Infallible>>,
{
    type Output = Result<Response<CatchBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.project().0;
        // What a panic leaves half done is dropped with the call.
        match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(polled) => polled.map_ok(|rsp| rsp.map(CatchBody)),
            Err(_) => Poll::Ready(Ok(apology())),
        }
    }
}

fn apology() -> Response<CatchBody> {
    tracing::error!("A call panicked and was answered with 500");
    let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error of the proxy");
    let body = Dialect::OpenAi.error_body(&problem);
    let mut rsp = Response::new(CatchBody(Answer::Right(body.into())));
    *rsp.status_mut() = problem.status;
    rsp
}

/// An answer's body that survives a panic of what is inside it.
#[pin_project]
#[derive(Debug)]
pub struct CatchBody(#[pin] Answer);

impl http_body::Body for CatchBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let inner = self.project().0;
        catch_unwind(AssertUnwindSafe(|| inner.poll_frame(cx))).unwrap_or_else(|_| {
            tracing::error!("A body panicked and was broken off");
            Poll::Ready(Some(Err("the body panicked".into())))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::CatchLayer;
    use crate::config::Compat;
    use crate::edge::RecordLayer;
    use crate::telemetry::{LogWriter, Metrics, Telemetry, UpstreamConnections};
    use bartizan_layers::body::Body;
    use http::{Request, Response, StatusCode};
    use std::convert::Infallible;
    use std::sync::Arc;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    #[tokio::test]
    async fn a_panic_is_answered_and_recorded_as_500() {
        let settings = crate::config::Telemetry {
            level: tracing::Level::ERROR,
            json: Some(true),
            metrics_need_key: None,
        };
        let metrics = Arc::new(Metrics::new(Compat::Current));
        let writer = LogWriter::start(std::io::sink()).unwrap();
        let telemetry = Telemetry::new(&settings, metrics.clone(), writer);
        let service = ServiceBuilder::new()
            .layer(CatchLayer)
            .layer(RecordLayer::new(telemetry))
            .service(service_fn(async |req: Request<()>| {
                assert!(req.uri().path() == "/fine", "a bug");
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }));
        let Ok(rsp) = service.oneshot(Request::new(())).await;
        assert_eq!(rsp.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let text = metrics.encode(UpstreamConnections::default());
        let counted = r#"bartizan_calls_total{route="",status="500"} 1.0"#;
        assert!(text.contains(counted), "{text}");
    }
}
