//! Rests and answers that several nodes share.
use super::super::server::{Server, eventually};
use crate::breaker::{BreakerLayer, Gate, Policy, Rule};
use crate::cache::{Answer, CacheScope, Entry, Key, RedisStore, Store};
use crate::facts::CacheKey;
use bytes::Bytes;
use http::{Extensions, HeaderMap, Request, Response};
use http_body_util::Full;
use std::time::Duration;
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::test]
async fn a_deployment_that_one_node_rests_is_rested_by_the_others() {
    let Some(server) = Server::start() else { return };
    let nodes = [server.node().await, server.node().await];
    let cooldown = Some(Duration::from_secs(30));
    let policy = || Policy { cooldown, ..Policy::new(Rule::Consecutive(1)) };
    let [first, second] =
        nodes.each_ref().map(|node| Gate::shared(policy(), &node.redis, "gpt-1", ()));
    let other = Gate::shared(policy(), &nodes[1].redis, "gpt-2", ());
    let failing = ServiceBuilder::new()
        .layer(BreakerLayer::new(first.clone()))
        .service_fn(async |_: Request<()>| Err::<Response<Full<Bytes>>, _>("reset"));
    let began = Instant::now();
    assert!(failing.oneshot(Request::new(())).await.is_err());
    eventually(async || !second.admits()).await;
    // What is left of it is older by its way when it is heard: so much longer it may be, no more.
    let (left, way) = (second.rests_for().unwrap(), began.elapsed());
    let own = first.rests_for().unwrap();
    assert!(left <= own + way, "{left:?}, {own:?} after {way:?}");
    assert!(other.admits());
    first.reset();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(first.admits(), "a node does not hear itself");
}

#[tokio::test]
async fn an_answer_is_kept_for_all_nodes_until_it_is_forgotten() {
    for server in [Server::start(), Server::start_cluster()] {
        let Some(mut server) = server else { return };
        let nodes = [server.node().await, server.node().await];
        let [one, two] = nodes.each_ref().map(|node| RedisStore::new(&node.redis));
        let keys = [1, 2, 3]
            .map(|key| Key::new(&CacheKey([key; 32]), &Extensions::new(), CacheScope::All, ""));
        let entry = Entry::from(Answer::new(false, HeaderMap::new(), "hi".into()));
        one.put(keys[0], entry.clone(), None);
        one.put(keys[1], entry.clone(), Some(Duration::from_secs(60)));
        one.put(keys[2], entry.clone(), Some(Duration::from_millis(1)));
        let kept = async |key| two.get(&key).await.unwrap().is_some_and(|kept| kept.body == "hi");
        eventually(async || kept(keys[0]).await && kept(keys[1]).await).await;
        eventually(async || !kept(keys[2]).await).await;
        two.remove(&keys[0]).await.unwrap();
        assert!(!kept(keys[0]).await && kept(keys[1]).await);
        one.clear().await.unwrap();
        assert!(!kept(keys[1]).await);
        server.kill();
        one.put(keys[0], entry, None);
        assert!(two.get(&keys[0]).await.is_err(), "the layer takes it for a miss");
    }
}
