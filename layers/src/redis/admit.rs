//! The one round trip before a call.
use super::level::{Count, Level, Mark, millis};
use super::outage::read;
use super::script::{ADMIT, Input};
use super::ticket::Ticket;
use super::{Outage, Redis};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What Redis said about a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    Admitted(Arc<Ticket>),
    /// The level with this number has no room; nothing was taken.
    Refused(usize, Count),
}

impl Redis {
    /// Admits a call on all `levels` or on none, in one round trip. In a Cluster each tag takes
    /// its own, in the order of their names; what was taken is given back when a later one
    /// refuses. The future may be dropped at any time.
    pub(crate) async fn admit(&self, levels: Vec<Level>) -> Result<Verdict, Outage> {
        let cluster = self.link()?.1.is_cluster();
        let ticket = Ticket::new(self, levels);
        let mut groups = BTreeMap::<_, Vec<usize>>::new();
        for (at, level) in ticket.levels().iter().enumerate() {
            groups.entry(cluster.then_some(&level.tag)).or_default().push(at);
        }
        for group in groups.values() {
            if let Some((level, count)) = self.admit_some(&ticket, group).await? {
                ticket.void();
                return Ok(Verdict::Refused(level, count));
            }
        }
        Ok(Verdict::Admitted(ticket))
    }

    /// Admits a call on some of its levels, or tells which of them refuses.
    async fn admit_some(
        &self,
        ticket: &Ticket,
        group: &[usize],
    ) -> Result<Option<(usize, Count)>, Outage> {
        let mark = |mark| group.iter().for_each(|&level| ticket.mark(level, mark));
        let mut seeds = vec![None; group.len()];
        // Each answer but the last asks for the seed of one more level.
        for _ in 0..=group.len() {
            let mut input = Input::default();
            input.text(ticket.id()).number(millis(self.settings().hold_ttl));
            for (&level, &seed) in group.iter().zip(&seeds) {
                ticket.levels()[level].admit(&mut input, self.settings(), seed);
            }
            // From here on it may be executed, whether or not anyone hears of it.
            mark(Mark::Unknown);
            let answer = self.ask(&input).await?;
            let place = |at| usize::try_from(at).ok().filter(|at| *at < group.len());
            match (&answer[..], answer.get(1).copied().and_then(place)) {
                ([1, counts @ ..], _) => {
                    for (&level, seen) in group.iter().zip(counts.chunks_exact(3)) {
                        let count = Count { taken: seen[0], left: seen[1], mark: seen[2] };
                        self.note(&ticket.levels()[level], count);
                        ticket.mark(level, Mark::Yes(count));
                    }
                    return Ok(None);
                }
                (&[0, _, taken, left, seen], Some(at)) => {
                    mark(Mark::No);
                    return Ok(Some((group[at], Count { taken, left, mark: seen })));
                }
                (&[2, _], Some(at)) => {
                    mark(Mark::No);
                    seeds[at] = Some(self.seed(&ticket.levels()[group[at]]));
                }
                _ => break,
            }
        }
        Err(Outage::Failed("not what the script returns".into()))
    }

    async fn ask(&self, input: &Input) -> Result<Vec<i64>, Outage> {
        let answer = match self.send(&ADMIT.call(input)).await {
            Err(Outage::NoScript) => self.send(&ADMIT.eval(input)).await,
            answer => answer,
        }?;
        read(answer)
    }
}
