//! Answers that are kept in parts.
use super::super::Parts;
use super::*;

const KEYS: [CacheKey; 3] = [CacheKey([1; 32]), CacheKey([2; 32]), CacheKey([3; 32])];

#[tokio::test]
async fn each_part_is_found_by_itself_and_all_together_are_a_hit() {
    let layer = CacheLayer::new(MemoryStore::new());
    let parts = of(&layer, None).unwrap();
    assert_eq!(found(&parts).await, vec![None; 3]);
    assert_eq!(parts.status(), CacheStatus::Miss);
    keep(&parts, 2, "c", 3);
    keep(&parts, 0, "a", 4);
    assert_eq!(bodies(&found(&parts).await), [Some("a"), None, Some("c")]);
    keep(&parts, 1, "b", 5);
    let all: Vec<_> = found(&parts).await.into_iter().flatten().collect();
    let hit = parts.replay(&all, "abc".into());
    assert_eq!(hit.extensions().get(), Some(&CacheStatus::Hit));
    assert_eq!(hit.extensions().get(), Some(&ServedBy("azure-1".into())));
    let Replayed(entry) = hit.extensions().get().unwrap();
    assert_eq!(entry.bill, Some((Usage::tokens(3, 0), NanoUsd(12))));
    let mut names: Vec<_> = hit.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "x-litellm-cache-key", "x-litellm-model-id"]);
    let stats = layer.stats();
    assert_eq!((stats.hits, stats.misses, stats.outages), (1, 2, 0));
}

#[tokio::test]
async fn parts_are_kept_by_what_the_request_says() {
    let layer = CacheLayer::new(MemoryStore::new());
    let control = CacheControl::default;
    let no_store = of(&layer, Some(CacheControl { no_store: true, ..control() })).unwrap();
    keep(&no_store, 0, "a", 1);
    assert_eq!(found(&no_store).await, vec![None; 3]);
    let no_cache = of(&layer, Some(CacheControl { no_cache: true, ..control() })).unwrap();
    keep(&no_cache, 0, "a", 1);
    assert!(no_cache.looks().next().is_none());
    assert_eq!((found(&no_cache).await, no_cache.status()), (vec![None; 3], CacheStatus::Bypass));
    let other = CacheControl { namespace: Some("other".into()), ..control() };
    assert_eq!(found(&of(&layer, Some(other)).unwrap()).await, vec![None; 3]);
    let young = CacheControl { max_age: Some(Duration::ZERO), ..control() };
    assert_eq!(found(&of(&layer, Some(young)).unwrap()).await, vec![None; 3]);
    assert_eq!(bodies(&found(&of(&layer, None).unwrap()).await), [Some("a"), None, None]);
    assert!(of(&layer.opt_in(), None).is_none());
}

#[tokio::test]
async fn a_part_that_is_too_long_is_not_kept() {
    let parts = of(&CacheLayer::new(MemoryStore::new()).max_entry(2), None).unwrap();
    keep(&parts, 0, "aa", 1);
    keep(&parts, 1, "bbb", 1);
    assert_eq!(bodies(&found(&parts).await), [Some("aa"), None, None]);
}

#[tokio::test]
async fn parts_in_a_store_that_is_away_are_missing() {
    let layer = CacheLayer::new(Away);
    let parts = layer.parts(&Extensions::new(), &KEYS).unwrap();
    let mut looked = Vec::new();
    for look in parts.looks() {
        looked.push(look.await);
    }
    assert_eq!(parts.found(looked), [None, None, None]);
    assert_eq!((layer.stats().misses, layer.stats().outages), (1, 1));
}

fn of(
    layer: &CacheLayer<MemoryStore>,
    control: Option<CacheControl>,
) -> Option<Parts<MemoryStore>> {
    let mut facts = Extensions::new();
    control.map(|control| facts.insert(control));
    layer.parts(&facts, &KEYS)
}

fn keep(parts: &Parts<MemoryStore>, part: usize, body: &'static str, cost: i64) {
    let mut rsp = Response::new(());
    for name in ["set-cookie", "openai-version", "content-type", "x-litellm-model-id"] {
        rsp.headers_mut().insert(name, "a".parse().unwrap());
    }
    rsp.extensions_mut().insert(ServedBy("azure-1".into()));
    let bill = (Usage::tokens(1, 0), NanoUsd(cost));
    parts.keep(part, &rsp.into_parts().0, body.into(), Some(bill));
}

async fn found(parts: &Parts<MemoryStore>) -> Vec<Option<Entry>> {
    let mut looked = Vec::new();
    for look in parts.looks() {
        looked.push(look.await);
    }
    parts.found(looked)
}

fn bodies(found: &[Option<Entry>]) -> Vec<Option<&str>> {
    fn body(entry: &Option<Entry>) -> Option<&str> {
        std::str::from_utf8(&entry.as_ref()?.body).ok()
    }
    found.iter().map(body).collect()
}
