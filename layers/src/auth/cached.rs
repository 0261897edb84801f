//! Remembers what a slow [`Keys`] policy said.
use super::{AuthError, Keys, Presented, digest};
use crate::facts::Principal;
use pin_project::pin_project;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

/// Asks another policy once, and then remembers its word by the key's digest: known keys for a
/// minute, unknown ones for five seconds, so that guesses do not reach a database one by one. An
/// outage is not remembered; while it lasts, known keys are answered from memory, however old.
///
/// At most 10 000 of each are kept. When there is no more room, those that are too old go; if none
/// is, new ones are not kept.
#[derive(Clone, Debug)]
pub struct CachedKeys<K> {
    keys: K,
    memory: Arc<Mutex<Memory>>,
    rules: Rules,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    known: Duration,
    unknown: Duration,
    most: usize,
}

type Digest = [u8; 32];

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<Digest, (Instant, Principal)>,
    unknown: HashMap<Digest, Instant>,
    /// How often it was told to forget.
    forgets: u64,
}

/// Longer than any process lives; a clock cannot be set to just any time.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

impl<K: Keys> CachedKeys<K> {
    /// Remembers what `keys` says.
    pub fn new(keys: K) -> Self {
        let (known, unknown) = (Duration::from_mins(1), Duration::from_secs(5));
        Self { keys, memory: Arc::default(), rules: Rules { known, unknown, most: 10_000 } }
    }

    /// Remembers known keys for so long.
    #[must_use]
    pub const fn known_for(mut self, ttl: Duration) -> Self {
        self.rules.known = ttl;
        self
    }

    /// Remembers unknown keys for so long.
    #[must_use]
    pub const fn unknown_for(mut self, ttl: Duration) -> Self {
        self.rules.unknown = ttl;
        self
    }

    /// Remembers at most so many known and so many unknown keys.
    #[must_use]
    pub const fn most(mut self, most: usize) -> Self {
        self.rules.most = most;
        self
    }

    /// Forgets everything: keys have changed. What was asked before and is told later is not
    /// remembered.
    pub fn forget(&self) {
        let mut memory = lock(&self.memory);
        *memory = Memory { forgets: memory.forgets + 1, ..Memory::default() };
    }

    fn remembered(&self, digest: &Digest) -> Option<Result<Principal, AuthError>> {
        let (memory, now) = (lock(&self.memory), Instant::now());
        if let Some((_, principal)) = memory.known.get(digest).filter(|(until, _)| now < *until) {
            return Some(Ok(principal.clone()));
        }
        memory.unknown.get(digest).filter(|until| now < **until).map(|_| Err(AuthError::Unknown))
    }
}

impl<K: Keys> Keys for CachedKeys<K> {
    type Future = CachedFuture<K::Future>;

    fn check(&self, presented: Presented<'_>) -> Self::Future {
        let Presented::Key(key) = presented else {
            return CachedFuture(State::Asking(self.keys.check(presented), None));
        };
        let (digest, forgets) = (digest(key), lock(&self.memory).forgets);
        match self.remembered(&digest) {
            Some(word) => CachedFuture(State::Told(Some(word))),
            None => {
                let (memory, rules) = (self.memory.clone(), self.rules);
                let note = Note { digest, forgets, memory, rules };
                CachedFuture(State::Asking(self.keys.check(presented), Some(note)))
            }
        }
    }

    fn check_now(&self, presented: Presented<'_>) -> Option<Result<Principal, AuthError>> {
        match presented {
            Presented::Key(key) => self.remembered(&digest(key)),
            _ => self.keys.check_now(presented),
        }
    }
}

/// The future of [`CachedKeys`].
#[pin_project]
#[derive(Debug)]
pub struct CachedFuture<F>(#[pin] State<F>);

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Told(Option<Result<Principal, AuthError>>),
    Asking(#[pin] F, Option<Note>),
}

/// Where to remember a word.
#[derive(Debug)]
struct Note {
    digest: Digest,
    /// As it was when the key was asked for.
    forgets: u64,
    memory: Arc<Mutex<Memory>>,
    rules: Rules,
}

impl<F: Future<Output = Result<Principal, AuthError>>> Future for CachedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().0.project() {
            StateProj::Told(word) => {
                Poll::Ready(word.take().expect("a future is not polled after its end"))
            }
            StateProj::Asking(ask, note) => {
                let word = ready!(ask.poll(cx));
                Poll::Ready(match note.take() {
                    Some(note) => note.take(word),
                    None => word,
                })
            }
        }
    }
}

impl Note {
    /// Remembers a word, or remembers a better one.
    fn take(self, word: Result<Principal, AuthError>) -> Result<Principal, AuthError> {
        let (mut memory, now) = (lock(&self.memory), Instant::now());
        let Memory { known, unknown, forgets } = &mut *memory;
        let until = |time: Duration| now + time.min(FOREVER);
        match &word {
            _ if *forgets != self.forgets => {}
            Ok(principal) => {
                unknown.remove(&self.digest);
                make_room(known, self.rules.most, |(until, _)| now < *until);
                if known.len() < self.rules.most || known.contains_key(&self.digest) {
                    known.insert(self.digest, (until(self.rules.known), principal.clone()));
                }
            }
            Err(AuthError::Unknown) => {
                known.remove(&self.digest);
                make_room(unknown, self.rules.most, |until| now < *until);
                if unknown.len() < self.rules.most {
                    unknown.insert(self.digest, until(self.rules.unknown));
                }
            }
            Err(AuthError::Outage(_)) => {
                let old = known.get(&self.digest).map(|(_, principal)| Ok(principal.clone()));
                return old.unwrap_or(word);
            }
            Err(_) => {}
        }
        word
    }
}

/// Lets go of what is too old, once there is no room.
fn make_room<V>(all: &mut HashMap<Digest, V>, most: usize, is_fresh: impl Fn(&V) -> bool) {
    if all.len() >= most {
        all.retain(|_, value| is_fresh(value));
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
