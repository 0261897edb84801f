//! Sends a request to the stack of calls, to the proxy's own routes, or home.
use super::rewrite::{without_query, without_root};
use super::{AdminRoute, Answer, Guard, Route, answer};
use crate::providers::{Dialect, Operation, Problem};
use bartizan_layers::auth::QueryKey;
use bartizan_layers::body::Body;
use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// Routes to `C`, which takes calls, and to `A`, which answers the proxy's own routes.
#[derive(Clone, Debug)]
pub struct Dispatch<C, A> {
    calls: C,
    admin: A,
    guard: Guard,
    root: Option<Arc<str>>,
}

impl<C, A> Dispatch<C, A> {
    /// Puts both behind `guard`.
    pub const fn new(calls: C, admin: A, guard: Guard) -> Self {
        Self { calls, admin, guard, root: None }
    }

    /// Takes every path also below `root`, unless that is empty.
    #[must_use]
    pub fn below(self, root: Arc<str>) -> Self {
        Self { root: Some(root).filter(|root| !root.is_empty()), ..self }
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
        let _ready = std::task::ready!(self.admin.poll_ready(cx));
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<B>) -> Self::Future {
        if let Some(short) = self.root.as_deref().and_then(|root| without_root(req.uri(), root)) {
            *req.uri_mut() = short;
        }
        let route = Route::of(req.method(), req.uri().path());
        if let Err(problem) = self.guard.check(req.uri(), req.headers()) {
            return DispatchFuture::done(answer(route.dialect(), &problem));
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
                // What Azure's clients say of its versions is not the upstream's to hear.
                if let Some(short) = without_query(req.uri(), "api-version") {
                    *req.uri_mut() = short;
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
    /// Answered at once.
    Done(Option<Response<Body>>),
}

impl<C, A> DispatchFuture<C, A> {
    const fn done(rsp: Response<Body>) -> Self {
        Self::Done(Some(rsp))
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
            FutureProj::Done(rsp) => {
                let rsp = rsp.take().expect("an answer is given once");
                Poll::Ready(Ok(rsp.map(Answer::Right)))
            }
        }
    }
}
