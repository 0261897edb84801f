//! Embeddings of a list of inputs, each kept by itself: the provider is asked for those alone that
//! are missing (contract 6.4).
use crate::providers::openai::embeddings::{Shares, apart, asking_for, inputs, together};
use crate::providers::{Hold, Prompt};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cache::{CacheLayer, Entry, Parts, Store};
use bartizan_layers::facts::{CacheKey, NanoUsd, Unit, Usage, UsageCell};
use bartizan_layers::wire::key::{key_of, key_of_object};
use bartizan_layers::wire::scan::{Object, scan};
use bytes::Bytes;
use futures_util::future::{Either, join_all};
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode, header, response};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A request fact: the call asks for several things, and the answer to each has a key of its own.
#[derive(Clone, Debug)]
pub(super) struct Items(Arc<[CacheKey]>);

impl Items {
    /// Those of a request for embeddings; `None` where it has no list of them, or no keys.
    pub(super) fn of<'a>(
        context: impl IntoIterator<Item = &'a [u8]>,
        object: &Object<'_>,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let all = inputs(object)?;
        let is_left_out = |name: &str| name == "input" || is_left_out(name);
        let CacheKey(rest) = key_of_object(context, object, is_left_out)?;
        let rest = rest.iter().fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("strings take everything");
            text
        });
        let key = |input: &[u8]| {
            let body = [br#"{"input":"#, input, b"}"].concat();
            key_of(&["item", &rest], &body, |_| false)
        };
        Some(Self(all.into_iter().map(key).collect::<Option<_>>()?))
    }
}

/// Wraps services in [`EachItem`].
#[derive(Clone, Debug)]
pub struct ItemsLayer<T, P>(CacheLayer<T, P>);

impl<T, P> ItemsLayer<T, P> {
    /// Keeps items where `cache` keeps answers, and by its rules.
    pub const fn new(cache: CacheLayer<T, P>) -> Self {
        Self(cache)
    }
}

impl<T: Clone, P: Clone, S> Layer<S> for ItemsLayer<T, P> {
    type Service = EachItem<T, P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        EachItem { inner, cache: self.0.clone() }
    }
}

/// Middleware that keeps what a call asks for item by item. Made by [`ItemsLayer`].
#[derive(Clone, Debug)]
pub struct EachItem<T, P, S> {
    inner: S,
    cache: CacheLayer<T, P>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl<T, P, S> Service<Request<Prompt>> for EachItem<T, P, S>
where
    T: Store + Send + Sync + 'static,
    T::Get: Send,
    S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<S::Future, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<Prompt>) -> Self::Future {
        let items = req.extensions().get::<Items>();
        let asked = items.and_then(|Items(keys)| {
            let parts = self.cache.parts(req.extensions(), keys)?;
            Some(Asked { parts, keys: keys.clone() })
        });
        let Some(asked) = asked else { return Either::Left(self.inner.call(req)) };
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        Either::Right(Box::pin(asked.answer(ready, req)))
    }
}

/// What a call asks for.
#[derive(Debug)]
struct Asked<T> {
    parts: Parts<T>,
    keys: Arc<[CacheKey]>,
}

impl<T: Store> Asked<T> {
    async fn answer<S>(self, mut inner: S, req: Request<Prompt>) -> Result<Response<Body>, BoxError>
    where
        S: Service<Request<Prompt>, Response = Response<Body>, Error = BoxError>,
    {
        let found = self.parts.found(join_all(self.parts.looks()).await);
        let missing: Vec<_> = (0..found.len()).filter(|at| found[*at].is_none()).collect();
        let held = req.body().held.clone();
        let kept = found.iter().flatten().map(|entry| entry.body.len());
        if !held.hold_more(kept.sum()) {
            return inner.call(req).await;
        }
        if missing.is_empty() {
            let found: Vec<_> = found.iter().flatten().cloned().collect();
            let bodies: Vec<_> = found.iter().map(|entry| entry.body.clone()).collect();
            if let Some(body) = together(&bodies, 0) {
                return Ok(self.parts.replay(&found, body).map(Body::Full));
            }
        }
        let Some((some, shares)) = self.asking_for(&req, &missing) else {
            return inner.call(req).await;
        };
        if missing.len() == found.len() {
            let rsp = inner.call(some).await?;
            return Ok(match self.kept(rsp, &missing, &shares, &*held).await {
                Ok((head, bytes, _)) => Response::from_parts(head, Body::Full(bytes)),
                Err(rsp) => rsp,
            });
        }
        match self.kept(inner.call(some).await?, &missing, &shares, &*held).await {
            Ok((head, _, each)) => match joined(&found, each, missing[0]) {
                Some(body) => Ok(with_body(head, body)),
                None => inner.call(req).await,
            },
            Err(rsp) if rsp.status() != StatusCode::OK => Ok(rsp),
            // It does not say which is whose: all of them are asked for, and told as they come.
            Err(_) => inner.call(req).await,
        }
    }

