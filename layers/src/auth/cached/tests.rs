use super::CachedKeys;
use crate::auth::{AuthError, Keys, Presented};
use crate::facts::Principal;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::advance;

const UP: u8 = 0;
const AWAY: u8 = 1;
const EMPTY: u8 = 2;

/// Knows `alice`, counts who asks, and can be away.
#[derive(Clone, Debug, Default)]
struct Database {
    asked: Arc<AtomicU32>,
    state: Arc<AtomicU8>,
}

impl Keys for Database {
    type Future = Ready<Result<Principal, AuthError>>;

    fn check(&self, presented: Presented<'_>) -> Self::Future {
        self.asked.fetch_add(1, Relaxed);
        ready(match (self.state.load(Relaxed), presented) {
            (AWAY, _) => Err(AuthError::Outage("away".into())),
            (UP, Presented::Key(b"alice")) => Ok(Principal::new("alice", "alice")),
            (_, Presented::Key(_)) => Err(AuthError::Unknown),
            _ => Err(AuthError::Missing),
        })
    }
}

fn keys() -> (CachedKeys<Database>, Database) {
    let database = Database::default();
    (CachedKeys::new(database.clone()), database)
}

async fn check(keys: &CachedKeys<Database>, key: &[u8]) -> Result<Principal, AuthError> {
    keys.clone().check(Presented::Key(key)).await
}

#[tokio::test(start_paused = true)]
async fn a_known_key_is_asked_for_once_a_minute() {
    let (keys, database) = keys();
    for _ in 0..3 {
        assert_eq!(&*check(&keys, b"alice").await.unwrap().user, "alice");
    }
    assert_eq!(database.asked.load(Relaxed), 1);
    advance(Duration::from_secs(60)).await;
    check(&keys, b"alice").await.unwrap();
    assert_eq!(database.asked.load(Relaxed), 2);
    keys.forget();
    check(&keys, b"alice").await.unwrap();
    assert_eq!(database.asked.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_once_in_five_seconds() {
    let (keys, database) = keys();
    for _ in 0..3 {
        assert!(matches!(check(&keys, b"mallory").await, Err(AuthError::Unknown)));
    }
    assert_eq!(database.asked.load(Relaxed), 1);
    advance(Duration::from_secs(5)).await;
    check(&keys, b"mallory").await.unwrap_err();
    assert_eq!(database.asked.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_remembered_and_known_keys_outlive_it() {
    let (keys, database) = keys();
    check(&keys, b"alice").await.unwrap();
    advance(Duration::from_secs(3600)).await;
    database.state.store(AWAY, Relaxed);
    check(&keys, b"alice").await.unwrap();
    assert!(matches!(check(&keys, b"bob").await, Err(AuthError::Outage(_))));
    database.state.store(EMPTY, Relaxed);
    // It was taken away meanwhile.
    assert!(matches!(check(&keys, b"alice").await, Err(AuthError::Unknown)));
    database.state.store(AWAY, Relaxed);
    advance(Duration::from_secs(10)).await;
    assert!(matches!(check(&keys, b"alice").await, Err(AuthError::Outage(_))));
}

#[tokio::test(start_paused = true)]
async fn guesses_do_not_fill_the_memory() {
    let (keys, database) = keys();
    let keys = keys.most(2);
    for guess in [b"a", b"b", b"c", b"c"] {
        check(&keys, guess).await.unwrap_err();
    }
    // The third found no room.
    assert_eq!(database.asked.load(Relaxed), 4);
    advance(Duration::from_secs(5)).await;
    check(&keys, b"c").await.unwrap_err();
    check(&keys, b"c").await.unwrap_err();
    assert_eq!(database.asked.load(Relaxed), 5);
    check(&keys, b"alice").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_presents_nothing_is_not_remembered() {
    let (keys, database) = keys();
    for _ in 0..2 {
        assert!(matches!(keys.check(Presented::Nothing).await, Err(AuthError::Missing)));
    }
    assert_eq!(database.asked.load(Relaxed), 2);
}

#[tokio::test]
async fn what_was_asked_before_keys_changed_is_not_remembered() {
    let (keys, database) = keys();
    let early = keys.check(Presented::Key(b"alice"));
    database.state.store(EMPTY, Relaxed);
    keys.forget();
    assert!(early.await.is_ok(), "it was known when it was asked");
    assert!(matches!(check(&keys, b"alice").await, Err(AuthError::Unknown)));
}

#[tokio::test]
async fn a_word_may_be_remembered_for_ever() {
    let (keys, database) = keys();
    let keys = keys.known_for(Duration::MAX).unknown_for(Duration::MAX);
    for _ in 0..2 {
        assert!(check(&keys, b"alice").await.is_ok());
        assert!(check(&keys, b"bob").await.is_err());
    }
    assert_eq!(database.asked.load(Relaxed), 2);
}
