//! Embeddings of a list of inputs, each kept by itself: the provider is asked for those alone that
//! are missing (contract 6.4).
mod asked;

use self::asked::Asked;
use crate::providers::Prompt;
use crate::providers::openai::embeddings::inputs;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cache::{CacheLayer, Store};
use bartizan_layers::facts::CacheKey;
use bartizan_layers::wire::key::{key_of, key_of_object};
use bartizan_layers::wire::scan::Object;
use futures_util::future::Either;
use http::{Request, Response};
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
    /// Those of a request for embeddings by a `model`; `None` where it has no list of them, or no
    /// keys, or names several models: an answer does not say whose it is.
    pub(super) fn of<'a>(
        model: Option<&str>,
        context: impl IntoIterator<Item = &'a [u8]>,
        object: &Object<'_>,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        if model.is_some_and(|model| model.contains(',')) {
            return None;
        }
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
            Some(Asked::new(parts, keys.clone()))
        });
        let Some(asked) = asked else { return Either::Left(self.inner.call(req)) };
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        Either::Right(Box::pin(asked.answer(ready, req)))
    }
}
