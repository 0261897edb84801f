//! Where fallbacks ask which groups may answer and how a request gets there.
use super::{Plan, Target};
use crate::BoxError;
use crate::body::{Body, repeat};
use crate::facts::{Call, Fault};
use http::{Request, Response};
use std::sync::Arc;

/// Which groups may answer in the place of others, and how a request gets there. Clones share
/// their state.
pub trait Policy<B>: Clone {
    /// The plan that holds for `req`. Asked once before the first group, and once when that has
    /// failed.
    fn plan(&self, req: &Request<B>) -> Arc<Plan>;

    /// A copy of `req` for another group; `None` if it cannot be sent again. Asked only where
    /// another group may follow.
    fn copy(&self, req: &Request<B>) -> Option<Request<B>>;

    /// Makes `req`, a copy of what the client asked for, one for `target`; `None` if it may not
    /// go there: then the next target follows.
    fn redirect(&self, req: Request<B>, target: &Target) -> Option<Request<B>>;

    /// The group that `req` asks for; by default that of its [`Call`]. Without one nothing falls
    /// back.
    fn group<'a>(&self, req: &'a Request<B>) -> Option<&'a str> {
        req.extensions().get::<Call>().map(|call| &*call.group)
    }

    /// How a group failed; `None` if it did not, and its answer is committed. By default
    /// [`Fault::of`].
    fn fault<R>(&self, outcome: Result<&Response<R>, &BoxError>) -> Option<Fault> {
        Fault::of(outcome)
    }

    /// Told before each further group, with the failure of the one before: for logs and metrics.
    fn falling_back(&self, next: &Request<B>, target: &Target, failed: &Fault) {
        let _ = (next, target, failed);
    }
}

/// The same plan for all requests. A redirected request differs in the group of its [`Call`];
/// where the target has parameters, it is a request fact, for whoever knows what they mean.
impl<B: Clone> Policy<B> for Arc<Plan> {
    fn plan(&self, _req: &Request<B>) -> Self {
        self.clone()
    }

    fn copy(&self, req: &Request<B>) -> Option<Request<B>> {
        Some(req.clone())
    }

    fn redirect(&self, req: Request<B>, target: &Target) -> Option<Request<B>> {
        to(req, target)
    }
}

/// The same for bodies that were read, as ingest leaves them. One that streams is sent once.
impl Policy<Body> for Arc<Plan> {
    fn plan(&self, _req: &Request<Body>) -> Self {
        self.clone()
    }

    fn copy(&self, req: &Request<Body>) -> Option<Request<Body>> {
        repeat(req)
    }

    fn redirect(&self, req: Request<Body>, target: &Target) -> Option<Request<Body>> {
        to(req, target)
    }
}

fn to<B>(mut req: Request<B>, target: &Target) -> Option<Request<B>> {
    let facts = req.extensions_mut();
    facts.get_mut::<Call>()?.group = target.group.clone();
    if target.params.is_some() {
        facts.insert(target.clone());
    }
    Some(req)
}

/// That another group answered than the one that was asked for. A response fact, written by
/// `fallback`; absent means that none did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FellBack {
    /// How many groups were tried after the first.
    pub fallbacks: u32,
    /// The one that answered.
    pub group: Arc<str>,
}
