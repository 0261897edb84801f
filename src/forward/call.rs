//! One call: take or make a connection, send, wait for the response headers.
use super::body::UpstreamBody;
use super::error::ForwardError;
use super::h1::Exchange;
use super::h2;
use super::origin::Origin;
use super::timeouts::{Deadlines, Due};
use bartizan_layers::body::Body;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// A connection for one call.
#[derive(Debug)]
pub(super) enum Line {
    H1(Box<Exchange>),
    H2(Box<h2::Call>),
}

type Connecting = Pin<Box<dyn Future<Output = Result<Line, ForwardError>> + Send>>;

enum State {
    Start(Request<Body>),
    Connecting(Connecting, Request<Body>),
    Waiting(Line),
    Done,
}

/// The answer of an upstream, once its headers are there. Dropping it cancels the call.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(Result<Call, Option<ForwardError>>);

impl ResponseFuture {
    pub(super) fn new(origin: Arc<Origin>, request: Request<Body>) -> Self {
        Self(Ok(Call::new(origin, request)))
    }

    /// A call that cannot even start.
    pub(super) const fn failed(error: ForwardError) -> Self {
        Self(Err(Some(error)))
    }
}

struct Call {
    origin: Arc<Origin>,
    state: State,
    /// Whether the connection was made for this call: then there is no second try.
    is_fresh: bool,
    /// When a used connection sent the request back unsent.
    refused: Option<Instant>,
    deadlines: Deadlines,
    /// When the whole call must be over.
    end: Option<Instant>,
    due: Due,
}

impl Call {
    fn new(origin: Arc<Origin>, request: Request<Body>) -> Self {
        let deadlines = request.extensions().get::<Deadlines>().copied().unwrap_or_default();
        let now = Instant::now();
        let end = deadlines.total.map(|total| now + total);
        let due = Due::next(now, deadlines.first_byte, end);
        let state = State::Start(request);
        Self { origin, state, is_fresh: false, refused: None, deadlines, end, due }
    }

    /// Takes a connection out of the pool, or starts to make one.
    fn start(&mut self, request: Request<Body>) -> State {
        if !self.is_fresh {
            if let Some(stream) = self.origin.pool.share(None) {
                return self.send(Line::H2(h2::Call::new(stream)), request);
            }
            if let Some(exchange) = self.origin.pool.take(Instant::now()) {
                return self.send(Line::H1(exchange), request);
            }
        }
        self.is_fresh = true;
        let connect = Arc::clone(&self.origin).connect(self.refused);
        let connecting: Connecting = match (self.end, self.deadlines.total) {
            (Some(end), Some(total)) => Box::pin(async move {
                let late = |_| ForwardError::TotalTimeout(total);
                tokio::time::timeout_at(end, connect).await.map_err(late)?
            }),
            _ => Box::pin(connect),
        };
        State::Connecting(connecting, request)
    }

    fn send(&mut self, mut line: Line, mut request: Request<Body>) -> State {
        self.due = Due::next(Instant::now(), self.deadlines.first_byte, self.end);
        self.dress(&line, &mut request);
        match &mut line {
            Line::H1(exchange) => exchange.send(request),
            Line::H2(call) => call.send(request),
        }
        State::Waiting(line)
    }

    /// Names the upstream in the way of the connection's protocol. May be done twice.
    fn dress(&self, line: &Line, request: &mut Request<Body>) {
        let target = &self.origin.target;
        let is_h2 = matches!(line, Line::H2(_));
        if is_h2 {
            *request.version_mut() = Version::HTTP_2;
            request.headers_mut().remove(HOST);
        } else {
            *request.version_mut() = Version::HTTP_11;
            request.headers_mut().insert(HOST, target.host_header.clone());
            let auth = target.proxy.as_ref().and_then(|proxy| proxy.auth.as_ref());
            if let Some(auth) = auth.filter(|_| target.is_absolute_form()) {
                request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
            }
        }
        let is_absolute = is_h2 || target.is_absolute_form();
        if is_absolute != request.uri().scheme().is_some() {
            let mut parts = http::uri::Parts::default();
            parts.path_and_query = request.uri().path_and_query().cloned();
            if is_absolute {
                parts.scheme = Some(target.scheme.clone());
                parts.authority = Some(target.authority.clone());
            }
            *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        }
    }

