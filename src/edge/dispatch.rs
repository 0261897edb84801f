//! Sends a request to the stack of calls, to the proxy's own routes, or home.
use super::rewrite::{without_query, without_root};
use super::route::stays_below;
use super::{AdminRoute, Answer, Guard, Route, answer, cors};
use crate::providers::{Dialect, Operation, Problem, Raw, Upload, is_of_type};
use crate::router::Endpoint;
use bartizan_layers::BoxError;
use bartizan_layers::auth::{KEY_HEADER, KeyNotNeeded, ProtocolKey, QueryKey};
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
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
    doors: Arc<Doors<A>>,
}

/// One of the proxy's own routes, and what the request says. Only those of the management API and
/// `/api/show` read a body; of others it is left alone.
#[derive(Debug)]
pub struct Page {
    /// Which one.
    pub route: AdminRoute,
    /// The request's body.
    pub body: Body,
}

impl Page {
    const fn new(route: AdminRoute) -> Self {
        Self { route, body: Body::empty() }
    }
}

/// What a request passes on its way in, shared by all.
#[derive(Debug)]
pub struct Doors<A> {
    admin: A,
    /// None where calls are not taken at all.
    guard: Option<Guard>,
    root: Option<Box<str>>,
    endpoints: Box<[Arc<Endpoint>]>,
}

impl<C, A> Dispatch<C, A> {
    /// Sends calls that come in by `doors` to `calls`.
    pub fn new(calls: C, doors: Doors<A>) -> Self {
        Self { calls, doors: Arc::new(doors) }
    }
}

impl<A> Doors<A> {
    /// Puts everything behind `guard`.
    pub fn new(admin: A, guard: Guard) -> Self {
        Self { guard: Some(guard), ..Self::admin_only(admin) }
    }

    /// Lets the proxy's own routes in and nothing else, from everywhere. All others do not exist.
    pub fn admin_only(admin: A) -> Self {
        Self { admin, guard: None, root: None, endpoints: Box::default() }
    }

    /// Takes every path also below `root`, unless that is empty.
    #[must_use]
    pub fn below(self, root: &str) -> Self {
        Self { root: Some(root).filter(|root| !root.is_empty()).map(Into::into), ..self }
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

    /// One of the proxy's own routes; there is no other here.
    fn page<B, C>(&self, route: Route, req: Request<B>) -> Way<C, A::Future>
    where
        A: hyper::service::Service<Request<Page>>,
    {
        match route {
            Route::Admin(route) => Way::Admin(self.admin.call(req.map(|_| Page::new(route)))),
            _ => Way::done(nothing()),
        }
    }

    /// Notes which of the config's paths this is, which is none of ours; else the answer.
    fn elsewhere<B>(&self, req: &mut Request<B>) -> Option<Response<Body>> {
        let Some((endpoint, rest)) = self.endpoint(req.uri().path()) else {
            return Some(nothing());
        };
        let config = endpoint.config();
        let taken = |method: &String| method == req.method().as_str();
        if !config.methods.iter().any(taken) {
            return Some(wrong_method(&config.methods.join(", ")));
        }
        let raw = Raw { provider: "pass_through", path: rest.into() };
        if let Some(name) = &config.key_header
            && let Some(key) = req.headers_mut().remove(name)
        {
            req.headers_mut().insert(KEY_HEADER, key);
        }
        let facts = req.extensions_mut();
        if !config.auth {
            facts.insert(KeyNotNeeded);
        }
        facts.insert(Operation::Raw(Box::new(raw)));
        facts.insert(endpoint);
        None
    }
}

impl<C, A, B> Service<Request<B>> for Dispatch<C, A>
where
    C: Service<Request<B>, Response = Response<Answer>, Error = Infallible>,
    A: hyper::service::Service<Request<Page>, Response = Response<Body>, Error = Infallible>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = DispatchFuture<C::Future, A::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, mut req: Request<B>) -> Self::Future {
        let doors = &*self.doors;
        if let Some(short) = doors.root.as_deref().and_then(|root| without_root(req.uri(), root)) {
            *req.uri_mut() = short;
        }
        let route = Route::of(req.method(), req.uri().path());
        let Some(guard) = &doors.guard else { return doors.page(route, req).into() };
        if let Err(problem) = guard.check(&req, &route) {
            return Way::Done(Some(guard.refuse(&req, &route, &problem))).into();
        }
        let page = guard.origin(&req).map(Box::new);
        if let Some(page) = &page {
            if let Some(rsp) = cors::preflight(&req, page) {
                return Way::Done(Some(rsp)).into();
            }
            // It is answered here; an upstream could only refuse the page once more.
            req.headers_mut().remove(header::ORIGIN);
        }
        let way = match route {
            Route::Call(operation) => {
                note(operation, &mut req);
                Way::Call(self.calls.call(req))
            }
            Route::CallOf(operation, model) => {
                // What Azure's clients say of its versions is not the upstream's to hear.
                if let Some(short) = without_query(req.uri(), "api-version") {
                    *req.uri_mut() = short;
                }
                req.extensions_mut().insert(model);
                note(operation, &mut req);
                Way::Call(self.calls.call(req))
            }
            Route::Admin(route) => {
                let page = |body| match route.has_body() {
                    true => Page { route, body: Body::stream(body) },
                    false => Page::new(route),
                };
                Way::Admin(doors.admin.call(req.map(page)))
            }
            Route::WrongMethod(allowed) => Way::done(wrong_method(&allowed)),
            Route::Nothing => match doors.elsewhere(&mut req) {
                None => Way::Call(self.calls.call(req)),
                Some(rsp) => Way::done(rsp),
            },
        };
        DispatchFuture { way, page }
    }
}

