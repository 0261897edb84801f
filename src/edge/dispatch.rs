//! Sends a request to the stack of calls, to the proxy's own routes, or home.
use super::{AdminRoute, Answer, Guard, Route, answer, cors};
use crate::providers::{Dialect, Operation, Problem};
use bartizan_layers::auth::{ProtocolKey, QueryKey};
use bartizan_layers::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Routes to `C`, which takes calls, and to `A`, which answers the proxy's own routes.
#[derive(Clone, Debug)]
pub struct Dispatch<C, A> {
    calls: C,
    admin: A,
    guard: Guard,
}

impl<C, A> Dispatch<C, A> {
    /// Puts both behind `guard`.
    pub const fn new(calls: C, admin: A, guard: Guard) -> Self {
        Self { calls, admin, guard }
    }
}

impl<C, A, B> Service<Request<B>> for Dispatch<C, A>
where
    C: Service<Request<B>, Response = Response<Answer>, Error = Infallible>,
    A: Service<Request<AdminRoute>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = DispatchFuture<C::Future, A::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let _ready = ready!(self.admin.poll_ready(cx));
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let route = Route::of(req.method(), req.uri().path());
        if let Err(problem) = self.guard.check(&req, &route) {
            return DispatchFuture::Done(Some(self.guard.refuse(&req, &route, &problem)));
        }
        match self.guard.origin(&req) {
            None => self.send(req, route),
            Some(origin) => match cors::preflight(&req, &origin) {
                Some(rsp) => DispatchFuture::Done(Some(rsp)),
                None => DispatchFuture::Cross(Box::pin(self.send(req, route)), Some(origin)),
            },
        }
    }
}

impl<C, A> Dispatch<C, A> {
    fn send<B>(&mut self, mut req: Request<B>, route: Route) -> DispatchFuture<C::Future, A::Future>
    where
        C: Service<Request<B>>,
        A: Service<Request<AdminRoute>>,
    {
        match route {
            Route::Call(operation) => {
                match operation {
                    Operation::Gemini(_) => drop(req.extensions_mut().insert(QueryKey)),
                    Operation::Realtime => drop(req.extensions_mut().insert(ProtocolKey)),
                    _ => {}
                }
                req.extensions_mut().insert(operation);
                DispatchFuture::Call(self.calls.call(req))
            }
            Route::CallOf(operation, model) => {
                if operation == Operation::Realtime {
                    req.extensions_mut().insert(ProtocolKey);
                }
                req.extensions_mut().insert(model);
                req.extensions_mut().insert(operation);
                DispatchFuture::Call(self.calls.call(req))
            }
            Route::Admin(route) => DispatchFuture::Admin(self.admin.call(req.map(|_| route))),
            Route::WrongMethod(allowed) => DispatchFuture::done(wrong_method(allowed)),
            Route::Nothing => DispatchFuture::done(nothing()),
        }
    }
}

/// LiteLLM's answer to a path that does not exist (contract 3).
#[must_use]
pub fn nothing() -> Response<Body> {
    detail(StatusCode::NOT_FOUND, r#"{"detail":"Not Found"}"#)
}

fn wrong_method(allowed: &'static str) -> Response<Body> {
    let mut rsp = detail(StatusCode::METHOD_NOT_ALLOWED, r#"{"detail":"Method Not Allowed"}"#);
    rsp.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    rsp
}

fn detail(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut rsp = answer(Dialect::OpenAi, &Problem::new(status, ""));
    *rsp.body_mut() = Body::Full(body.into());
    rsp
}

/// The response future of [`Dispatch`].
#[pin_project(project = FutureProj)]
#[derive(Debug)]
pub enum DispatchFuture<C, A> {
    /// A call.
    Call(#[pin] C),
    /// One of the proxy's own routes.
    Admin(#[pin] A),
    /// Any of these, for a page of another site that may read the answer.
    Cross(Pin<Box<Self>>, Option<HeaderValue>),
    /// Answered at once.
    Done(Option<Response<Answer>>),
}

impl<C, A> DispatchFuture<C, A> {
    fn done(rsp: Response<Body>) -> Self {
        Self::Done(Some(rsp.map(Answer::Right)))
    }
}

impl<C, A> Future for DispatchFuture<C, A>
where
    C: Future<Output = Result<Response<Answer>, Infallible>>,
    A: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            FutureProj::Call(call) => call.poll(cx),
            FutureProj::Admin(admin) => admin.poll(cx).map_ok(|rsp| rsp.map(Answer::Right)),
            FutureProj::Cross(inner, origin) => {
                let Ok(mut rsp) = ready!(inner.as_mut().poll(cx));
                if let Some(origin) = origin.take() {
                    cors::allow(rsp.headers_mut(), origin);
                }
                Poll::Ready(Ok(rsp))
            }
            FutureProj::Done(rsp) => Poll::Ready(Ok(rsp.take().expect("an answer is given once"))),
        }
    }
}
