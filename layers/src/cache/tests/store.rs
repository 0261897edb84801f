//! The memory store's bounds, and the bytes of an entry.
use super::super::{Answer, Held};
use super::*;
use http::HeaderMap;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

#[tokio::test]
async fn what_nobody_asks_for_makes_room() {
    let store = MemoryStore::with_capacity(10_000);
    store.put(key(0), entry(2_000), None);
    for n in 1..40 {
        assert!(get(&store, 0).is_some(), "asked for each time, before {n}");
        store.put(key(n), entry(2_000), None);
    }
    assert!(get(&store, 1).is_none() && get(&store, 39).is_some());
    let Held { entries, bytes, evicted } = store.held();
    assert_eq!(entries as u64 + evicted, 40);
    assert!(bytes <= 10_000 && entries == 4);
}

#[tokio::test]
async fn what_is_collected_at_a_time_is_bounded() {
    let (cache, mut upstream) = layered(&CacheLayer::new(MemoryStore::new()).collecting(10));
    let stream = || events([Ok("123456"), Ok("78")]);
    let mut one = asked(&cache, request(1), &mut upstream, stream()).await;
    let mut two = asked(&cache, request(2), &mut upstream, stream()).await;
    one.body_mut().frame().await.unwrap().unwrap();
    two.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(drained(Ok(two)).await, "78", "its client gets all of it");
    drained(Ok(one)).await;
    // The second had no room, and the first has given its own back.
    assert_eq!(drained(cache.clone().oneshot(request(1)).await).await, "12345678");
    drained(Ok(asked(&cache, request(2), &mut upstream, stream()).await)).await;
    assert_eq!(drained(cache.oneshot(request(2)).await).await, "12345678");
}

#[tokio::test]
async fn what_is_removed_is_forgotten() {
    let store = MemoryStore::new();
    for n in 0..3 {
        store.put(key(n), entry(10), None);
    }
    store.remove(&key(1)).await.unwrap();
    assert!(get(&store, 0).is_some() && get(&store, 1).is_none() && get(&store, 2).is_some());
    store.clear().await.unwrap();
    assert_eq!(store.held(), Held::default());
}

#[test]
fn what_does_not_fit_is_not_kept_and_nothing_is_lost_for_it() {
    let store = MemoryStore::with_capacity(10_000);
    store.put(key(0), entry(100), None);
    store.put(key(1), entry(10_000), None);
    assert!(get(&store, 0).is_some() && get(&store, 1).is_none());
}

proptest! {
    #[test]
    fn the_store_never_holds_more_than_it_may(
        most in 0_usize..20_000,
        steps in prop::collection::vec((0_u8..20, 0_usize..6_000, 0_u8..4), 1..200),
    ) {
        let store = MemoryStore::with_capacity(most);
        let mut last = HashMap::new();
        for (n, size, act) in steps {
            match act {
                0 => drop(store.remove(&key(n))),
                1 => if let Some(found) = get(&store, n) {
                    prop_assert_eq!(Some(&found.body.len()), last.get(&n));
                },
                _ => {
                    store.put(key(n), entry(size), None);
                    last.insert(n, size);
                }
            }
            let held = store.held();
            prop_assert!(held.bytes <= most);
            let found: usize = (0..20).filter_map(|n| get(&store, n)).map(|e| e.size()).sum();
            prop_assert!(found <= held.bytes && (held.entries == 0) == (held.bytes == 0));
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written(
        stream: bool,
        names in prop::collection::vec(("[a-z]{1,9}", "[ -~]{0,20}"), 0..5),
        body: Vec<u8>,
        served_by in prop::option::of("[a-z0-9-]{1,20}"),
        bill in prop::option::of((0_i64.., 0_i64.., any::<i64>())),
        millis in 0_u64..1 << 50,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in names {
            let name = http::HeaderName::try_from(name).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let entry = Entry::from(Answer {
            stream,
            headers,
            body: body.into(),
            served_by: served_by.map(Into::into),
            bill: bill.map(|(input, output, cost)| (Usage::tokens(input, output), NanoUsd(cost))),
            stored: UNIX_EPOCH + Duration::from_millis(millis),
        });
        let bytes = entry.to_bytes();
        prop_assert_eq!(Entry::from_bytes(bytes.clone()), Some(entry.clone()));
        let head = bytes.len() - entry.body.len();
        for cut in 0..head {
            prop_assert_eq!(Entry::from_bytes(bytes.slice(..cut)), None);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, version in 0_u8..3) {
        let read = Entry::from_bytes([&[version], &*bytes].concat().into());
        prop_assert!(version == 1 || read.is_none());
    }
}

#[test]
fn an_answer_from_the_future_has_no_age() {
    let mut answer = Answer::new(false, HeaderMap::new(), Bytes::new());
    answer.stored = SystemTime::now() + Duration::from_secs(60);
    assert_eq!(answer.age(), Duration::ZERO);
}

fn key(n: u8) -> Key {
    Key::new(&CacheKey([n; 32]), &Extensions::new(), super::super::CacheScope::All, "")
}

fn entry(size: usize) -> Entry {
    Answer::new(false, HeaderMap::new(), vec![0; size].into()).into()
}

fn get(store: &MemoryStore, n: u8) -> Option<Entry> {
    store.get(&key(n)).into_inner().unwrap()
}
