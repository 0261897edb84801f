//! What is made anew from each config, what outlives it, and how one takes another's place.
mod current;

pub use self::current::Current;

use crate::admin::{Handles, LastReload};
use crate::clock;
use crate::config::{Compat, Config, Issuing, Outbound, Routing};
use crate::credentials::Credentials;
use crate::edge::{BodyRules, Budget, Guard, HOP, RoomLayer, Wanted};
use crate::forward::{Forwarder, SetupError};
use crate::persistence::Persistence;
use crate::router::Router;
use crate::server::{Draining, Peers};
use crate::stack::{self, AlwaysReady, Generation, Plan, Stack};
use crate::state::{State, proxy_money};
use crate::tasks::Tasks;
use crate::telemetry::{LogWriter, Metrics, RequestId, Telemetry};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use hyper::body::Incoming;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What outlives every config: the counts, the log, the memory for bodies, and the connections to
/// upstreams, as long as the way to them stays the same.
#[derive(Debug)]
pub struct House {
    tasks: Tasks,
    writer: LogWriter,
    metrics: Arc<Metrics>,
    budget: Budget,
    state: State,
    kept: Persistence,
    /// Cancelled when nothing more is to be settled, and no credential is needed.
    settled: CancellationToken,
    instance: HeaderValue,
    draining: Draining,
    compat: Compat,
    started: Instant,
    last_reload: Arc<LastReload>,
    /// Notified when the last call of a generation has ended.
    gone: Arc<Notify>,
    rooms: Mutex<Rooms>,
    peers: Peers,
}

/// What may change from generation to generation.
#[derive(Debug)]
struct Rooms {
    outbound: Outbound,
    credentials: Credentials,
    /// The newest one: what it has learnt of deployments, the next one goes on with.
    router: Option<Router>,
}

impl House {
    /// Prepares what all configs share, for `config` as the first one.
    ///
    /// # Errors
    ///
    /// When the forwarder cannot be set up: an unreadable file of certificates, a proxy's bad URL.
    pub fn new(
        config: &Config,
        draining: Draining,
        tasks: Tasks,
        writer: LogWriter,
        metrics: Arc<Metrics>,
        kept: Persistence,
    ) -> Result<Self, SetupError> {
        let forwarder = Forwarder::new(&config.outbound, tasks.clone())?;
        let (state, settler) = State::new(config.redis.as_ref(), kept.directory());
        let stop = CancellationToken::new();
        if let Some(settler) = settler {
            let stopped = stop.clone().cancelled_owned();
            tasks.spawn(settler.run_until(stopped));
        }
        if let Some(redis) = state.redis() {
            kept.listen(redis, &tasks);
        }
        if let Some(respending) = state.respending() {
            let stopped = stop.clone();
            tasks.spawn(async move {
                stopped.run_until_cancelled(respending).await;
            });
        }
        let credentials = Credentials::new(forwarder, tasks.clone(), stop.clone());
        let rooms = Rooms { outbound: config.outbound.clone(), credentials, router: None };
        Ok(Self {
            tasks,
            writer,
            metrics,
            budget: Budget::new(config.server.body_budget),
            state,
            kept,
            settled: stop,
            instance: RequestId::random().header().clone(),
            draining,
            compat: config.compat,
            started: Instant::now(),
            last_reload: Arc::default(),
            gone: Arc::default(),
            rooms: Mutex::new(rooms),
            peers: Peers::default(),
        })
    }

