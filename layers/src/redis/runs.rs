//! Runs of the settling script.
use super::level::millis;
use super::link::Link;
use super::script::{self, Input, SETTLE};
use super::{Outage, Settings};
use ::redis::Pipeline;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// Keys in one run, which nothing else runs beside.
const KEYS: usize = 512;

/// Runs of the settling script, none of them too long. In a Cluster each tag has its own.
pub(super) struct Runs<'a> {
    settings: &'a Settings,
    cluster: bool,
    tags: BTreeMap<Box<str>, Vec<Input>>,
}

impl<'a> Runs<'a> {
    pub(super) fn new(link: &Link, settings: &'a Settings) -> Self {
        Self { settings, cluster: link.is_cluster(), tags: BTreeMap::new() }
    }

    /// Where the next part for `tag` goes.
    pub(super) fn input(&mut self, tag: &str) -> &mut Input {
        let tag = if self.cluster { tag } else { "" };
        if !self.tags.contains_key(tag) {
            self.tags.insert(tag.into(), Vec::new());
        }
        let inputs = self.tags.get_mut(tag).expect("it was just put there");
        if inputs.last().is_none_or(|input| input.len() >= KEYS) {
            let mut input = Input::default();
            let Settings { hold_ttl, remember, .. } = self.settings;
            input.number(millis(*hold_ttl)).number(millis(*remember));
            inputs.push(input);
        }
        inputs.last_mut().expect("it has one at least")
    }

    /// Sends all in one pipeline; in a Cluster side by side.
    pub(super) async fn send(&self, link: &mut Link) -> Result<(), Outage> {
        let wait = self.settings.response_timeout;
        let inputs = self.tags.values().flatten().filter(|input| input.len() > 0);
        if self.cluster {
            return all(inputs.map(|input| run(link.clone(), input, wait))).await;
        }
        let mut pipe = Pipeline::new();
        for input in inputs {
            pipe.add_command(SETTLE.call(input));
        }
        if pipe.is_empty() {
            return Ok(());
        }
        let sent = link.pipe(&pipe, wait).await;
        if let Err(Outage::NoScript) = sent {
            link.pipe(&script::load_all(), wait).await?;
            return link.pipe(&pipe, wait).await.map(drop);
        }
        sent.map(drop)
    }
}

async fn run(mut link: Link, input: &Input, wait: Duration) -> Result<(), Outage> {
    let answer = match link.run(&SETTLE.call(input), wait).await {
        Err(Outage::NoScript) => link.run(&SETTLE.eval(input), wait).await,
        answer => answer,
    };
    answer.map(drop)
}

/// Runs all of them at once, to the end. Tells of one that failed.
async fn all(
    runs: impl Iterator<Item = impl Future<Output = Result<(), Outage>>>,
) -> Result<(), Outage> {
    let mut runs: Vec<Pin<Box<_>>> = runs.map(Box::pin).collect();
    let mut ended = Ok(());
    poll_fn(|cx| {
        runs.retain_mut(|run| match run.as_mut().poll(cx) {
            Poll::Ready(Ok(())) => false,
            Poll::Ready(failed) => {
                ended = failed;
                false
            }
            Poll::Pending => true,
        });
        if runs.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended
}
