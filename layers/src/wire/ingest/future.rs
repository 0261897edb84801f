//! The response future of [`Ingest`](super::Ingest).
use super::policy::Rules;
use super::{Endpoint, IngestError, Prices};
use crate::BoxError;
use crate::body::Body;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Request, header};
use pin_project::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Reads the body, then waits for the inner service. Dropping it drops the body.
#[pin_project]
#[derive(Debug)]
pub struct IngestFuture<P, S: Service<Request<Body>>, B> {
    #[pin]
    state: State<B, S::Future>,
    service: S,
    rules: Arc<Rules<P>>,
    parts: Option<Parts>,
    held: Held,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<B, F> {
    Reading(#[pin] B, Endpoint),
    Calling(#[pin] F),
}

/// What has come of a body. Nearly always it comes in one frame.
#[derive(Debug, Default)]
struct Held {
    first: Bytes,
    all: BytesMut,
}

impl<P, S, B> IngestFuture<P, S, B>
where
    S: Service<Request<Body>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(mut service: S, rules: Arc<Rules<P>>, req: Request<B>) -> Self {
        let endpoint = rules.endpoint.or_else(|| Endpoint::of_path(req.uri().path()));
        let endpoint = endpoint.filter(|_| req.method() == http::Method::POST);
        let (state, parts) = match endpoint {
            None => (State::Calling(service.call(req.map(Body::stream))), None),
            Some(endpoint) => {
                let (parts, body) = req.into_parts();
                (State::Reading(body, endpoint), Some(parts))
            }
        };
        Self { state, service, rules, parts, held: Held::default() }
    }
}

impl<P, S, B> Future for IngestFuture<P, S, B>
where
    P: Prices,
    S: Service<Request<Body>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let req = match this.state.as_mut().project() {
                StateProj::Calling(call) => return call.poll(cx).map_err(Into::into),
                StateProj::Reading(body, endpoint) => {
                    ready!(this.held.poll_read(body, this.rules.cap, cx))?;
                    let mut parts = this.parts.take().expect("a body ends once");
                    if is_encoded(&parts) {
                        return Poll::Ready(Err(IngestError::Encoded.into()));
                    }
                    let facts = &mut parts.extensions;
                    let body = this.rules.read(*endpoint, facts, this.held.take())?;
                    Request::from_parts(parts, body)
                }
            };
            this.state.set(State::Calling(this.service.call(req)));
        }
    }
}

impl Held {
    fn poll_read<B>(
        &mut self,
        mut body: Pin<&mut B>,
        cap: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), IngestError>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced.saturating_add(self.len()) > cap {
            return Poll::Ready(Err(IngestError::TooLarge(cap)));
        }
        while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
            let frame = frame.map_err(|error| IngestError::Broken(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            if self.len() + data.len() > cap {
                return Poll::Ready(Err(IngestError::TooLarge(cap)));
            }
            self.push(data);
        }
        Poll::Ready(Ok(()))
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        let first = std::mem::take(&mut self.first);
        self.all.extend_from_slice(&first);
        self.all.extend_from_slice(&data);
    }

    fn take(&mut self) -> Bytes {
        let all = std::mem::take(&mut self.all);
        if all.is_empty() { std::mem::take(&mut self.first) } else { all.freeze() }
    }
}

fn is_encoded(parts: &Parts) -> bool {
    parts.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity")
}
