//! The one place that orders the layers.
use crate::admin::{Admin, Handles};
use crate::config::Compat;
use crate::conversations::Conversations;
use crate::edge::{
    BodyRules, CatchBody, CatchLayer, Dispatch, Doors, EraseLayer, Fork, Guard, IngestLayer,
    IntakeLayer, ItemsLayer, OwnedLayer, PauseLayer, PermitLayer, RecallLayer, RecordLayer,
    RespondLayer, ResumeLayer, RoomLayer, SharedLayer,
};
use crate::identity::{Allowed, Directory, Issued, Owners};
use crate::router::Router;
use crate::state::Holding;
use crate::telemetry::Telemetry;
use bartizan_layers::BoxError;
use bartizan_layers::auth::AuthLayer;
use bartizan_layers::auth::access::AccessLayer;
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tower::{Layer, Service, ServiceBuilder};

/// What a listener needs of a stack.
pub trait Stack<B>:
    Service<Request<B>, Response = Response<CatchBody>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<B, S> Stack<B> for S where
    S: Service<Request<B>, Response = Response<CatchBody>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Hands hyper's requests to a Tower service that is always ready, so that nothing is asked and
/// nothing is boxed.
#[derive(Clone, Debug)]
pub struct AlwaysReady<S>(pub S);

impl<S, R> hyper::service::Service<R> for AlwaysReady<S>
where
    S: Service<R> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, req: R) -> Self::Future {
        self.0.clone().call(req)
    }
}

/// What the layers are made of.
#[derive(Debug)]
pub struct Plan {
    /// Who may call.
    pub keys: Issued,
    /// The one header that carries the key, where the config names one.
    pub key_header: Option<HeaderName>,
    /// What is refused before a request is looked at.
    pub guard: Guard,
    /// The path that may stand before all others; empty for none.
    pub root_path: Arc<str>,
    /// How long a client may pause within a body.
    pub body_timeout: Duration,
    /// How bodies are taken.
    pub bodies: Arc<BodyRules>,
    /// How many calls may be open.
    pub room: RoomLayer,
    /// Where records go.
    pub telemetry: Telemetry,
    /// Everyone with a key of their own; `None` where nobody has one.
    pub directory: Option<Directory>,
    /// Whose the objects are that providers keep; `None` where nobody has a key of their own.
    pub owners: Option<Owners>,
    /// The responses that are kept here; `None` where none is.
    pub conversations: Option<Conversations>,
    /// What calls are held against.
    pub holding: Holding,
    /// How errors are told where LiteLLM's generations differ.
    pub compat: Compat,
    /// The deployments.
    pub router: Router,
    /// What the proxy's own routes show.
    pub handles: Arc<Handles>,
    /// Whether `/metrics` needs a key.
    pub metrics_need_key: bool,
}

/// Everything that one config makes: the services of both listeners.
#[derive(Debug)]
pub struct Generation<S> {
    /// Of the calls listener.
    pub calls: S,
    /// Of the ops listener.
    pub ops: S,
}

/// The services of both listeners, outermost layer first. They are of one type, so that the server
/// below them exists once.
pub fn stack<B>(plan: Plan) -> Generation<AlwaysReady<impl Stack<B>>>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let mut auth = AuthLayer::new(plan.keys.clone());
    if let Some(header) = &plan.key_header {
        auth = auth.only_header(header.clone());
    }
    let items = plan.holding.cache.clone().map(ItemsLayer::new);
    let access = plan.directory.map(|directory| {
        (SharedLayer, AccessLayer::new(Allowed::new(directory, plan.router.clone())))
    });
    let owned = plan.owners.map(|owners| (SharedLayer, OwnedLayer::new(owners)));
    let recall = plan.conversations.clone().map(RecallLayer::new);
    let resume = plan.conversations.map(|all| ResumeLayer::new(all, plan.router.clone()));
    let inner = ServiceBuilder::new()
        // Principal and model are both known: before the cache, so that no answer leaks.
        .option_layer(access.clone())
        // Before the cache as well: a call that names what is not its caller's has no answer.
        .option_layer(owned.clone())
        // What was said before is a part of what is asked for: limits and money count it too.
        .option_layer(resume.map(|layer| (SharedLayer, layer)))
        // What is limited by what is asked for. A hit counts as a call, and gives its tokens back.
        .option_layer(plan.holding.late.map(erased))
        // A hit needs no money and no deployment; whoever answered, the answer is the same.
        .option_layer(plan.holding.cache.map(erased))
        // Of a list of texts only those are embedded that were not before: as a hit, what is kept
        // needs no money.
        .option_layer(items.map(|items| (SharedLayer, items)))
        // One hold for each call: outside of fallbacks and retries, whose attempts all stand on
        // its bill.
        .option_layer(plan.holding.cost.map(erased))
        // Fallbacks, retries, and for each attempt the breaker of the deployment that is picked.
        .service(plan.router.clone());
    let through = ServiceBuilder::new()
        .option_layer(access)
        .option_layer(owned)
        .option_layer(recall.map(|layer| (SharedLayer, layer)))
        .option_layer(plan.holding.through.map(erased))
        .service(plan.router.through());
    let calls = ServiceBuilder::new()
        // Sees refusals, disconnects and the final status: outside everything but the panics.
        .layer(RecordLayer::new(plan.telemetry))
        // The only place where an error becomes an answer; outside it nothing can fail.
        .layer(RespondLayer::new(plan.compat))
        // A call too many is refused before anything is done for it.
        .layer(plan.room)
        // Needs headers only: a stranger cannot make us read a prompt.
        .layer(auth)
        // Known callers may not call every route.
        .layer(PermitLayer)
        // Calls and open calls of a principal: refused before their body is read.
        .option_layer(plan.holding.early.map(erased))
        // Each layer above copies what is below it for each call: from here on that is a count.
        .layer(SharedLayer)
        // A client that stops sending must not hold its call, nor the memory of its body.
        .layer(PauseLayer::new(plan.body_timeout))
        // Uploads and providers' own paths stream straight through; of others the body is read
        // once, under its cap and the memory budget. Then name → group → deployment, which ends in
        // its dialect and the forwarder.
        .service(Fork::new(
            IngestLayer::with_policy(plan.bodies.clone()).layer(inner),
            IntakeLayer::new(plan.bodies).layer(through),
        ));
    let admin = Admin::new(plan.handles.clone(), plan.keys)
        .key_header(plan.key_header)
        .metrics_need_key(plan.metrics_need_key);
    let doors = Doors::new(AlwaysReady(admin), plan.guard)
        .below(&plan.root_path)
        .endpoints(plan.router.endpoints());
    let ops = Doors::admin_only(AlwaysReady(Admin::ops(plan.handles)));
    let behind = |doors| {
        let dispatch = Dispatch::new(calls.clone(), doors);
        // A bug in any layer costs one call, not the connection.
        AlwaysReady(ServiceBuilder::new().layer(CatchLayer).service(dispatch))
    };
    Generation { calls: behind(doors), ops: behind(ops) }
}

/// A layer with a body of its own, whose answers get the body that all have, and whose clones are
/// cheap.
fn erased<L>(layer: L) -> (SharedLayer, (EraseLayer, L)) {
    (SharedLayer, (EraseLayer, layer))
}
