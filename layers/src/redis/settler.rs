//! The work beside the calls: connecting, settling, renewing, and hearing of other nodes.
use super::level::{key, millis};
use super::link::{Dialer, Link};
use super::queue::Ended;
use super::rests::{cooldown, rests};
use super::runs::Runs;
use super::script;
use super::{Outage, Redis};
use ::redis::{FromRedisValue, cmd};
use std::collections::VecDeque;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use std::{fmt, future::poll_fn};
use tokio::time::{Instant, sleep, timeout_at};

/// How often other nodes are listened to, and Redis is looked for while it is away.
const BEAT: Duration = Duration::from_secs(1);
/// After so many beats of silence a node counts no more.
const SILENCE: u64 = 10;
/// Calls in one batch.
const BATCH: usize = 1024;

/// Hears why Redis is away, and nothing when it is back.
type Tell = Box<dyn FnMut(Option<&Outage>) + Send + Sync>;

/// Does the work of a [`Redis`] beside the calls. Nothing is connected, settled or renewed unless
/// it runs.
#[must_use = "nothing is connected or settled unless it runs"]
pub struct Settler {
    redis: Redis,
    tell: Option<Tell>,
    /// Whether the last that was told is that Redis is away.
    told: bool,
    dialer: Option<Dialer>,
    /// What was sent, until it is known to have arrived.
    batch: VecDeque<Ended>,
    beat: Instant,
    renewal: Instant,
}

impl fmt::Debug for Settler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settler").field("redis", &self.redis).finish_non_exhaustive()
    }
}

impl Settler {
    pub(super) fn new(redis: Redis) -> Self {
        let now = Instant::now();
        let renewal = now + redis.settings().hold_ttl / 3;
        let (batch, beat) = (VecDeque::new(), now);
        Self { redis, tell: None, told: false, dialer: None, batch, beat, renewal }
    }

    /// Tells why Redis cannot be connected to, and nothing (`None`) when it is back: once each.
    pub fn tell(mut self, tell: impl FnMut(Option<&Outage>) + Send + Sync + 'static) -> Self {
        self.tell = Some(Box::new(tell));
        self
    }

    /// Runs for ever. Dropped, it leaves what is queued: better to [`run_until`](Self::run_until).
    pub async fn run(mut self) {
        self.work().await;
    }