    fn overdue(&self) -> ForwardError {
        let late = ForwardError::FirstByteTimeout(self.deadlines.first_byte);
        overdue(self.due, &self.deadlines, late)
    }

    /// A second try on a new connection, if the request came back unsent from a used one.
    fn again(
        &mut self,
        error: hyper::Error,
        request: Option<Request<Body>>,
    ) -> Result<State, ForwardError> {
        match request {
            Some(request) if !self.is_fresh => {
                self.is_fresh = true;
                self.refused = Some(Instant::now());
                Ok(State::Start(request))
            }
            Some(_) => Err(ForwardError::Unsent(error)),
            None => Err(ForwardError::before_headers(error)),
        }
    }

    fn poll_h1(
        &mut self,
        mut exchange: Box<Exchange>,
        cx: &mut Context<'_>,
    ) -> Result<Result<Response<UpstreamBody>, State>, ForwardError> {
        match exchange.poll_reply(cx) {
            Poll::Pending if exchange.is_overdue(self.due.at) => Err(self.overdue()),
            Poll::Pending => Ok(Err(State::Waiting(Line::H1(exchange)))),
            Poll::Ready(Ok(response)) => Ok(Ok(self.answer(response, |body, origin| {
                UpstreamBody::h1(body, exchange, Arc::clone(origin))
            }))),
            Poll::Ready(Err(mut failed)) => {
                let request = failed.take_message();
                self.again(failed.into_error(), request).map(Err)
            }
        }
    }

    fn poll_h2(
        &mut self,
        mut call: Box<h2::Call>,
        cx: &mut Context<'_>,
    ) -> Result<Result<Response<UpstreamBody>, State>, ForwardError> {
        match call.poll_reply(cx) {
            Poll::Pending if call.is_overdue(self.due.at, cx) => Err(self.overdue()),
            Poll::Pending => Ok(Err(State::Waiting(Line::H2(call)))),
            Poll::Ready(Ok(response)) => {
                Ok(Ok(self.answer(response, |body, _| UpstreamBody::h2(body, *call))))
            }
            Poll::Ready(Err((error, request))) => self.again(error, request).map(Err),
        }
    }

    fn answer(
        &self,
        response: Response<Incoming>,
        wrap: impl FnOnce(Incoming, &Arc<Origin>) -> UpstreamBody,
    ) -> Response<UpstreamBody> {
        let (deadlines, end) = (self.deadlines, self.end);
        response.map(|body| wrap(body, &self.origin).within(deadlines, end))
    }
}

/// The error for `due`: that of the `part`, or the end of the whole call.
pub(super) fn overdue(due: Due, deadlines: &Deadlines, part: ForwardError) -> ForwardError {
    match deadlines.total {
        Some(total) if due.total => ForwardError::TotalTimeout(total),
        _ => part,
    }
}

impl Call {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<UpstreamBody>, ForwardError>> {
        loop {
            let polled = match std::mem::replace(&mut self.state, State::Done) {
                State::Start(request) => Err(self.start(request)),
                State::Connecting(mut connecting, request) => {
                    let Poll::Ready(line) = connecting.as_mut().poll(cx) else {
                        self.state = State::Connecting(connecting, request);
                        return Poll::Pending;
                    };
                    Err(self.send(line?, request))
                }
                State::Waiting(line) => {
                    let polled = match line {
                        Line::H1(exchange) => self.poll_h1(exchange, cx)?,
                        Line::H2(call) => self.poll_h2(call, cx)?,
                    };
                    if let Err(state @ State::Waiting(_)) = polled {
                        self.state = state;
                        return Poll::Pending;
                    }
                    polled
                }
                State::Done => panic!("polled after it was ready"),
            };
            match polled {
                Ok(response) => return Poll::Ready(Ok(response)),
                Err(state) => self.state = state,
            }
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<UpstreamBody>, ForwardError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Ok(call) => call.poll(cx),
            Err(error) => Poll::Ready(Err(error.take().expect("polled after it was ready"))),
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.as_ref().ok().map(|call| &call.origin.target.name);
        f.debug_struct("ResponseFuture").field("origin", &origin).finish()
    }
}
