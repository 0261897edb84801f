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
use std::task::{Context, Poll, ready};
use tokio::time::Instant;

/// A connection for one call.
#[derive(Debug)]
pub(super) enum Line {
    H1(Box<Exchange>),
    H2(Box<h2::Call>),
}

type Connecting = Pin<Box<dyn Future<Output = Result<Line, ForwardError>> + Send>>;

enum State {
    /// The request is boxed here, so that a call on a kept connection has no room for it.
    Connecting(Connecting, Box<Request<Body>>),
    H1(Box<Exchange>),
    H2(Box<h2::Call>),
    Done,
}

/// The answer of an upstream, once its headers are there. Dropping it cancels the call.
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture(Result<Call, Option<ForwardError>>);

impl ResponseFuture {
    /// Sends `request` at once if there is a connection for it, else begins to make one.
    pub(super) fn new(origin: Arc<Origin>, request: Request<Body>, deadlines: Deadlines) -> Self {
        let now = Instant::now();
        let end = deadlines.total.map(|total| now + total);
        let due = Due::next(now, deadlines.first_byte, end);
        let state = State::Done;
        let mut call = Call { origin, state, is_fresh: false, refused: None, deadlines, end, due };
        call.start(request, now);
        Self(Ok(call))
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
    /// Takes a connection out of the pool, or starts to make one.
    fn start(&mut self, request: Request<Body>, now: Instant) {
        if !self.is_fresh {
            if let Some(stream) = self.origin.pool.share(None) {
                return self.send(Line::H2(h2::Call::new(stream)), request);
            }
            if let Some(exchange) = self.origin.pool.take(now) {
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
        self.state = State::Connecting(connecting, Box::new(request));
    }

    fn send(&mut self, line: Line, mut request: Request<Body>) {
        self.dress(&line, &mut request);
        self.state = match line {
            Line::H1(mut exchange) => {
                exchange.send(request);
                State::H1(exchange)
            }
            Line::H2(mut call) => {
                call.send(request);
                State::H2(call)
            }
        };
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
    ) -> Result<(), ForwardError> {
        match request {
            Some(request) if !self.is_fresh => {
                let now = Instant::now();
                self.is_fresh = true;
                self.refused = Some(now);
                self.due = Due::next(now, self.deadlines.first_byte, self.end);
                self.start(request, now);
                Ok(())
            }
            Some(_) => Err(ForwardError::unsent(error)),
            None => Err(ForwardError::before_headers(error)),
        }
    }

    fn answer(&mut self, response: Response<Incoming>) -> Response<UpstreamBody> {
        let (parts, incoming) = response.into_parts();
        let body = match self.take_state() {
            State::H1(exchange) => UpstreamBody::h1(incoming, exchange, Arc::clone(&self.origin)),
            State::H2(call) => UpstreamBody::h2(incoming, *call),
            State::Connecting(..) | State::Done => unreachable!("an answer comes on a connection"),
        };
        Response::from_parts(parts, body.within(self.deadlines, self.end))
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
    /// Goes on from state to state. `None` if there is a new one to go on with.
    fn step(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Response<UpstreamBody>>, ForwardError>> {
        match &mut self.state {
            State::Connecting(connecting, _) => {
                let line = ready!(connecting.as_mut().poll(cx))?;
                self.due = Due::next(Instant::now(), self.deadlines.first_byte, self.end);
                if let State::Connecting(_, request) = self.take_state() {
                    self.send(line, *request);
                }
                Poll::Ready(Ok(None))
            }
            State::H1(exchange) => match exchange.poll_reply(cx) {
                Poll::Pending if exchange.is_overdue(self.due.at) => {
                    Poll::Ready(Err(self.overdue()))
                }
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(Some(self.answer(response)))),
                Poll::Ready(Err(mut failed)) => {
                    let request = failed.take_message();
                    self.again(failed.into_error(), request)?;
                    Poll::Ready(Ok(None))
                }
            },
            State::H2(call) => match call.poll_reply(cx) {
                Poll::Pending if call.is_overdue(self.due.at, cx) => {
                    Poll::Ready(Err(self.overdue()))
                }
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(response)) => Poll::Ready(Ok(Some(self.answer(response)))),
                Poll::Ready(Err((error, request))) => {
                    self.again(error, request)?;
                    Poll::Ready(Ok(None))
                }
            },
            State::Done => panic!("polled after it was ready"),
        }
    }

    const fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Done)
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<UpstreamBody>, ForwardError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            Ok(call) => loop {
                if let Some(response) = ready!(call.step(cx))? {
                    return Poll::Ready(Ok(response));
                }
            },
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