/// Images are edited by a form with files, or by JSON that says where they are.
fn as_sent(operation: Operation, headers: &HeaderMap) -> Operation {
    match operation {
        Operation::Upload(Upload::ImageEdits) if is_of_type(headers, "application/json") => {
            Operation::ImageEdits
        }
        operation => operation,
    }
}

/// Notes what a call is, and where else than in the headers its key may stand.
fn note<B>(operation: Operation, req: &mut Request<B>) {
    let operation = as_sent(operation, req.headers());
    let facts = req.extensions_mut();
    if operation.dialect() == Dialect::Gemini {
        facts.insert(QueryKey);
    } else if operation == Operation::Realtime {
        facts.insert(ProtocolKey);
    }
    facts.insert(operation);
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
#[pin_project]
#[derive(Debug)]
pub struct DispatchFuture<C, A> {
    #[pin]
    way: Way<C, A>,
    /// The origin of a page of another site that may read the answer.
    page: Option<Box<HeaderValue>>,
}

#[pin_project(project = WayProj)]
#[derive(Debug)]
enum Way<C, A> {
    /// A call.
    Call(#[pin] C),
    /// One of the proxy's own routes.
    Admin(#[pin] A),
    /// Answered at once.
    Done(Option<Response<Answer>>),
}

impl<C, A> Way<C, A> {
    fn done(rsp: Response<Body>) -> Self {
        Self::Done(Some(rsp.map(Answer::Right)))
    }
}

impl<C, A> From<Way<C, A>> for DispatchFuture<C, A> {
    fn from(way: Way<C, A>) -> Self {
        Self { way, page: None }
    }
}

impl<C, A> Future for DispatchFuture<C, A>
where
    C: Future<Output = Result<Response<Answer>, Infallible>>,
    A: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut polled = match this.way.project() {
            WayProj::Call(call) => call.poll(cx),
            WayProj::Admin(admin) => admin.poll(cx).map_ok(|rsp| rsp.map(Answer::Right)),
            WayProj::Done(rsp) => Poll::Ready(Ok(rsp.take().expect("an answer is given once"))),
        };
        if let (Poll::Ready(Ok(rsp)), Some(page)) = (&mut polled, &*this.page) {
            cors::allow(rsp.headers_mut(), HeaderValue::clone(page));
        }
        polled
    }
}
