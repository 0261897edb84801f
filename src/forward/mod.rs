//! The leaf of the stack: sends requests to upstreams over connections that it keeps.
//!
//! It knows HTTP and no dialect. [`Forwarder`] holds what all upstreams share, [`Upstream`] is the
//! service for one base URL. An upstream sends to its own origin only, whatever the request says,
//! so a credential that is added for it reaches nobody else; redirects are passed on, never
//! followed. What headers may travel is decided with [`strip_request`] and [`strip_hop_by_hop`].
//!
//! An HTTP/1.1 connection has no task: the call that uses it drives it. An HTTP/2 connection is
//! shared and has tasks of its own, which end when the pool and all calls have let go of it.
//!
//! # Errors
//! [`ForwardError`]: before the response headers from the future, afterwards from the body.
//! A request is sent again only if it certainly was not seen, once, on a new connection.
use crate::config::{Outbound, UpstreamTls};
use crate::tasks::Tasks;
use bartizan_layers::body::Body;
use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

pub use self::body::UpstreamBody;
pub use self::call::ResponseFuture;
pub use self::error::{ConnectError, ForwardError, SetupError};
pub use self::fetch::{FetchError, Fetched, MOST_BYTES};
pub use self::headers::{strip_hop_by_hop, strip_request};
pub use self::origin::OriginStats;
pub use self::timeouts::Deadlines;
pub use self::upgrade::{Line, Upgrade};

use self::connect::Connector;
use self::origin::{Origin, Target};
use self::path::Paths;
use self::reach::Reach;

mod ask;
mod body;
mod call;
mod connect;
mod dns;
mod error;
mod fetch;
mod h1;
mod h2;
mod headers;
mod origin;
mod path;
mod pool;
mod post;
mod proxy;
mod reach;
#[cfg(test)]
mod tests;
mod timeouts;
mod tls;
mod upgrade;
mod verify;

/// What all upstreams share: settings, resolver, TLS, pools. Clones are the same forwarder.
#[derive(Clone, Debug)]
pub struct Forwarder(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connector: Arc<Connector>,
    pool_idle: Duration,
    trust_urls: bool,
    tasks: Tasks,
    origins: Mutex<HashMap<Key, Arc<Origin>>>,
}

/// What upstreams must have in common to share connections: where they are, and what TLS asks and
/// shows there, if that is not as everywhere.
type Key = (Scheme, Authority, Option<Arc<UpstreamTls>>);

impl Forwarder {
    /// Makes a forwarder. The resolver and the TLS roots are set up when they are first needed.
    ///
    /// `tasks` runs what watches over idle connections and drives HTTP/2. Call
    /// [`Forwarder::close_idle`] before waiting for it; then it is empty when the last call ends.
    ///
    /// # Errors
    /// [`SetupError`] for a proxy URL that is of no use.
    pub fn new(outbound: &Outbound, tasks: Tasks) -> Result<Self, SetupError> {
        Ok(Self(Arc::new(Shared {
            connector: Arc::new(Connector::new(outbound)?),
            pool_idle: outbound.pool_idle,
            trust_urls: outbound.trust_urls,
            tasks,
            origins: Mutex::default(),
        })))
    }

    /// The service for `base`. Upstreams with the same scheme and authority share connections.
    /// With a `base` that has no host or another scheme than `http` and `https`, all calls fail.
    #[must_use]
    pub fn upstream(&self, base: &Uri) -> Upstream {
        self.upstream_over(base, None)
    }

    /// The service for a `base` that a client named: on the public internet only, without a proxy,
    /// and with connections that no other call ever uses.
    #[must_use]
    pub fn public(&self, base: &Uri) -> Upstream {
        self.apart(base, Reach::Public)
    }

    /// The service for a `base` within `reach`, with connections of its own.
    fn apart(&self, base: &Uri, reach: Reach) -> Upstream {
        let target = Target::new(base, &self.0.connector, None).map(|target| target.within(reach));
        let origin = target.map(|target| {
            let origin = self.make(target);
            // Nobody asks for it again: a connection is closed when its call has ended.
            origin.pool.close();
            origin
        });
        Upstream { origin, paths: Arc::new(Paths::new(base)) }
    }

