//! Sends a request to the stack of calls, to the proxy's own routes, or home.
use super::rewrite::{without_query, without_root};
use super::route::stays_below;
use super::{AdminRoute, Answer, Guard, Route, answer, cors};
use crate::providers::{Dialect, Operation, Problem, Raw};
use crate::router::Endpoint;
use bartizan_layers::auth::{KeyNotNeeded, ProtocolKey, QueryKey};
use bartizan_layers::body::Body;
use http::{Extensions, HeaderValue, Method, Request, Response, StatusCode, header};
use pin_project::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Routes to `C`, which takes calls, and to `A`, which answers the proxy's own routes.
#[derive(Clone, Debug)]
pub struct Dispatch<C, A> {
    calls: C,
    admin: A,
    guard: Guard,
    root: Option<Arc<str>>,
    endpoints: Arc<[Arc<Endpoint>]>,
}

impl<C, A> Dispatch<C, A> {
    /// Puts both behind `guard`.
    pub fn new(calls: C, admin: A, guard: Guard) -> Self {
        Self { calls, admin, guard, root: None, endpoints: Arc::default() }
    }

    /// Takes every path also below `root`, unless that is empty.
    #[must_use]
    pub fn below(self, root: Arc<str>) -> Self {
        Self { root: Some(root).filter(|root| !root.is_empty()), ..self }
    }

    /// Takes the paths of the config too, where there is none of our own.
    #[must_use]
    pub fn endpoints(self, endpoints: &[Arc<Endpoint>]) -> Self {
        for path in endpoints.iter().map(|endpoint| &endpoint.config().path) {
            if Route::of(&Method::POST, path) != Route::Nothing {
                tracing::warn!(
                    "pass_through_endpoints: {path} is a path of the proxy itself, which counts"
                );
            }
        }
        let mut endpoints = endpoints.to_vec();
        // Of two that match, the longer one is meant.
        endpoints.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.config().path.len()));
        Self { endpoints: endpoints.into(), ..self }
    }

    /// The endpoint of the config that a path leads to, and what follows its own path.
    fn endpoint<'p>(&self, path: &'p str) -> Option<(Arc<Endpoint>, &'p str)> {
        self.endpoints.iter().find_map(|endpoint| {
            let config = endpoint.config();
            let rest = path.strip_prefix(config.path.as_str())?;
            let below = config.include_subpath && rest.starts_with('/') && stays_below(rest);
            let rest = if rest == "/" { "" } else { rest };
            (rest.is_empty() || below).then(|| (endpoint.clone(), rest))
        })
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
        if let Some(short) = self.root.as_deref().and_then(|root| without_root(req.uri(), root)) {
            *req.uri_mut() = short;
        }
        let route = Route::of(req.method(), req.uri().path());
        if let Err(problem) = self.guard.check(&req, &route) {
            return DispatchFuture::Done(Some(self.guard.refuse(&req, &route, &problem)));
        }
        if let Some(origin) = self.guard.origin(&req) {
            return self.across(req, origin);
        }
        match route {
            Route::Call(operation) => {
                note_key(&operation, req.extensions_mut());
                req.extensions_mut().insert(operation);
                DispatchFuture::Call(self.calls.call(req))
            }
            Route::CallOf(operation, model) => {
                note_key(&operation, req.extensions_mut());
                // What Azure's clients say of its versions is not the upstream's to hear.
                if let Some(short) = without_query(req.uri(), "api-version") {
                    *req.uri_mut() = short;
                }
                req.extensions_mut().insert(model);
                req.extensions_mut().insert(operation);
                DispatchFuture::Call(self.calls.call(req))
            }
            Route::Admin(route) => DispatchFuture::Admin(self.admin.call(req.map(|_| route))),
            Route::WrongMethod(allowed) => DispatchFuture::done(wrong_method(&allowed)),
            Route::Nothing => self.elsewhere(req),
        }
    }
}

impl<C, A> Dispatch<C, A> {
    /// A path that is none of ours: one of the config's, or nothing.
    fn elsewhere<B>(&mut self, mut req: Request<B>) -> DispatchFuture<C::Future, A::Future>
    where
        C: Service<Request<B>>,
        A: Service<Request<AdminRoute>>,
    {
        let Some((endpoint, rest)) = self.endpoint(req.uri().path()) else {
            return DispatchFuture::done(nothing());
        };
        let config = endpoint.config();
        let taken = |method: &String| method == req.method().as_str();
        if !config.methods.is_empty() && !config.methods.iter().any(taken) {
            return DispatchFuture::done(wrong_method(&config.methods.join(", ")));
        }
        let raw = Raw { provider: "pass_through", path: rest.into() };
        let facts = req.extensions_mut();
        if !config.auth {
            facts.insert(KeyNotNeeded);
        }
        facts.insert(Operation::Raw(Box::new(raw)));
        facts.insert(endpoint);
        DispatchFuture::Call(self.calls.call(req))
    }

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

/// Notes where else than in the headers a call's key may stand.
fn note_key(operation: &Operation, facts: &mut Extensions) {
    if operation.dialect() == Dialect::Gemini {
        facts.insert(QueryKey);
    } else if *operation == Operation::Realtime {
        facts.insert(ProtocolKey);
    }
}

/// LiteLLM's answer to a path that does not exist (contract 3).
#[must_use]
pub fn nothing() -> Response<Body> {
    detail(StatusCode::NOT_FOUND, r#"{"detail":"Not Found"}"#)
}

fn wrong_method(allowed: &str) -> Response<Body> {
    let mut rsp = detail(StatusCode::METHOD_NOT_ALLOWED, r#"{"detail":"Method Not Allowed"}"#);
    let allowed = HeaderValue::from_str(allowed);
    rsp.headers_mut().extend(allowed.ok().map(|allowed| (header::ALLOW, allowed)));
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
