//! The shared handle, and the one round trip before a call.
use super::level::{Count, Level, Mark, Take, key, millis};
use super::link::Link;
use super::queue::{Ended, Queue};
use super::script::{ADMIT, Input};
use super::ticket::Ticket;
use super::write::{Write, Writes};
use super::{Outage, Settings, Settler};
use ::redis::{Cmd, FromRedisValue, Value, cmd};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Budgets of which it is known what they had spent. Names may come from clients: beyond so many
/// all are forgotten, and a counter that Redis loses is seeded from the store alone.
const ACCOUNTS: usize = 16_384;

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
    writes: Mutex<Writes>,
    wake: Notify,
}

/// What a budget had spent when it was last heard of.
#[derive(Clone, Copy, Debug)]
struct Known {
    spent: i64,
    until: Option<Instant>,
}

/// What the breakers of all nodes tell each other.
#[derive(Default)]
pub(super) struct Watched {
    /// Whom to tell about each deployment.
    pub(super) gates: Vec<(Arc<str>, Rested)>,
    /// Until when this node rests deployments, and the status that made it do so.
    pub(super) told: HashMap<Arc<str>, (Instant, u16)>,
}

/// Hears how long another node rests a deployment and after which status. Returns `false` when
/// there is nobody left to be told.
pub(crate) type Rested = Arc<dyn Fn(Option<(Duration, u16)>) -> bool + Send + Sync>;

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("told", &self.told).finish_non_exhaustive()
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

    /// Admits a call on all `levels` or on none, in one round trip. In a Cluster each tag takes
    /// its own, in the order of their names; what was taken is given back when a later one
    /// refuses. The future may be dropped at any time.
    pub(crate) async fn admit(&self, levels: Vec<Level>) -> Result<Verdict, Outage> {
        let (_, link) = self.link()?;
        let ticket = Ticket::new(self, levels);
        let mut groups = BTreeMap::<_, Vec<usize>>::new();
        for (at, level) in ticket.levels().iter().enumerate() {
            groups.entry(link.is_cluster().then_some(&level.tag)).or_default().push(at);
        }
        for group in groups.values() {
            if let Some((level, count)) = self.admit_some(&ticket, group).await? {
                ticket.void();
                return Ok(Verdict::Refused(level, count));
            }
        }
        Ok(Verdict::Admitted(ticket))
    }

    /// Admits a call on some of its levels, or tells which of them refuses.
    async fn admit_some(
        &self,
        ticket: &Ticket,
        group: &[usize],
    ) -> Result<Option<(usize, Count)>, Outage> {
        let mark = |mark| group.iter().for_each(|&level| ticket.mark(level, mark));
        let mut seeds = vec![None; group.len()];
        // Each answer but the last asks for the seed of one more level.
        for _ in 0..=group.len() {
            let mut input = Input::default();
            input.text(ticket.id()).number(millis(self.0.settings.hold_ttl));
            for (&level, &seed) in group.iter().zip(&seeds) {
                ticket.levels()[level].admit(&mut input, &self.0.settings, seed);
            }
            // From here on it may be executed, whether or not anyone hears of it.
            mark(Mark::Unknown);
            let answer = self.ask(&input).await?;
            let place = |at| usize::try_from(at).ok().filter(|at| *at < group.len());
            match (&answer[..], answer.get(1).copied().and_then(place)) {
                ([1, counts @ ..], _) => {
                    for (&level, seen) in group.iter().zip(counts.chunks_exact(3)) {
                        let count = Count { taken: seen[0], left: seen[1], mark: seen[2] };
                        self.note(&ticket.levels()[level], count);
                        ticket.mark(level, Mark::Yes(count));
                    }
                    return Ok(None);
                }
                (&[0, _, taken, left, seen], Some(at)) => {
                    mark(Mark::No);
                    return Ok(Some((group[at], Count { taken, left, mark: seen })));
                }
                (&[2, _], Some(at)) => {
                    mark(Mark::No);
                    seeds[at] = Some(self.seed(&ticket.levels()[group[at]]));
                }
                _ => break,
            }
        }
        Err(Outage::Failed("not what the script returns".into()))
    }

    async fn ask(&self, input: &Input) -> Result<Vec<i64>, Outage> {
        let answer = match self.send(&ADMIT.call(input)).await {
            Err(Outage::NoScript) => self.send(&ADMIT.eval(input)).await,
            answer => answer,
        }?;
        read(answer)
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
    pub(crate) fn seed(&self, level: &Level) -> i64 {
        let (Take::Money(money), Some(account)) = (&level.take, level.account()) else { return 0 };
        let known = lock(&self.0.known).get(&account).copied();
        let known = known.filter(|known| known.until.is_none_or(|until| until > Instant::now()));
        let stored = money.lost.as_ref().map_or(0, |lost| lost.spent());
        known.map_or(0, |known| known.spent).max(stored)
    }

    fn note(&self, level: &Level, count: Count) {
        let Some(account) = level.account() else { return };
        let left = u64::try_from(count.left).ok().map(Duration::from_millis);
        let until = left.and_then(|left| Instant::now().checked_add(left));
        let mut known = lock(&self.0.known);
        if known.len() >= ACCOUNTS && !known.contains_key(&account) {
            known.clear();
        }
        known.insert(account, Known { spent: count.mark, until });
    }

    /// Adds what was settled to what is known.
    pub(super) fn settled(&self, call: &Ended) {
        let accounts = call.levels.iter().filter_map(Level::account);
        let mut all = lock(&self.0.known);
        for account in accounts.filter(|_| call.cost != 0) {
            if let Some(known) = all.get_mut(&account) {
                known.spent = known.spent.saturating_add(call.cost);
            }
        }
    }

    /// Hands a call that has ended to the settler.
    pub(super) fn settle(&self, call: Ended) {
        lock(&self.0.queue).push(call);
        self.0.wake.notify_one();
    }

    /// What a budget has spent, if Redis knows it, and what is held.
    pub(crate) async fn spent_and_held(&self, level: &Level) -> Result<(Option<i64>, i64), Outage> {
        let mut get = cmd("MGET");
        get.arg(self.money_key(level, "spent")).arg(self.money_key(level, "held"));
        let answer = self.send(&get).await?;
        let (spent, held): (_, Option<i64>) = read(answer)?;
        Ok((spent, held.unwrap_or(0)))
    }

    /// Replaces what a budget has spent.
    pub(crate) async fn set_spent(&self, level: &Level, spent: i64) -> Result<(), Outage> {
        let mut set = cmd("SET");
        set.arg(self.money_key(level, "spent")).arg(spent);
        let left = match &level.take {
            Take::Money(money) => money.left,
            Take::Window(_) | Take::Permit { .. } => None,
        };
        if let Some(left) = left {
            set.arg("PX").arg(millis(left).max(1));
        }
        self.send(&set).await?;
        let left = left.map_or(-1, millis);
        self.note(level, Count { taken: 0, left, mark: spent });
        Ok(())
    }

    /// Expired strict holds, each with the time when it expired.
    pub(crate) async fn suspects(&self, level: &Level) -> Result<Vec<(String, u64)>, Outage> {
        let mut range = cmd("ZRANGE");
        range.arg(self.money_key(level, "suspects")).arg(0).arg(-1).arg("WITHSCORES");
        read(self.send(&range).await?)
    }

    fn money_key(&self, level: &Level, part: &str) -> String {
        let name = match &level.take {
            Take::Money(money) => &*money.name,
            Take::Window(_) | Take::Permit { .. } => "",
        };
        key(&self.0.settings, &level.tag, &[name, part])
    }

    /// Settles a hold of another process, by its name.
    pub(crate) fn resolve(&self, id: Box<str>, level: Level, cost: i64) {
        self.settle(Ended::resolved(id, level, cost));
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

    /// Tells other nodes that this one rests a deployment.
    pub(crate) fn tell_rest(&self, deployment: &Arc<str>, until: Instant, status: u16) {
        self.watched().told.insert(deployment.clone(), (until, status));
        self.0.wake.notify_one();
    }

    /// Tells `rested` what other nodes say of a deployment.
    pub(crate) fn watch_rests(&self, deployment: &Arc<str>, rested: Rested) {
        self.watched().gates.push((deployment.clone(), rested));
    }

    /// Writes an answer in the background, or forgets it where too much waits already.
    pub(crate) fn write(&self, write: Write) {
        self.writes().push(write);
        self.0.wake.notify_one();
    }

    /// The key of a kept answer. It is its own hash tag: answers are spread over a Cluster.
    pub(crate) fn cache_key(&self, name: &str) -> String {
        [&*self.0.settings.prefix, "cache:", name].concat()
    }

    /// The value of a key.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Outage> {
        let mut get = cmd("GET");
        read(self.send(get.arg(key)).await?)
    }

    /// Removes a key.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), Outage> {
        let mut remove = cmd("UNLINK");
        self.send(remove.arg(key)).await.map(drop)
    }

    /// Removes all kept answers, some hundred at a time. In a Cluster the nodes list them whole.
    pub(crate) async fn clear_cache(&self) -> Result<(), Outage> {
        let pattern = self.cache_key("*");
        let mut cursor = String::from("0");
        loop {
            let keys: Vec<String> = if self.link()?.1.is_cluster() {
                cursor = "0".into();
                read(self.send(cmd("KEYS").arg(&pattern)).await?)?
            } else {
                let mut scan = cmd("SCAN");
                scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
                let keys;
                (cursor, keys) = read(self.send(&scan).await?)?;
                keys
            };
            for some in keys.chunks(256) {
                self.send(cmd("UNLINK").arg(some)).await?;
            }
            if cursor == "0" {
                return Ok(());
            }
        }
    }

    pub(super) fn writes(&self) -> MutexGuard<'_, Writes> {
        lock(&self.0.writes)
    }
}

fn read<T: FromRedisValue>(answer: Value) -> Result<T, Outage> {
    T::from_redis_value(answer).map_err(|error| Outage::Failed(error.to_string().into()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
