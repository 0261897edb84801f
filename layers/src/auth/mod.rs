//! Proves who is calling, from the request's headers alone.
//!
//! The layer finds the key that the client [presented](Presented), asks a [`Keys`] policy whose
//! it is, and leaves the [`Principal`](crate::facts::Principal) among the request's facts. It
//! needs no body, so a stranger cannot make the server buffer one. Keys are compared as SHA-256
//! digests, in constant time; the key itself is not kept, and where the request's query repeats it,
//! it is taken out.
//!
//! # Errors
//!
//! [`AuthError`], before the inner service is called. Inner errors pass through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::{auth::{AuthLayer, MemoryKeys}, facts::Principal};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let alice = Principal::new("alice", "alice");
//! let service = ServiceBuilder::new()
//!     .layer(AuthLayer::new(MemoryKeys::new().with(b"sk-alice", alice)))
//!     .service_fn(async |req: Request<()>| {
//!         assert_eq!(&*req.extensions().get::<Principal>().expect("proved").user, "alice");
//!         Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
//!     });
//!
//! let request = Request::builder().header("authorization", "Bearer sk-alice").body(())?;
//! service.oneshot(request).await?;
//! # Ok(())
//! # }
//! ```
pub mod access;
mod cached;
mod future;
mod policy;
mod presented;
mod spent;
#[cfg(test)]
mod tests;

pub use self::cached::{CachedFuture, CachedKeys};
pub use self::future::AuthFuture;
pub use self::policy::{AuthError, Keys, MemoryKeys, digest};
pub use self::presented::{KEY_HEADER, KeyNotNeeded, Presented, ProtocolKey, QueryKey, presented};

use self::future::Asked;
use crate::BoxError;
use http::{HeaderName, Request};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Auth`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct AuthLayer<K> {
    keys: K,
    header: Option<HeaderName>,
}

impl<K> AuthLayer<K> {
    /// Asks `keys`; the key may come in any header that [`presented`] knows.
    pub const fn new(keys: K) -> Self {
        Self { keys, header: None }
    }

    /// Takes the key from `header` alone.
    #[must_use]
    pub fn only_header(self, header: HeaderName) -> Self {
        Self { header: Some(header), ..self }
    }
}

impl<K: Clone, S> Layer<S> for AuthLayer<K> {
    type Service = Auth<K, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Auth { inner, options: self.clone() }
    }
}

/// Middleware that proves who is calling. Made by [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct Auth<K, S> {
    inner: S,
    options: AuthLayer<K>,
}

impl<K, S, B> Service<Request<B>> for Auth<K, S>
where
    K: Keys,
    S: Service<Request<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = AuthFuture<K, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let AuthLayer { keys, header } = &self.options;
        let presented = presented(&request, header.as_ref());
        let clean = spent::without_key(request.uri(), presented);
        if let Some(proved) = keys.check_now(presented) {
            return AuthFuture::told(proved, &mut self.inner, Asked { request, clean });
        }
        let check = keys.check(presented);
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        AuthFuture::waiting(check, ready, Asked { request, clean })
    }
}
