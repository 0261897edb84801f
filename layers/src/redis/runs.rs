//! Runs of the settling script.
use super::level::{Level, millis};
use super::link::Link;
use super::script::{self, Input, SETTLE};
use super::{Outage, Redis};
use ::redis::Pipeline;
use std::collections::BTreeSet;

/// Keys in one run, which nothing else runs beside.
const KEYS: usize = 512;

/// The tags of `levels` in order where each needs a run of its own; else one `None`.
pub(super) fn tags<'a>(
    link: &Link,
    levels: impl Iterator<Item = &'a Level>,
) -> Vec<Option<&'a str>> {
    if !link.is_cluster() {
        return vec![None];
    }
    let tags: BTreeSet<&str> = levels.map(|level| &*level.tag).collect();
    tags.into_iter().map(Some).collect()
}

/// Runs of the settling script, none of them too long.
#[derive(Default)]
pub(super) struct Runs(Vec<Input>, bool);

impl Runs {
    /// Where the next parts go.
    pub(super) fn input(&mut self, redis: &Redis) -> &mut Input {
        let full = self.0.last().is_none_or(|input| input.len() >= KEYS);
        if full || std::mem::take(&mut self.1) {
            let mut input = Input::default();
            let settings = redis.settings();
            input.number(millis(settings.hold_ttl)).number(millis(settings.remember));
            self.0.push(input);
        }
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// The next parts go elsewhere.
    pub(super) fn cut(&mut self) {
        self.1 = true;
    }

    /// Sends all in one pipeline; in a Cluster one by one.
    pub(super) async fn send(&self, link: &mut Link, redis: &Redis) -> Result<(), Outage> {
        let wait = redis.settings().response_timeout;
        let runs = || self.0.iter().filter(|input| input.len() > 0);
        if link.is_cluster() {
            for input in runs() {
                match link.run(&SETTLE.call(input), wait).await {
                    Err(Outage::NoScript) => link.run(&SETTLE.eval(input), wait).await,
                    answer => answer,
                }?;
            }
            return Ok(());
        }
        let mut pipe = Pipeline::new();
        for input in runs() {
            pipe.add_command(SETTLE.call(input));
        }
        if pipe.is_empty() {
            return Ok(());
        }
        let sent = link.pipe(&pipe, wait).await;
        if let Err(Outage::NoScript) = sent {
            link.pipe(&script::load_all(), wait).await?;
            link.pipe(&pipe, wait).await?;
            return Ok(());
        }
        sent.map(drop)
    }
}