    fn make(&self, target: Target) -> Arc<Origin> {
        let connector = Arc::clone(&self.0.connector);
        Arc::new(Origin::new(target, connector, self.0.pool_idle, self.0.tasks.clone()))
    }

    /// As [`Forwarder::upstream`], with TLS as `own` says, if it says something. Connections are
    /// shared with upstreams that have equal settings only.
    #[must_use]
    pub fn upstream_over(&self, base: &Uri, own: Option<&Arc<UpstreamTls>>) -> Upstream {
        Upstream { origin: self.origin(base, own), paths: Arc::new(Paths::new(base)) }
    }

    fn origin(&self, base: &Uri, own: Option<&Arc<UpstreamTls>>) -> Option<Arc<Origin>> {
        let is_other = |own: &&Arc<UpstreamTls>| {
            base.scheme() == Some(&Scheme::HTTPS) && *own != self.0.connector.tls.told()
        };
        let own = own.filter(is_other).map(Arc::clone);
        let target = Target::new(base, &self.0.connector, own.clone())?;
        let key = (target.scheme.clone(), target.authority.clone(), own);
        let mut origins = self.0.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = origins.entry(key).or_insert_with(|| self.make(target));
        Some(Arc::clone(origin))
    }

    /// The connections to each origin now, in no order.
    #[must_use]
    pub fn stats(&self) -> Vec<OriginStats> {
        self.origins().iter().map(|origin| origin.stats()).collect()
    }

    /// For drain: closes idle connections now and busy ones when their call ends.
    pub fn close_idle(&self) {
        self.origins().iter().for_each(|origin| origin.pool.close());
    }

    /// Forgets the origins that no [`Upstream`] and no call leads to any more, and closes what is
    /// idle there.
    pub fn forget_unused(&self) {
        let mut origins = self.0.origins.lock().unwrap_or_else(PoisonError::into_inner);
        let unused: Vec<_> = origins.extract_if(|_, origin| Origin::is_unused(origin)).collect();
        drop(origins);
        unused.iter().for_each(|(_, origin)| origin.pool.close());
    }

    fn origins(&self) -> Vec<Arc<Origin>> {
        let origins = self.0.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.values().map(Arc::clone).collect()
    }
}

/// Sends requests to one base URL. Always ready; clones are cheap.
///
/// The request's URI is path and query below the base URL (`/chat/completions?x=1`); scheme and
/// host in it are ignored. `Host`, and the content length for a body of known length, are set
/// here. Deadlines come from the request fact [`Deadlines`].
#[derive(Clone, Debug)]
pub struct Upstream {
    origin: Option<Arc<Origin>>,
    paths: Arc<Paths>,
}

impl Upstream {
    /// As [`Service::call`], by shared reference.
    pub fn send(&self, request: Request<Body>) -> ResponseFuture {
        let deadlines = request.extensions().get().copied().unwrap_or_default();
        self.send_within(request, deadlines)
    }

    /// As [`Upstream::send`], with `deadlines` that are no request fact.
    pub fn send_within(&self, mut request: Request<Body>, deadlines: Deadlines) -> ResponseFuture {
        let Some(origin) = &self.origin else {
            return ResponseFuture::failed(ForwardError::Connect {
                host: "the upstream".into(),
                cause: ConnectError::Url,
            });
        };
        match self.paths.below_base(request.uri()) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(error) => return ResponseFuture::failed(ForwardError::Target(error)),
        }
        ResponseFuture::new(Arc::clone(origin), request, deadlines)
    }

    /// `host:port` of the upstream, for logs and metrics. `None` if the base URL is unusable.
    #[must_use]
    pub fn origin(&self) -> Option<&Arc<str>> {
        self.origin.as_ref().map(|origin| &origin.target.name)
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = http::Response<UpstreamBody>;
    type Error = ForwardError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ForwardError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        self.send(request)
    }
}
