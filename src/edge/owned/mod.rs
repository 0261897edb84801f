//! Keeps the objects of tenants apart that a provider keeps for the proxy: files, batches,
//! responses, vector stores, ….
//!
//! Whoever makes one owns it, for all keys of its team or user. Objects of others can be neither
//! reached nor named, and do not stand in lists. What was not made here has no owner: it can be read
//! and named, and changed by admins.
mod answers;
mod place;
mod references;

pub(super) use self::references::{of_field, of_json, tell};

use self::answers::{Heard, as_it_was, followed, hear, keep_own, listed, made, rewritten};
use self::place::{Deed, Place};
use self::references::References;
use crate::identity::{Denied, Owners, Tenant};
use crate::providers::Operation;
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::auth::AuthError;
use bartizan_layers::body::Body;
use bartizan_layers::end::{End, EndBody};
use bartizan_layers::facts::Principal;
use futures_util::future::Either;
use http::{Extensions, Method, Request, Response, StatusCode, header};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Owned`].
#[derive(Clone, Debug)]
pub struct OwnedLayer(Owners);

impl OwnedLayer {
    /// Whose each object is, `owners` know.
    #[must_use]
    pub const fn new(owners: Owners) -> Self {
        Self(owners)
    }
}

impl<S> Layer<S> for OwnedLayer {
    type Service = Owned<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Owned { inner, owners: self.0.clone() }
    }
}

/// Middleware that keeps the objects of tenants apart. Made by [`OwnedLayer`].
#[derive(Clone, Debug)]
pub struct Owned<S> {
    inner: S,
    owners: Owners,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

impl<S, B> Service<Request<B>> for Owned<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Either<S::Future, Answer>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let deed = deed(req.method(), req.extensions());
        let names = req.extensions().get::<References>().is_some();
        let principal = req.extensions().get::<Principal>();
        let Some(principal) = principal.filter(|_| deed.is_some() || names) else {
            return Either::Left(self.inner.call(req));
        };
        let tenant = Tenant::of(principal);
        let unready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, unready);
        let call = Owning { owners: self.owners.clone(), tenant };
        Either::Right(Box::pin(call.answer(inner, deed, req)))
    }
}

/// Whether a path below a provider's host leads to objects that it keeps.
pub(super) fn leads_to_objects(path: &str) -> bool {
    Place::of(path).is_some()
}

/// What a request does with objects.
fn deed(method: &Method, facts: &Extensions) -> Option<Deed> {
    let place = match facts.get()? {
        Operation::Responses => return Some(Deed::Make),
        Operation::Resource(asked) => Place::of(&asked.path),
        // The paths of the config lead to servers of the operator's own.
        Operation::Raw(asked) if asked.provider != "pass_through" => Place::of(&asked.path),
        _ => None,
    };
    place.map(|place| place.deed(method))
}

/// One call.
struct Owning {
    owners: Owners,
    tenant: Tenant,
}

impl Owning {
    async fn answer<S, B>(
        self,
        mut inner: S,
        deed: Option<Deed>,
        mut req: Request<B>,
    ) -> Result<Response<Body>, BoxError>
    where
        S: Service<Request<B>, Response = Response<Body>, Error = BoxError>,
    {
        let parent = self.check(deed.as_ref(), req.extensions().get()).await?;
        let trail: Option<Trail> = req.extensions().get().cloned();
        if deed == Some(Deed::List) && !self.tenant.is_admin() {
            // It has to be read.
            req.headers_mut().remove(header::ACCEPT_ENCODING);
        }
        let rsp = inner.call(req).await?;
        match deed {
            None => Ok(rsp),
            Some(Deed::List) if self.tenant.is_admin() => Ok(rsp),
            Some(Deed::List) => self.listed(rsp).await,
            Some(Deed::Make) => self.made(rsp, trail).await,
            Some(Deed::Delete(id)) => {
                if rsp.status().is_success() {
                    self.owners.forget(&id).await;
                }
                Ok(rsp)
            }
            Some(Deed::Read(_, true)) => self.followed(rsp, parent, false).await,
            Some(Deed::Change(_, true)) => self.followed(rsp, parent, true).await,
            Some(Deed::Read(..) | Deed::Change(..)) => Ok(rsp),
        }
    }

    /// Whether all objects that a request is about are open to the tenant; the owner of the one in
    /// its path.
    async fn check(
        &self,
        deed: Option<&Deed>,
        named: Option<&References>,
    ) -> Result<Option<Tenant>, BoxError> {
        let of_path = match deed {
            Some(Deed::Read(id, _) | Deed::Change(id, _) | Deed::Delete(id)) => Some(id.as_str()),
            _ => None,
        };
        let named = named.map_or(&[][..], |References(ids)| ids);
        let ids: Vec<_> = of_path.into_iter().chain(named.iter().map(|id| &**id)).collect();
        if ids.is_empty() || (self.tenant.is_admin() && of_path.is_none()) {
            return Ok(None);
        }
        let owners = self.owners.of(&ids).await.map_err(|error| AuthError::Outage(error.into()))?;
        let parent = of_path.and_then(|id| owners.get(id)).cloned();
        if self.tenant.is_admin() {
            return Ok(parent);
        }
        let denied = |id: &str| Err(Denied::Object(id.into()).into());
        let foreign = |id: &&&str| owners.get(**id).is_some_and(|owner| *owner != self.tenant);
        if let Some(id) = ids.iter().find(foreign) {
            return denied(id);
        }
        match deed {
            Some(Deed::Change(id, _) | Deed::Delete(id)) if parent.is_none() => denied(id),
            _ => Ok(parent),
        }
    }

    /// Leaves of a list what is the tenant's own.
    async fn listed(&self, rsp: Response<Body>) -> Result<Response<Body>, BoxError> {
        let (parts, mut told) = match hear(rsp).await? {
            Heard::Json(parts, told, _) => (parts, told),
            // An error, which names no objects.
            Heard::Other(rsp) if !rsp.status().is_success() => return Ok(rsp),
            Heard::Other(_) => return Err(Denied::List.into()),
        };
        let ids = listed(&mut told);
        let ids: Vec<_> = ids.iter().map(|id| &**id).collect();
        let owners = self.owners.of(&ids).await.map_err(|error| AuthError::Outage(error.into()))?;
        keep_own(&mut told, &owners, &self.tenant);
        Ok(rewritten(parts, &told))
    }

    /// Gives what was made to the tenant.
    async fn made(
        self,
        rsp: Response<Body>,
        trail: Option<Trail>,
    ) -> Result<Response<Body>, BoxError> {
        let is_model = trail.as_ref().is_some_and(|trail| trail.route() == "/v1/responses");
        if is_model {
            return Ok(match trail.filter(|_| rsp.status() == StatusCode::OK) {
                Some(trail) => rsp.map(|body| self.watched(body, trail)),
                None => rsp,
            });
        }
        match hear(rsp).await? {
            Heard::Json(parts, told, text) => {
                self.owners.keep(made(&told), &self.tenant).await;
                Ok(as_it_was(parts, text))
            }
            Heard::Other(rsp) => Ok(match trail.filter(|_| rsp.status().is_success()) {
                Some(trail) => rsp.map(|body| self.watched(body, trail)),
                None => rsp,
            }),
        }
    }

    /// The body of an answer whose id becomes known while it comes.
    fn watched(self, body: Body, trail: Trail) -> Body {
        let watched = EndBody::new(body, move |_: End| {
            if let Some(id) = trail.response_id() {
                self.owners.note(&id, &self.tenant);
            }
        });
        watched.into()
    }

    /// Gives what a provider has made of an object to the owner of that.
    async fn followed(
        &self,
        rsp: Response<Body>,
        parent: Option<Tenant>,
        makes: bool,
    ) -> Result<Response<Body>, BoxError> {
        let Some(parent) = parent else { return Ok(rsp) };
        match hear(rsp).await? {
            Heard::Json(parts, told, text) => {
                let mut ids = followed(&told);
                if makes {
                    ids.extend(made(&told));
                }
                if !ids.is_empty() {
                    self.owners.keep(ids, &parent).await;
                }
                Ok(as_it_was(parts, text))
            }
            Heard::Other(rsp) => Ok(rsp),
        }
    }
}
