//! Against an upstream that turns bad at once above some number of calls.
use crate::adaptive::{Bounds, Group, Outcome, Waiting};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Above its capacity it is four times slower, and one call in twenty fails; all, if it has none.
struct Upstream {
    capacity: AtomicU32,
    inflight: AtomicU32,
    latency: Duration,
    /// By how much a latency differs: 0.1 is a tenth up or down.
    noise: f64,
    failure: Outcome,
    random: AtomicU64,
    calls: AtomicU32,
    failed: AtomicU32,
}

impl Upstream {
    fn new(millis: u64, noise: f64, failure: Outcome) -> Arc<Self> {
        Arc::new(Self {
            capacity: AtomicU32::new(40),
            inflight: AtomicU32::new(0),
            latency: Duration::from_millis(millis),
            noise,
            failure,
            random: AtomicU64::new(42),
            calls: AtomicU32::new(0),
            failed: AtomicU32::new(0),
        })
    }

    async fn call(&self) -> Outcome {
        let capacity = self.capacity.load(Relaxed);
        let over = self.inflight.fetch_add(1, Relaxed) + 1 > capacity;
        let failing = if capacity == 0 { 1.0 } else { 0.05 };
        let noise = 1.0 + self.noise * (2.0 * self.random() - 1.0);
        let times = if over { 4.0 } else { 1.0 };
        sleep(self.latency.mul_f64(noise * times)).await;
        self.inflight.fetch_sub(1, Relaxed);
        self.calls.fetch_add(1, Relaxed);
        if over && self.random() < failing {
            self.failed.fetch_add(1, Relaxed);
            return self.failure;
        }
        Outcome::Answered
    }

    /// From 0 to 1.
    fn random(&self) -> f64 {
        let mut x = self.random.load(Relaxed);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.store(x, Relaxed);
        (x >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn take_counts(&self) -> (u32, u32) {
        (self.calls.swap(0, Relaxed), self.failed.swap(0, Relaxed))
    }
}

struct Seen {
    low: u32,
    high: u32,
    calls: u32,
    failed: u32,
    /// How long after the capacity has doubled it was used to four fifths.
    refilled: Option<Duration>,
}

/// Clients that call again as soon as they are answered.
fn clients(upstream: &Arc<Upstream>, count: usize) -> JoinSet<()> {
    let group = Group::new(Waiting::default());
    let limit = group.limit(Bounds::default());
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        let (group, limit, upstream) = (group.clone(), limit.clone(), upstream.clone());
        tasks.spawn(async move {
            loop {
                let (_, mut permit) = group.acquire([&limit]).await.unwrap();
                permit.record(upstream.call().await);
            }
        });
    }
    tasks
}

async fn load(upstream: Arc<Upstream>, count: usize, watch: u32) -> Seen {
    let _clients = clients(&upstream, count);
    sleep(10 * SECOND).await;
    upstream.take_counts();
    let mut samples = Vec::new();
    let end = Instant::now() + watch * SECOND;
    while Instant::now() < end {
        sleep(Duration::from_millis(7)).await;
        samples.push(upstream.inflight.load(Relaxed));
    }
    samples.sort_unstable();
    let (calls, failed) = upstream.take_counts();
    upstream.capacity.store(80, Relaxed);
    let doubled = Instant::now();
    let mut refilled = None;
    while refilled.is_none() && doubled.elapsed() < 30 * SECOND {
        sleep(Duration::from_millis(7)).await;
        refilled = (upstream.inflight.load(Relaxed) >= 64).then(|| doubled.elapsed());
    }
    let (low, high) = (samples[samples.len() / 100], samples[samples.len() * 99 / 100]);
    Seen { low, high, calls, failed, refilled }
}

/// The limit is found within ten seconds, kept for half a minute, and found again at its double.
#[track_caller]
fn assert_kept(seen: &Seen, case: &str) {
    let Seen { low, high, calls, failed, refilled } = *seen;
    assert!(low >= 32 && high <= 44, "{case}: between {low} and {high} in flight");
    assert!(failed * 100 < calls, "{case}: {failed} of {calls} failed");
    assert!(refilled.is_some_and(|time| time < 15 * SECOND), "{case}: {refilled:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_turns_bad_above_forty_calls_is_kept_just_below() {
    for (millis, noise) in [(20, 0.05), (100, 0.1), (200, 0.005), (300, 0.05)] {
        for failure in [Outcome::Failed, Outcome::Overloaded] {
            let seen = load(Upstream::new(millis, noise, failure), 100, 30).await;
            assert_kept(&seen, &format!("{millis} ms, {failure:?}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn latencies_that_differ_fourfold_do_not_mislead() {
    for millis in [50, 150, 300] {
        let seen = load(Upstream::new(millis, 0.6, Outcome::Failed), 200, 30).await;
        assert_kept(&seen, &format!("{millis} ms"));
    }
}

#[tokio::test(start_paused = true)]
async fn capacity_that_is_halved_and_an_outage_are_survived() {
    let upstream = Upstream::new(100, 0.1, Outcome::Failed);
    upstream.capacity.store(80, Relaxed);
    let _clients = clients(&upstream, 100);
    sleep(20 * SECOND).await;
    for (capacity, pause, low, high) in [(40, 10, 32, 44), (0, 10, 1, 2), (40, 15, 32, 44)] {
        upstream.capacity.store(capacity, Relaxed);
        sleep(pause * SECOND).await;
        let found = upstream.inflight.load(Relaxed);
        assert!((low..=high).contains(&found), "{found} where {capacity} are well");
    }
}
