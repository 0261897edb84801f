//! Sends a request to the stack of calls, to the proxy's own routes, or home.
use super::{AdminRoute, Answer, Guard, Route, answer, cors};
use crate::providers::{Dialect, Operation, Problem};
use bartizan_layers::auth::QueryKey;
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

    fn call(&mut self, mut req: Request<B>) -> Self::Future {
        let route = Route::of(req.method(), req.uri().path());
        if let Err(problem) = self.guard.check(&req, &route) {
            return DispatchFuture::Done(Some(self.guard.refuse(&req, &route, &problem)));
        }
        if let Some(origin) = self.guard.origin(&req) {
            return self.across(req, origin);
        }
        match route {
            Route::Call(operation) => {
                if matches!(operation, Operation::Gemini(_)) {
                    req.extensions_mut().insert(QueryKey);
                }
                req.extensions_mut().insert(operation);
                DispatchFuture::Call(self.calls.call(req))
            }
            Route::CallOf(operation, model) => {
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

impl<C, A> Dispatch<C, A> {
    /// Answers a page of another site that may call, or the browser that asks for it.
    #[cold]
    fn across<B>(
        &mut self,
        mut req: Request<B>,
        origin: HeaderValue,
    ) -> DispatchFuture<C::Future, A::Future>
    where
        C: Service<Request<B>, Response = Response<Answer>, Error = Infallible>,
        A: Service<Request<AdminRoute>, Response = Response<Body>, Error = Infallible>,
    {
        if let Some(rsp) = cors::preflight(&req, &origin) {
            return DispatchFuture::Done(Some(rsp));
        }
        // It is answered here; an upstream could only refuse the page once more.
        req.headers_mut().remove(header::ORIGIN);
        DispatchFuture::Cross(Box::pin(self.call(req)), Some(origin))
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
