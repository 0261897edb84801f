//! Answers in this process's memory.
use super::{Entry, Key, Store};
use crate::BoxError;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The most bytes that are kept unless told otherwise: 64 MiB.
const BYTES: usize = 64 << 20;

/// What a shard holds at least, so that it has room for several of the largest answers.
const SHARD: usize = 4 << 20;

/// How long an answer is kept unless told otherwise, as in LiteLLM.
const TTL: Duration = Duration::from_secs(600);

/// Answers in this process's memory, bounded in bytes. Clones share them.
///
/// When it is full, the answers that nobody asked for since the last look make room, oldest first
/// (CLOCK). Answers that have expired are forgotten when they are found.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    shards: Arc<[Mutex<Shard>]>,
    ttl: Duration,
}

/// What a [`MemoryStore`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Answers, expired ones among them.
    pub entries: usize,
    /// The memory that they take, in bytes.
    pub bytes: usize,
    /// Answers that had to make room so far.
    pub evicted: u64,
}

impl MemoryStore {
    /// Holds at most 64 MiB, for 10 minutes each.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(BYTES)
    }

    /// Holds at most so many bytes, with what each answer takes beside its own. An answer larger
    /// than a shard is not kept; there is a shard for each 4 MiB, and at most 16.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let count = (bytes / SHARD).clamp(1, 16);
        let shard = || Mutex::new(Shard { most: bytes / count, ..Shard::default() });
        Self { shards: std::iter::repeat_with(shard).take(count).collect(), ttl: TTL }
    }

    /// Keeps an answer for `ttl` where its call does not say how long.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// What it holds now.
    #[must_use]
    pub fn held(&self) -> Held {
        self.shards.iter().map(lock).fold(Held::default(), |sum, shard| Held {
            entries: sum.entries + shard.nodes.len(),
            bytes: sum.bytes + shard.bytes,
            evicted: sum.evicted + shard.evicted,
        })
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[key.shard(self.shards.len())])
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for MemoryStore {
    type Get = Ready<Result<Option<Entry>, BoxError>>;
    type Done = Ready<Result<(), BoxError>>;

    fn get(&self, key: &Key) -> Self::Get {
        ready(Ok(self.shard(key).get(key)))
    }

    fn put(&self, key: Key, entry: Entry, ttl: Option<Duration>) {
        let until = Instant::now().checked_add(ttl.unwrap_or(self.ttl));
        self.shard(&key).put(key, entry, until);
    }

    fn remove(&self, key: &Key) -> Self::Done {
        let mut shard = self.shard(key);
        if let Some(at) = shard.places.get(key).copied() {
            shard.take(at);
        }
        ready(Ok(()))
    }

    fn clear(&self) -> Self::Done {
        for shard in self.shards.iter() {
            let mut shard = lock(shard);
            *shard = Shard { most: shard.most, evicted: shard.evicted, ..Shard::default() };
        }
        ready(Ok(()))
    }
}

#[derive(Debug, Default)]
struct Shard {
    most: usize,
    bytes: usize,
    places: HashMap<Key, usize, RandomState>,
    nodes: Vec<Node>,
    /// The place that is looked at next when room is needed.
    hand: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Node {
    key: Key,
    entry: Entry,
    size: usize,
    /// `None`: never.
    until: Option<Instant>,
    /// Whether it was asked for since the hand passed.
    asked: bool,
}

impl Node {
    fn expired(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

impl Shard {
    fn get(&mut self, key: &Key) -> Option<Entry> {
        let at = *self.places.get(key)?;
        if self.nodes[at].expired() {
            self.take(at);
            return None;
        }
        self.nodes[at].asked = true;
        Some(self.nodes[at].entry.clone())
    }

    fn put(&mut self, key: Key, entry: Entry, until: Option<Instant>) {
        if let Some(at) = self.places.get(&key).copied() {
            self.take(at);
        }
        // The key stands in the table too.
        let size = entry.size() + size_of::<Node>() + size_of::<(Key, usize)>();
        if size > self.most {
            return;
        }
        while self.bytes + size > self.most {
            self.evict();
        }
        self.bytes += size;
        self.places.insert(key, self.nodes.len());
        self.nodes.push(Node { key, entry, size, until, asked: false });
    }

    /// Lets go of the next one that nobody asked for. Two rounds find one: the first forgets who
    /// was asked for.
    fn evict(&mut self) {
        for _ in 0..=2 * self.nodes.len() {
            let at = if self.hand < self.nodes.len() { self.hand } else { 0 };
            // The last one is moved to the place that is free, and it is the youngest.
            self.hand = at + 1;
            let node = &mut self.nodes[at];
            if !std::mem::take(&mut node.asked) || node.expired() {
                self.take(at);
                self.evicted += 1;
                return;
            }
        }
    }

    fn take(&mut self, at: usize) {
        let node = self.nodes.swap_remove(at);
        self.places.remove(&node.key);
        self.bytes -= node.size;
        if let Some(moved) = self.nodes.get(at) {
            self.places.insert(moved.key, at);
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
