//! The shared handle.
use super::link::Link;
use super::money::Known;
use super::queue::{Ended, Queue};
use super::rests::Watched;
use super::ticket::Ticket;
use super::write::Writes;
use super::{Outage, Settings, Settler};
use ::redis::{Cmd, Value};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// One Redis that policies share. Clones are cheap and share the connection.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    settings: Settings,
    node: u64,
    next: AtomicU64,
    nodes: AtomicU64,
    link: Mutex<(u64, Option<Link>)>,
    queue: Mutex<Queue>,
    open: Mutex<HashMap<u64, Weak<Ticket>>>,
    known: Mutex<Known>,
    watched: Mutex<Watched>,
    writes: Mutex<Writes>,
    wake: Notify,
}

impl Redis {
    /// A handle, and the future that does its work: whoever owns them drives the latter beside
    /// its calls. It never fails: until the [`Settler`] has connected, and whenever Redis is away,
    /// commands fail at once.
    pub fn connect(settings: Settings) -> (Self, Settler) {
        let redis = Self(Arc::new(Shared {
            node: RandomState::new().hash_one(std::process::id()),
            next: AtomicU64::new(0),
            nodes: AtomicU64::new(1),
            link: Mutex::default(),
            queue: Mutex::new(Queue::new(settings.queue)),
            open: Mutex::default(),
            known: Mutex::default(),
            watched: Mutex::default(),
            writes: Mutex::default(),
            wake: Notify::new(),
            settings,
        }));
        (redis.clone(), Settler::new(redis))
    }

    /// Whether Redis answers, as far as is known.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        lock(&self.0.link).1.is_some()
    }

    /// How many nodes share this Redis, this one included; while it is away, how many there were.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        self.0.nodes.load(Relaxed)
    }

    /// Runs one command.
    pub(crate) async fn send(&self, cmd: &Cmd) -> Result<Value, Outage> {
        let (number, mut link) = self.link()?;
        let answer = link.run(cmd, self.0.settings.response_timeout).await;
        if let Err(outage) = &answer {
            self.failed(number, outage);
        }
        answer
    }

    /// The connection and its number, or that there is none.
    pub(super) fn link(&self) -> Result<(u64, Link), Outage> {
        let link = lock(&self.0.link);
        link.1.clone().map(|up| (link.0, up)).ok_or(Outage::Away)
    }

    pub(super) fn linked(&self, up: Link) {
        let mut link = lock(&self.0.link);
        *link = (link.0 + 1, Some(up));
    }

    /// Gives up the connection if it is the one that failed, so that it is made again. A server
    /// that answers, if only with an error, is not away.
    pub(super) fn failed(&self, number: u64, outage: &Outage) {
        if matches!(outage, Outage::NoScript | Outage::Failed(_)) {
            return;
        }
        let mut link = lock(&self.0.link);
        if link.0 == number && link.1.take().is_some() {
            self.0.wake.notify_one();
        }
    }

    /// Hands a call that has ended to the settler.
    pub(super) fn settle(&self, call: Ended) {
        lock(&self.0.queue).push(call);
        self.0.wake.notify_one();
    }

    pub(super) fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Relaxed)
    }

    pub(super) fn id(&self, number: u64) -> Box<str> {
        format!("{:016x}{number:x}", self.0.node).into()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(super) fn node(&self) -> u64 {
        self.0.node
    }

    pub(super) fn count_nodes(&self, nodes: u64) {
        self.0.nodes.store(nodes.max(1), Relaxed);
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.0.queue)
    }

    pub(super) fn open(&self) -> MutexGuard<'_, HashMap<u64, Weak<Ticket>>> {
        lock(&self.0.open)
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.0.known)
    }

    pub(super) fn watched(&self) -> MutexGuard<'_, Watched> {
        lock(&self.0.watched)
    }

    /// Tells the settler that there is something to do.
    pub(super) fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Resolves when there is something to do.
    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub(super) fn writes(&self) -> MutexGuard<'_, Writes> {
        lock(&self.0.writes)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("settings", &self.0.settings)
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
