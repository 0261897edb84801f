//! The place of the service that is in force.
use arc_swap::ArcSwap;
use hyper::service::Service;
use std::sync::Arc;

/// A service that can be replaced while it is used. A call is made to the one that is current when
/// it comes; clones are the same place.
#[derive(Debug)]
pub struct Current<S>(Arc<ArcSwap<S>>);

impl<S> Current<S> {
    /// Begins with `service`.
    pub fn new(service: S) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(service)))
    }

    /// Sends calls to `service` from now on.
    pub fn replace(&self, service: S) {
        self.0.store(Arc::new(service));
    }
}

impl<S> Clone for Current<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Service<R>, R> Service<R> for Current<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, req: R) -> Self::Future {
        self.0.load().call(req)
    }
}
