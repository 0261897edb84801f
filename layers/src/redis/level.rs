//! What a call asks of Redis: windows, permits and money, and where they are kept.
use super::script::Input;
use super::Settings;
use std::sync::Arc;
use std::time::Duration;

/// Beyond it the numbers of Lua are not exact: some nine million dollars.
const EXACT: i64 = (1 << 53) - 1;

/// One thing that a call takes.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// Whose it is. All keys of a level share it as their hash tag, and so lie in one slot.
    pub(crate) tag: Box<str>,
    /// What it takes.
    pub(crate) take: Take,
}

/// What a level takes, and how much there is.
#[derive(Clone, Debug)]
pub(crate) enum Take {
    /// Of a window that begins with its first hit.
    Window(Window),
    /// A permit among `most` while the call is open.
    Permit { most: i64 },
    /// Money.
    Money(Money),
}

/// A share of a window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) name: &'static str,
    pub(crate) most: i64,
    pub(crate) take: i64,
    pub(crate) span: Duration,
    /// Whether it is enough that anything is left.
    pub(crate) overdraw: bool,
    /// Whether what was taken is settled by what was used; else it stays counted.
    pub(crate) settled: bool,
}

/// A share of a budget, in billionths of a dollar.
#[derive(Clone, Debug)]
pub(crate) struct Money {
    pub(crate) most: i64,
    pub(crate) take: i64,
    /// Whether all of it has to fit; else it is enough that anything is left.
    pub(crate) strict: bool,
    /// How long the budget's window lasts from its first call; `None` is for ever.
    pub(crate) span: Option<Duration>,
    /// Who knows what was spent where Redis does not.
    pub(crate) seed: Option<Arc<dyn Seed>>,
}

/// Knows what a budget has spent when Redis has lost its counter.
///
/// What this process itself last saw counts where it is more. Implemented for closures.
pub trait Seed: Send + Sync + 'static {
    /// What `budget` has spent in its present window, in billionths of a dollar. Called while a
    /// call waits: answer from memory.
    fn seed(&self, budget: &str) -> crate::facts::NanoUsd;
}

impl<F: Fn(&str) -> crate::facts::NanoUsd + Send + Sync + 'static> Seed for F {
    fn seed(&self, budget: &str) -> crate::facts::NanoUsd {
        self(budget)
    }
}

impl std::fmt::Debug for dyn Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

/// The names of a budget's keys, in the order in which the scripts take them.
const MONEY: [&str; 5] = ["spent", "held", "holds", "suspects", "settled"];

/// What one level looked like after a call was admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Taken by all calls, this one included.
    pub(crate) taken: i64,
    /// What is left of the window, in milliseconds; negative where there is none.
    pub(crate) left: i64,
    /// The beginning of a window, or what a budget has spent.
    pub(crate) mark: i64,
}

impl Level {
    /// The key of one of its parts. The braces make the tag alone choose the slot.
    pub(crate) fn key(tag: &str, part: &str, settings: &Settings) -> String {
        let prefix = &*settings.prefix;
        let mut key = String::with_capacity(prefix.len() + tag.len() + part.len() + 3);
        for piece in [prefix, "{", tag, "}:", part] {
            key.push_str(piece);
        }
        key
    }

    fn keys(&self, to: &mut Input, settings: &Settings) {
        let mut add = |part| to.key(Self::key(&self.tag, part, settings));
        match &self.take {
            Take::Window(window) => drop(add(window.name)),
            Take::Permit { .. } => drop(add("parallel")),
            Take::Money(_) => MONEY.into_iter().for_each(|part| drop(add(part))),
        }
    }

    /// Adds it to a run of the admission script. `seed` is what the budget has spent, once asked.
    pub(super) fn admit(&self, to: &mut Input, settings: &Settings, seed: Option<i64>) {
        self.keys(to, settings);
        match &self.take {
            Take::Window(window) => {
                let mode = if window.overdraw { "o" } else { "f" };
                to.word("w").number(window.most.min(EXACT)).number(window.take.clamp(0, EXACT));
                to.word(mode).word("").number(millis(window.span));
            }
            Take::Permit { most } => {
                to.word("p").number((*most).min(EXACT)).number(1).word("").word("").number(0);
            }
            Take::Money(money) => {
                to.word("b").number(money.most.min(EXACT)).number(money.amount());
                to.word(money.mode());
                match seed {
                    Some(seed) => to.number(seed),
                    None => to.word(""),
                };
                to.number(money.span());
            }
        }
    }

    /// Adds to a run of the settling script what is left to do when a call has ended.
    pub(super) fn settle(&self, to: &mut Input, settings: &Settings, end: &Ended<'_>) {
        match (&self.take, end.mark) {
            (Take::Window(window), Mark::Yes(count)) => {
                let delta = match (end.void, window.settled) {
                    (true, _) => -window.take,
                    (false, true) => end.tokens - window.take,
                    (false, false) => 0,
                };
                if delta != 0 {
                    self.keys(to, settings);
                    to.word("w").number(count.mark).number(delta);
                }
            }
            // In which window it was counted is not known: the next one is soon.
            (Take::Window(_), _) => {}
            (Take::Permit { .. }, _) => {
                self.keys(to, settings);
                to.word("p").text(end.id);
            }
            (Take::Money(money), _) => {
                self.keys(to, settings);
                to.word("b").text(end.id).number(money.amount()).word(money.mode());
                to.number(end.cost).number(end.seed).number(money.span());
            }
        }
    }

    /// Adds to a run of the settling script that the call is still open.
    pub(super) fn renew(&self, to: &mut Input, settings: &Settings, id: &str) {
        match &self.take {
            Take::Window(_) => {}
            Take::Permit { .. } => {
                self.keys(to, settings);
                to.word("P").text(id);
            }
            Take::Money(money) => {
                self.keys(to, settings);
                to.word("B").text(id).number(money.amount()).word(money.mode());
            }
        }
    }
}

impl Money {
    fn amount(&self) -> i64 {
        self.take.clamp(0, EXACT)
    }

    fn mode(&self) -> &'static str {
        if self.strict { "s" } else { "d" }
    }

    fn span(&self) -> i64 {
        self.span.map_or(0, millis)
    }
}

/// How far a level got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Never asked for, or refused.
    No,
    /// Asked for; what became of it was never heard.
    Unknown,
    /// Taken.
    Yes(Count),
}

/// How a call ended, for one of its levels.
pub(super) struct Ended<'a> {
    pub(super) id: &'a str,
    pub(super) mark: Mark,
    pub(super) void: bool,
    pub(super) tokens: i64,
    pub(super) cost: i64,
    pub(super) seed: i64,
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(EXACT)
}