    /// Makes what `config` says. Connections to upstreams are shared with the generations before,
    /// unless the way to upstreams has changed.
    ///
    /// # Errors
    ///
    /// As [`House::new`].
    pub fn generation(
        &self,
        config: Config,
    ) -> Result<Generation<AlwaysReady<impl Stack<Incoming> + use<>>>, SetupError> {
        let Config { limits, budgets, caching, .. } = &config;
        clock::set_zone(budgets.zone.as_deref());
        if let Some(directory) = self.kept.directory() {
            directory.set_proxy_money(proxy_money(budgets));
        }
        let holding = self.state.holding(limits, budgets, caching.as_ref());
        let cached = caching.as_ref().map(|caching| caching.calls);
        let heard = config.store.as_ref().is_some_and(|store| store.ledger.words);
        let Config {
            server, access, routing, outbound, telemetry, shown, issuing, alerting, ..
        } = config;
        let credentials = self.credentials(outbound)?;
        let forwarder = credentials.forwarder();
        self.kept.alerts().into_iter().for_each(|alerts| alerts.tell(alerting.clone(), forwarder));
        if access.addresses.is_some() {
            // Before anyone looks: a request without it would be refused.
            self.peers.tell();
        }
        let default_model = routing.default_model.as_deref().map(Into::into);
        let (elsewhere, largest_file) = (routing.takes_elsewhere(), routing.through.max_file);
        let router = self.router(routing, credentials, access.key_header.clone());
        let bodies = BodyRules {
            cap: server.max_body,
            budget: self.budget.clone(),
            default_model,
            elsewhere,
            wanted: Wanted::new(router.clone(), holding.estimates, cached, self.kept.directory())
                .hearing(heard),
            largest_file,
        };
        let handles = self.handles(&router, server.root_path.clone(), shown, issuing);
        let metrics_need_key = telemetry.metrics_need_key;
        let telemetry = Telemetry::new(&telemetry, self.metrics.clone(), self.writer.clone());
        let telemetry = telemetry.until_gone(self.gone.clone()).booking(self.kept.book());
        let plan = Plan {
            keys: self.kept.issued(access.master_key.as_ref()),
            room: RoomLayer::new(server.max_calls, &self.metrics),
            guard: Guard::new(self.instance.clone(), &access, telemetry.clone()),
            root_path: server.root_path.as_str().into(),
            body_timeout: server.body_timeout,
            bodies: Arc::new(bodies),
            telemetry,
            router,
            directory: self.kept.directory(),
            owners: self.kept.owners(),
            conversations: self.kept.conversations(),
            holding,
            compat: self.compat,
            handles: Arc::new(handles),
            key_header: access.key_header,
            metrics_need_key: metrics_need_key.unwrap_or(self.compat == Compat::Current),
        };
        Ok(stack::stack(plan))
    }

    /// The router of a new generation. It goes on with what the one before has learnt.
    fn router(
        &self,
        routing: Routing,
        credentials: Credentials,
        key_header: Option<HeaderName>,
    ) -> Router {
        let mut rooms = self.rooms();
        let router = Router::new(
            routing,
            credentials,
            &self.metrics,
            (&self.state, self.kept.conversations()),
            (HOP, self.instance.clone()),
            key_header,
            rooms.router.as_ref(),
        );
        rooms.router = Some(router.clone());
        router
    }

    /// What the proxy's own routes show.
    fn handles(
        &self,
        router: &Router,
        root_path: String,
        config: Bytes,
        issuing: Issuing,
    ) -> Handles {
        Handles {
            router: router.clone(),
            metrics: self.metrics.clone(),
            draining: self.draining.clone(),
            compat: self.compat,
            started: self.started,
            last_reload: self.last_reload.clone(),
            root_path,
            config,
            journal: self.kept.standing(),
            directory: self.kept.directory(),
            manage: self.kept.managing(self.compat, issuing, Some(router.clone())),
            redis: self.state.redis().cloned(),
        }
    }

    /// The forwarder for `outbound`, and what it has fetched: those there are, or new ones.
    /// Connections of one that is replaced are closed, those in use when their call ends.
    fn credentials(&self, outbound: Outbound) -> Result<Credentials, SetupError> {
        let mut rooms = self.rooms();
        if rooms.outbound != outbound {
            let forwarder = Forwarder::new(&outbound, self.tasks.clone())?;
            let credentials = Credentials::new(forwarder, self.tasks.clone(), self.settled.clone());
            std::mem::replace(&mut rooms.credentials, credentials).forwarder().close_idle();
            rooms.outbound = outbound;
        }
        Ok(rooms.credentials.clone())
    }

    /// Lets go of what only past generations had: series of metrics, upstreams.
    pub fn tidy(&self) {
        let rooms = self.rooms();
        rooms.router.iter().for_each(|router| self.metrics.retain(&router.live()));
        rooms.credentials.forwarder().forget_unused();
    }

    /// What outlives the process.
    #[must_use]
    pub const fn kept(&self) -> &Persistence {
        &self.kept
    }

    /// Waits until the last call of some generation has ended.
    pub async fn gone(&self) {
        self.gone.notified().await;
    }

    /// Whether requests must carry their peer.
    #[must_use]
    pub const fn peers(&self) -> &Peers {
        &self.peers
    }

    /// What is counted.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// What readiness tells of the last reload.
    #[must_use]
    pub const fn last_reload(&self) -> &Arc<LastReload> {
        &self.last_reload
    }

    /// For drain: settles what has ended, in a Redis that is shared. No call may end after it.
    pub fn settle(&self) {
        self.settled.cancel();
    }

    /// For drain: closes idle connections to upstreams now and busy ones when their call ends.
    pub fn close_idle(&self) {
        self.rooms().credentials.forwarder().close_idle();
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
