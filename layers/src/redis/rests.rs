//! What the breakers of all nodes tell each other.
use super::level::key;
use super::link::Link;
use super::{Outage, Redis, Settings};
use ::redis::{FromRedisValue, Pipeline, Value};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Rests to be told and to be heard of.
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

impl Redis {
    /// Tells other nodes that this one rests a deployment.
    pub(crate) fn tell_rest(&self, deployment: &Arc<str>, until: Instant, status: u16) {
        self.watched().told.insert(deployment.clone(), (until, status));
        self.wake();
    }

    /// Tells `rested` what other nodes say of a deployment.
    pub(crate) fn watch_rests(&self, deployment: &Arc<str>, rested: Rested) {
        self.watched().gates.push((deployment.clone(), rested));
    }
}

/// The key that says that a deployment rests.
pub(super) fn cooldown(settings: &Settings, deployment: &str) -> String {
    key(settings, &["deployment:", deployment].concat(), &["cooldown"])
}

/// How long each deployment rests on other nodes than `node`, and the status that caused it.
pub(super) async fn rests(
    link: &mut Link,
    keys: impl Iterator<Item = String>,
    wait: Duration,
    node: &str,
) -> Result<Vec<Option<(Duration, u16)>>, Outage> {
    let mut pipes = vec![Pipeline::new()];
    for (at, key) in keys.enumerate() {
        // In a Cluster each deployment has a slot of its own.
        if at > 0 && link.is_cluster() {
            pipes.push(Pipeline::new());
        }
        if let Some(pipe) = pipes.last_mut() {
            pipe.cmd("PTTL").arg(&key).cmd("GET").arg(&key);
        }
    }
    let mut rests = Vec::new();
    for pipe in pipes.iter().filter(|pipe| !pipe.is_empty()) {
        for pair in link.pipe(pipe, wait).await?.chunks_exact(2) {
            rests.push(rest(&pair[0], &pair[1], node));
        }
    }
    Ok(rests)
}

fn rest(left: &Value, told: &Value, node: &str) -> Option<(Duration, u16)> {
    let left = u64::try_from(i64::from_redis_value_ref(left).ok()?).ok()?;
    let told = String::from_redis_value_ref(told).ok()?;
    let (status, by) = told.split_once(' ')?;
    let others = left > 0 && by != node;
    others.then_some((Duration::from_millis(left), status.parse().ok()?))
}