    /// The request for what is `missing`, and how its cost is divided.
    fn asking_for(
        &self,
        req: &Request<Prompt>,
        missing: &[usize],
    ) -> Option<(Request<Prompt>, Shares)> {
        let whole = req.body().text.whole();
        let object = scan(&whole).ok()?;
        let all = inputs(&object)?;
        let some: Vec<_> = missing.iter().filter_map(|at| all.get(*at).copied()).collect();
        let shares = Shares::by(some.iter().map(|input| input.len()));
        let mut asked = req.clone();
        if some.len() < all.len() {
            *asked.body_mut() = asking_for(req.body(), &some)?;
        }
        // Whoever answers tells what it took, as for all answers that are kept.
        asked.extensions_mut().insert(*self.keys.get(*missing.first()?)?);
        Some((asked, shares))
    }

    /// Keeps the answer to each of the inputs that were `missing`. What cannot be taken apart is
    /// given back.
    async fn kept(
        &self,
        rsp: Response<Body>,
        missing: &[usize],
        shares: &Shares,
        held: &dyn Hold,
    ) -> Result<(response::Parts, Bytes, Vec<Bytes>), Response<Body>> {
        if rsp.status() != StatusCode::OK {
            return Err(rsp);
        }
        let (mut head, body) = rsp.into_parts();
        head.extensions.insert(self.parts.status());
        let bytes = match collected(body, held).await {
            Ok(bytes) => bytes,
            Err(body) => return Err(Response::from_parts(head, body)),
        };
        let Some(each) = apart(&bytes, shares) else {
            return Err(Response::from_parts(head, Body::Full(bytes)));
        };
        let bill = head.extensions.get().and_then(UsageCell::bill);
        for (at, (part, body)) in missing.iter().zip(&each).enumerate() {
            self.parts.keep(*part, &head, body.clone(), bill.map(|bill| share(bill, shares, at)));
        }
        Ok((head, bytes, each))
    }
}

/// What was kept and what came `each` for itself, in order.
fn joined(found: &[Option<Entry>], each: Vec<Bytes>, speaker: usize) -> Option<Bytes> {
    let mut each = each.into_iter();
    let body = |kept: &Option<Entry>| match kept {
        Some(entry) => Some(entry.body.clone()),
        None => each.next(),
    };
    together(&found.iter().map(body).collect::<Option<Vec<_>>>()?, speaker)
}

fn with_body(mut head: response::Parts, body: Bytes) -> Response<Body> {
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::Full(body))
}

/// What one input has of the call's bill.
fn share((usage, cost): (Usage, NanoUsd), shares: &Shares, at: usize) -> (Usage, NanoUsd) {
    let share = |total: i64| {
        let share = shares.of(u64::try_from(total).unwrap_or(0), at);
        i64::try_from(share).unwrap_or(i64::MAX)
    };
    let mut own = Usage::default();
    for unit in Unit::ALL {
        own[unit] = share(usage[unit]);
    }
    (own, NanoUsd(share(cost.0)))
}

/// All of a body; or the body as it was, where memory does not allow for it or it breaks off.
async fn collected(mut body: Body, held: &dyn Hold) -> Result<Bytes, Body> {
    if let Body::Full(bytes) = body {
        return Ok(bytes);
    }
    let mut frames = Vec::new();
    let broken = loop {
        match body.frame().await {
            None => break None,
            Some(Err(error)) => break Some(Err(error)),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let fits = held.hold_more(data.len());
                frames.push(data);
                if !fits {
                    break Some(Ok(body));
                }
            }
        }
    };
    let begun = |frames: Vec<Bytes>| stream::iter(frames).map(|data| Ok(Frame::data(data)));
    match broken {
        None => Ok(frames.concat().into()),
        Some(Ok(rest)) => {
            let rest = begun(frames).chain(BodyStream::new(rest));
            Err(Body::stream(StreamBody::new(rest)))
        }
        Some(Err(error)) => {
            let error = stream::iter([Err::<Frame<Bytes>, BoxError>(error)]);
            Err(Body::stream(StreamBody::new(begun(frames).chain(error))))
        }
    }
}
