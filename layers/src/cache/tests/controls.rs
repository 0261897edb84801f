//! What a request says about its part in the cache.
use super::*;

#[tokio::test]
async fn no_cache_asks_the_upstream_and_keeps_what_it_says() {
    let (cache, mut upstream) = memory();
    drained(Ok(asked(&cache, request(1), &mut upstream, whole("old")).await)).await;
    let fresh = CacheControl { no_cache: true, ..CacheControl::default() };
    let rsp = asked(&cache, with(&fresh), &mut upstream, whole("new")).await;
    assert_eq!(rsp.extensions().get(), Some(&CacheStatus::Bypass));
    drained(Ok(rsp)).await;
    assert_eq!(drained(cache.oneshot(request(1)).await).await, "new");
}

#[tokio::test]
async fn no_store_looks_and_keeps_nothing() {
    let (cache, mut upstream) = memory();
    let unkept = CacheControl { no_store: true, ..CacheControl::default() };
    for answer in ["1", "2"] {
        let rsp = asked(&cache, with(&unkept), &mut upstream, whole(answer)).await;
        assert_eq!(rsp.extensions().get(), Some(&CacheStatus::Miss));
        drained(Ok(rsp)).await;
    }
    drained(Ok(asked(&cache, request(1), &mut upstream, whole("3")).await)).await;
    assert_eq!(drained(cache.oneshot(with(&unkept)).await).await, "3");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_as_long_as_the_request_or_the_layer_says() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (ttl, of_request, lasts) in [(60, None, 60), (60, seconds(20), 20), (20, seconds(60), 60)] {
        let layer = CacheLayer::new(MemoryStore::new()).ttl(Duration::from_secs(ttl));
        let (cache, mut upstream) = layered(&layer);
        let control = CacheControl { ttl: of_request, ..CacheControl::default() };
        drained(Ok(asked(&cache, with(&control), &mut upstream, whole("hi")).await)).await;
        tokio::time::advance(Duration::from_secs(lasts - 1)).await;
        assert_eq!(drained(cache.clone().oneshot(request(1)).await).await, "hi");
        tokio::time::advance(Duration::from_secs(1)).await;
        let rsp = asked(&cache, request(1), &mut upstream, whole("new")).await;
        assert_eq!(drained(Ok(rsp)).await, "new");
    }
}

#[tokio::test]
async fn an_answer_older_than_the_request_takes_is_asked_for_anew() {
    let store = MemoryStore::new();
    let key = Key::new(&CacheKey([1; 32]), &Extensions::new(), super::super::CacheScope::Team, "");
    let mut old = super::super::Answer::new(false, http::HeaderMap::new(), "old".into());
    old.stored -= Duration::from_secs(100);
    store.put(key, old.into(), None);
    let (cache, mut upstream) = layered(&CacheLayer::new(store));
    let at_most = |seconds| {
        let max_age = Some(Duration::from_secs(seconds));
        with(&CacheControl { max_age, ..CacheControl::default() })
    };
    assert_eq!(drained(cache.clone().oneshot(at_most(110)).await).await, "old");
    let rsp = asked(&cache, at_most(90), &mut upstream, whole("new")).await;
    drained(Ok(rsp)).await;
    assert_eq!(drained(cache.oneshot(at_most(90)).await).await, "new");
}

#[tokio::test]
async fn namespaces_are_kept_apart() {
    let (cache, mut upstream) = layered(&CacheLayer::new(MemoryStore::new()).namespace("a"));
    let named = |namespace: &str| CacheControl {
        namespace: Some(namespace.into()),
        ..CacheControl::default()
    };
    drained(Ok(asked(&cache, request(1), &mut upstream, whole("a")).await)).await;
    drained(Ok(asked(&cache, with(&named("b")), &mut upstream, whole("b")).await)).await;
    assert_eq!(drained(cache.clone().oneshot(with(&named("a"))).await).await, "a");
    assert_eq!(drained(cache.oneshot(with(&named("b"))).await).await, "b");
}

#[tokio::test]
async fn only_those_who_ask_for_it_take_part_where_it_is_off() {
    let (cache, mut upstream) = layered(&CacheLayer::new(MemoryStore::new()).opt_in());
    let part = CacheControl { use_cache: true, ..CacheControl::default() };
    for req in [request(1), request(1), with(&part)] {
        drained(Ok(asked(&cache, req, &mut upstream, whole("hi")).await)).await;
    }
    assert_eq!(drained(cache.clone().oneshot(with(&part)).await).await, "hi");
    let rsp = asked(&cache, request(1), &mut upstream, whole("new")).await;
    assert_eq!(drained(Ok(rsp)).await, "new");
}

fn with(control: &CacheControl) -> Req {
    let mut req = request(1);
    req.extensions_mut().insert(control.clone());
    req
}
