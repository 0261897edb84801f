//! The one place that orders the layers.
use crate::admin::{Admin, Handles};
use crate::config::{Access, Compat, Config};
use crate::edge::{
    Budget, CatchBody, CatchLayer, Dispatch, Guard, IngestLayer, RecordLayer, RespondLayer,
};
use crate::router::Router;
use crate::telemetry::Telemetry;
use bartizan_layers::BoxError;
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::facts::Principal;
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use std::convert::Infallible;
use std::sync::Arc;
use tower::{Service, ServiceBuilder};

/// The service of the calls listener, outermost layer first.
pub fn stack<B>(
    config: &Config,
    instance: HeaderValue,
    router: Router,
    telemetry: Telemetry,
    handles: Arc<Handles>,
) -> impl Service<Request<B>, Response = Response<CatchBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let keys = keys(&config.access);
    let mut auth = AuthLayer::new(keys.clone());
    if let Some(header) = &config.access.key_header {
        auth = auth.only_header(header.clone());
    }
    let budget = Budget::new(config.server.body_budget);
    let ingest = IngestLayer::new(config.server.max_body, budget)
        .default_model(config.routing.default_model.as_deref());
    let calls = ServiceBuilder::new()
        // Sees refusals, disconnects and the final status: outside everything but the panics.
        .layer(RecordLayer::new(telemetry))
        // The only place where an error becomes an answer; outside it nothing can fail.
        .layer(RespondLayer)
        // Needs headers only: a stranger cannot make us read a prompt.
        .layer(auth)
        // Reads the body once, under its cap and the memory budget.
        .layer(ingest)
        // Name → group → deployment; each deployment ends in its dialect and the forwarder.
        .service(router);
    let needs_key = config.telemetry.metrics_need_key.unwrap_or(config.compat == Compat::Current);
    let admin = Admin::new(handles, keys)
        .key_header(config.access.key_header.clone())
        .metrics_need_key(needs_key);
    ServiceBuilder::new()
        // A bug in any layer costs one call, not the connection.
        .layer(CatchLayer)
        .service(Dispatch::new(calls, admin, Guard::new(instance, &config.access)))
}

/// The master key's principal; everyone's, where no key is set.
fn keys(access: &Access) -> MemoryKeys {
    let principal = |key: &str| Principal {
        key: key.into(),
        // What LiteLLM calls the master key's user and alias (contract 4.1).
        user: "default_user_id".into(),
        admin: true,
    };
    match &access.master_key {
        Some(key) => {
            MemoryKeys::new().with(key.expose().as_bytes(), principal("litellm_proxy_master_key"))
        }
        None => MemoryKeys::new().open_to_anyone(principal("anonymous")),
    }
}
