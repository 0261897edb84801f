//! The shared handle, and the one round trip before a call.
use super::level::{Count, Level, Mark, Take, millis};
use super::link::Link;
use super::queue::{Ended, Queue};
use super::script::{ADMIT, Input};
use super::ticket::Ticket;
use super::{Outage, Settings, Settler};
use ::redis::{Cmd, FromRedisValue, Value};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// One Redis that policies share. Clones are cheap and share the connection.
#[derive(Clone, Debug)]
pub struct Redis(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    node: u64,
    next: AtomicU64,
    nodes: AtomicU64,
    link: Mutex<(u64, Option<Link>)>,
    queue: Mutex<Queue>,
    open: Mutex<HashMap<u64, Weak<Ticket>>>,
    known: Mutex<HashMap<Box<str>, Known>>,
    watched: Mutex<Watched>,
    wake: Notify,
}

/// What a budget had spent when it was last heard of.
#[derive(Clone, Copy, Debug)]
struct Known {
    spent: i64,
    until: Option<Instant>,
}

/// What the breakers of all nodes tell each other.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Whom to tell about each key.
    pub(super) gates: Vec<(Box<str>, Arc<dyn Rested>)>,
    /// Keys to be written, how long they live, and what they say.
    pub(super) told: HashMap<Box<str>, (Instant, u16)>,
}

/// Hears that another node rests a deployment.
pub(crate) trait Rested: Send + Sync {
    fn rested(&self, rest: Duration, status: u16);
}

impl std::fmt::Debug for dyn Rested {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rested")
    }
}

/// What Redis said about a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    Admitted(Arc<Ticket>),
    /// The level with this number has no room; nothing was taken.
    Refused(usize, Count),
}

impl Redis {
    /// A handle, and the future that does its work: whoever owns them drives the latter beside
    /// its calls. It never fails: until the [`Settler`] has connected, and whenever Redis is away,
    /// commands fail at once.
    #[must_use]
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

    /// Admits a call on all `levels` or on none, in one round trip. In a Cluster each tag takes
    /// its own, in the order of their names; what was taken is given back when a later one
    /// refuses. The future may be dropped at any time.
    pub(crate) async fn admit(&self, mut levels: Vec<Level>) -> Result<Verdict, Outage> {
        let (_, link) = self.link()?;
        if link.is_cluster() {
            // Stable, so that the order within a tag is kept.
            levels.sort_by(|a, b| a.tag.cmp(&b.tag));
        }
        let ticket = Ticket::new(self, levels);
        let mut from = 0;
        while from < ticket.levels().len() {
            let rest = &ticket.levels()[from..];
            let same = |level: &&Level| !link.is_cluster() || level.tag == rest[0].tag;
            let to = from + rest.iter().take_while(same).count();
            if let Some((level, count)) = self.admit_some(&ticket, from, to).await? {
                ticket.void();
                return Ok(Verdict::Refused(level, count));
            }
            from = to;
        }
        Ok(Verdict::Admitted(ticket))
    }

    /// Admits a call on the levels `from..to`, or tells which of them refuses.
    async fn admit_some(
        &self,
        ticket: &Ticket,
        from: usize,
        to: usize,
    ) -> Result<Option<(usize, Count)>, Outage> {
        let mut seeds = vec![None; to - from];
        // Each answer but the last asks for the seed of one more level.
        for _ in from..=to {
            let answer = self.ask(ticket, from, to, &seeds).await?;
            match answer[..] {
                [1, ..] => {
                    for (level, seen) in (from..to).zip(answer[1..].chunks_exact(3)) {
                        let count = Count { taken: seen[0], left: seen[1], mark: seen[2] };
                        self.note(&ticket.levels()[level], count);
                        ticket.mark(level, Mark::Yes(count));
                    }
                    return Ok(None);
                }
                [0, level, taken, left, mark] => {
                    let level = from + usize::try_from(level).unwrap_or(0);
                    self.unmark(ticket, from, to);
                    return Ok(Some((level, Count { taken, left, mark })));
                }
                [2, level] => {
                    self.unmark(ticket, from, to);
                    let level = usize::try_from(level).unwrap_or(0);
                    seeds[level] = Some(self.seed(&ticket.levels()[from + level]));
                }
                _ => break,
            }
        }
        Err(Outage::Failed("not what the script returns".into()))
    }

    async fn ask(
        &self,
        ticket: &Ticket,
        from: usize,
        to: usize,
        seeds: &[Option<i64>],
    ) -> Result<Vec<i64>, Outage> {
        let settings = &self.0.settings;
        let mut input = Input::default();
        input.text(ticket.id()).number(millis(settings.hold_ttl));
        for (level, seed) in ticket.levels()[from..to].iter().zip(seeds) {
            level.admit(&mut input, settings, *seed);
        }
        // From here on it may be executed, whether or not anyone hears of it.
        (from..to).for_each(|level| ticket.mark(level, Mark::Unknown));
        let answer = match self.send(&ADMIT.call(&input)).await {
            Err(Outage::NoScript) => self.send(&ADMIT.eval(&input)).await,
            answer => answer,
        }?;
        Vec::from_redis_value(answer).map_err(|error| Outage::Failed(error.to_string().into()))
    }

    fn unmark(&self, ticket: &Ticket, from: usize, to: usize) {
        (from..to).for_each(|level| ticket.mark(level, Mark::No));
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

    /// Gives up the connection if it is the one that failed, so that it is made again.
    pub(super) fn failed(&self, number: u64, outage: &Outage) {
        if matches!(outage, Outage::NoScript) {
            return;
        }
        let mut link = lock(&self.0.link);
        if link.0 == number && link.1.take().is_some() {
            self.0.wake.notify_one();
        }
    }

    /// What a budget has spent, where Redis does not know.
    pub(super) fn seed(&self, level: &Level) -> i64 {
        let known = lock(&self.0.known).get(&level.tag).copied();
        let known = known.filter(|known| known.until.is_none_or(|until| until > Instant::now()));
        let asked = match &level.take {
            Take::Money(money) => money.seed.as_ref().map(|seed| seed.seed(&level.tag).0),
            _ => None,
        };
        known.map_or(0, |known| known.spent).max(asked.unwrap_or(0))
    }

    fn note(&self, level: &Level, count: Count) {
        if matches!(level.take, Take::Money(_)) {
            let left = u64::try_from(count.left).ok().map(Duration::from_millis);
            let until = left.and_then(|left| Instant::now().checked_add(left));
            let seen = Known { spent: count.mark, until };
            lock(&self.0.known).insert(level.tag.clone(), seen);
        }
    }

    /// Adds what was settled to what is known.
    pub(super) fn settled(&self, call: &Ended) {
        for level in &call.levels {
            if matches!(level.take, Take::Money(_)) {
                if let Some(known) = lock(&self.0.known).get_mut(&level.tag) {
                    known.spent = known.spent.saturating_add(call.cost);
                }
            }
        }
    }

    /// Hands a call that has ended to the settler.
    pub(super) fn settle(&self, call: Ended) {
        lock(&self.0.queue).push(call);
        self.0.wake.notify_one();
    }

    /// Charges a budget for a call that was made without a hold.
    pub(crate) fn charge(&self, level: Level, cost: i64) {
        self.settle(Ended::spent(self.id(self.number()), level, cost));
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

    pub(super) fn watched(&self) -> MutexGuard<'_, Watched> {
        lock(&self.0.watched)
    }

    /// Resolves when there is something to do.
    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub(super) fn wake(&self) {
        self.0.wake.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