    /// Runs until `stop` resolves, then settles what is queued, if Redis answers.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) {
        {
            let (mut stop, mut work) = (pin!(stop), pin!(self.work()));
            poll_fn(|cx| match stop.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => work.as_mut().poll(cx).map(|never| match never {}),
            })
            .await;
        }
        if let Ok((_, mut link)) = self.redis.link() {
            while self.flush(&mut link).await.is_ok_and(|more| more) {}
        }
    }

    async fn work(&mut self) -> std::convert::Infallible {
        loop {
            let step = match self.redis.link() {
                Ok((number, mut link)) => {
                    let step = self.step(&mut link).await;
                    step.inspect_err(|outage| self.redis.failed(number, outage))
                }
                Err(_) => {
                    let step = self.connect().await;
                    self.changed(step.as_ref().err());
                    step
                }
            };
            if step.is_err() {
                // Whatever calls see meanwhile, Redis is looked for once in a beat.
                sleep(BEAT).await;
            }
        }
    }

    fn changed(&mut self, outage: Option<&Outage>) {
        let before = std::mem::replace(&mut self.told, outage.is_some());
        if let Some(tell) = self.tell.as_mut().filter(|_| before != outage.is_some()) {
            tell(outage);
        }
    }

    async fn connect(&mut self) -> Result<(), Outage> {
        let settings = self.redis.settings();
        if self.dialer.is_none() {
            self.dialer = Some(Dialer::new(settings)?);
        }
        if let Some(dialer) = &mut self.dialer {
            let link = dialer.dial(settings).await?;
            self.redis.linked(link);
            self.beat = Instant::now();
            // What the server lost is held again at once.
            self.renewal = self.beat;
        }
        Ok(())
    }

    /// Waits for something to do and does it.
    async fn step(&mut self, link: &mut Link) -> Result<(), Outage> {
        let busy = !self.batch.is_empty() || !self.redis.queue().is_empty();
        if !busy {
            // That time is up is as good a reason to go on as a call is.
            drop(timeout_at(self.beat.min(self.renewal), self.redis.woken()).await);
        }
        let settled = match self.flush(link).await {
            // A server that refuses to settle is still told what is open.
            Err(refused @ Outage::Failed(_)) => Err(refused),
            Err(away) => return Err(away),
            Ok(_) => Ok(()),
        };
        self.publish(link).await?;
        self.write(link).await?;
        let now = Instant::now();
        if now >= self.renewal {
            self.renewal = now + self.redis.settings().hold_ttl / 3;
            self.renew(link).await?;
        }
        if now >= self.beat {
            self.beat = now + BEAT;
            self.listen(link).await?;
        }
        settled
    }

    /// Settles one batch; tells whether there may be more.
    async fn flush(&mut self, link: &mut Link) -> Result<bool, Outage> {
        let redis = &self.redis;
        // What became of one that was sent before is not known: only what counts once goes again.
        self.batch.iter_mut().for_each(Ended::forget_windows);
        if self.batch.is_empty() {
            self.batch = redis.queue().take(BATCH, || redis.id(redis.number()));
        }
        if self.batch.is_empty() {
            return Ok(false);
        }
        let mut runs = Runs::new(link, redis.settings());
        for call in &self.batch {
            call.settle(&mut runs, redis.settings(), |level| redis.last_known(level));
        }
        runs.send(link).await?;
        self.batch.drain(..).for_each(|call| redis.settled(&call));
        Ok(true)
    }

    /// Renews what open calls hold.
    async fn renew(&mut self, link: &mut Link) -> Result<(), Outage> {
        let redis = &self.redis;
        // Upgraded under the lock and dropped outside of it, where a call's end takes it too.
        let open: Vec<_> = redis.open().values().filter_map(std::sync::Weak::upgrade).collect();
        let mut runs = Runs::new(link, redis.settings());
        open.iter().for_each(|call| call.renew(&mut runs, redis.settings()));
        drop(open);
        runs.send(link).await
    }

    /// Tells other nodes which deployments rest.
    async fn publish(&mut self, link: &mut Link) -> Result<(), Outage> {
        let told = std::mem::take(&mut self.redis.watched().told);
        let settings = self.redis.settings();
        for (deployment, (until, status)) in told {
            let left = millis(until.saturating_duration_since(Instant::now()));
            if left > 0 {
                let mut set = cmd("SET");
                set.arg(cooldown(settings, &deployment));
                set.arg(format!("{status} {:016x}", self.redis.node())).arg("PX").arg(left);
                link.run(&set, settings.response_timeout).await?;
            }
        }
        Ok(())
    }

    /// Writes answers to the cache. Those that do not arrive are forgotten, and a server that has
    /// no room for them is not away.
    async fn write(&mut self, link: &mut Link) -> Result<(), Outage> {
        let wait = self.redis.settings().response_timeout;
        loop {
            let some = self.redis.writes().take(link.is_cluster());
            let Some(pipe) = some else { return Ok(()) };
            match link.pipe(&pipe, wait).await {
                Ok(_) | Err(Outage::Failed(_)) => {}
                Err(outage) => return Err(outage),
            }
        }
    }

    /// Hears how many nodes there are, and which deployments they rest.
    async fn listen(&mut self, link: &mut Link) -> Result<(), Outage> {
        let redis = &self.redis;
        let wait = redis.settings().response_timeout;
        let node = format!("{:016x}", redis.node());
        let alive = SILENCE * u64::try_from(BEAT.as_millis()).unwrap_or(1000);
        let beat = script::beat(&key(redis.settings(), "nodes", &["alive"]), &node, alive);
        let nodes = link.run(&beat, wait).await?;
        redis.count_nodes(u64::from_redis_value(nodes).unwrap_or(1));
        redis.watched().gates.retain(|(_, rested)| rested(None));
        let gates = redis.watched().gates.clone();
        let keys = gates.iter().map(|(deployment, _)| cooldown(redis.settings(), deployment));
        for ((_, rested), rest) in gates.iter().zip(rests(link, keys, wait, &node).await?) {
            if rest.is_some() {
                rested(rest);
            }
        }
        Ok(())
    }
}
