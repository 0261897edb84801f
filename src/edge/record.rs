//! One record per call: begun before anything else is done, told once when the body ends.
use super::answer;
use crate::providers::{Operation, Problem};
use crate::router::failure;
use crate::telemetry::{Failure, RequestId, Telemetry, Trail};
use crate::tunnel::Tunnel;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::end::{End, EndBody, OnEnd};
use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::Either;
use pin_project::{pin_project, pinned_drop};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;

/// What the receipt of a call is found by, at `/receipts/{id}`.
const RECEIPT: HeaderName = HeaderName::from_static("x-bartizan-receipt");

/// Wraps services in [`Record`].
#[derive(Clone, Debug)]
pub struct RecordLayer(Telemetry);

impl RecordLayer {
    /// Tells `telemetry` of each call.
    #[must_use]
    pub const fn new(telemetry: Telemetry) -> Self {
        Self(telemetry)
    }
}

impl<S> Layer<S> for RecordLayer {
    type Service = Record<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Record { inner, telemetry: self.0.clone() }
    }
}

/// Middleware that leaves a [`Trail`] and tells how the call ended. Made by [`RecordLayer`].
#[derive(Clone, Debug)]
pub struct Record<S> {
    inner: S,
    telemetry: Telemetry,
}

impl<S, B> Service<Request<B>> for Record<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = RecordFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<B>) -> Self::Future {
        let route = req.extensions().get().map_or("", Operation::route);
        let recording = Recording::begin(&self.telemetry, &req, route);
        req.extensions_mut().insert(recording.trail.clone());
        RecordFuture { inner: self.inner.call(req), recording: Some(recording) }
    }
}

/// What is told when a call ends.
#[derive(Debug)]
pub struct Recording {
    trail: Trail,
    telemetry: Telemetry,
}

impl Recording {
    fn begin<B>(telemetry: &Telemetry, req: &Request<B>, route: &'static str) -> Self {
        let given = req.headers().get(RequestId::HEADER).and_then(|id| id.to_str().ok());
        let id = given.and_then(RequestId::given).unwrap_or_else(RequestId::random);
        let trail = Trail::new(id, req.method().clone(), route);
        telemetry.begin(&trail);
        Self { trail, telemetry: telemetry.clone() }
    }

    /// Says where the answer's receipt will be.
    fn tell_receipt<B>(&self, rsp: &mut Response<B>) {
        if let Some(receipt) = self.telemetry.receipt(&self.trail) {
            rsp.headers_mut().insert(RECEIPT, receipt);
        }
    }
}

impl OnEnd for Recording {
    fn on_end(self, end: End) {
        self.telemetry.end(&self.trail, end);
    }
}

/// The response future of [`Record`]. Dropped early, the client has left.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
pub struct RecordFuture<F> {
    #[pin]
    inner: F,
    recording: Option<Recording>,
}

impl<F> Future for RecordFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let panicked = NotePanic(this.recording.as_ref());
        let polled = this.inner.poll(cx);
        drop(panicked);
        let Ok(mut rsp) = ready!(polled);
        let recording = this.recording.take().expect("a call is answered once");
        recording.tell_receipt(&mut rsp);
        recording.trail.set_status(rsp.status());
        Poll::Ready(Ok(if rsp.status() == StatusCode::SWITCHING_PROTOCOLS {
            switched(rsp, recording)
        } else {
            rsp.map(|body| recorded(body, recording))
        }))
    }
}

/// The call ends with the tunnel: until then its body, which carries nothing, is kept for those who
/// wait for its end.
#[cold]
fn switched(rsp: Response<Body>, recording: Recording) -> Response<Answer> {
    let Some(tunnel) = rsp.extensions().get::<Tunnel>().cloned() else {
        return rsp.map(|body| recorded(body, recording));
    };
    let (parts, open) = rsp.into_parts();
    tunnel.on_end(move |end| {
        drop(open);
        recording.on_end(end);
    });
    Response::from_parts(parts, Answer::Right(Body::empty()))
}

#[pinned_drop]
impl<F> PinnedDrop for RecordFuture<F> {
    fn drop(self: Pin<&mut Self>) {
        if let Some(recording) = self.project().recording.take() {
            recording.trail.leave();
            recording.on_end(End::Cancelled);
        }
    }
}

/// Tells the record that a layer panicked: the panic is caught outside, where nobody knows which
/// call it was.
struct NotePanic<'a>(Option<&'a Recording>);

impl Drop for NotePanic<'_> {
    fn drop(&mut self) {
        if let (Some(recording), true) = (self.0, std::thread::panicking()) {
            recording.trail.set_failure(Failure::PANIC);
            recording.trail.set_status(StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}

/// The body of an answer: of a call, which is counted and recorded; or of the proxy's own routes.
pub type Answer = Either<EndBody<Counted, Recording>, Body>;

/// The answer to a call that is refused before any layer has it.
pub(super) fn refused<B>(
    telemetry: &Telemetry,
    req: &Request<B>,
    operation: &Operation,
    problem: &Problem,
) -> Response<Answer> {
    let recording = Recording::begin(telemetry, req, operation.route());
    recording.trail.set_failure(failure(problem));
    recording.trail.set_status(problem.status);
    let mut rsp = answer(operation.dialect(), problem);
    rsp.headers_mut().insert(RequestId::HEADER, recording.trail.id().header().clone());
    recording.tell_receipt(&mut rsp);
    rsp.map(|body| recorded(body, recording))
}

fn recorded(inner: Body, recording: Recording) -> Answer {
    let heard = recording.trail.is_heard();
    let counted = Counted { inner, trail: recording.trail.clone(), heard };
    Either::Left(EndBody::new(counted, recording))
}

/// Counts the bytes that go by.
#[pin_project]
#[derive(Debug)]
pub struct Counted {
    #[pin]
    inner: Body,
    trail: Trail,
    /// Whether its words are kept.
    heard: bool,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            this.trail.add_written(data.len() as u64);
            if *this.heard {
                this.trail.hear(data);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
