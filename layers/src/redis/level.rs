//! What a call asks of Redis: windows, permits and money, and where they are kept.
use super::Settings;
use super::script::Input;
use crate::facts::Scope;
use std::fmt;
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
    /// Whether what was taken is settled by what was used; else it stays counted.
    pub(crate) settled: bool,
}

/// A share of a budget, in billionths of a dollar.
#[derive(Clone, Debug)]
pub(crate) struct Money {
    /// Which of the budgets of the tag.
    pub(crate) name: Box<str>,
    pub(crate) most: i64,
    pub(crate) take: i64,
    pub(crate) mode: Mode,
    /// What is left of the budget's window; `None` is for ever.
    pub(crate) left: Option<Duration>,
    /// Who knows what was spent where Redis does not.
    pub(crate) lost: Option<Arc<dyn Lost>>,
}

/// What has to be true of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Nothing: the call is free.
    Free,
    /// Anything is left.
    Left,
    /// The whole share fits.
    Fits,
}

/// Knows what a budget has spent when Redis has lost its counter.
pub(crate) trait Lost: Send + Sync {
    fn spent(&self) -> i64;
}

impl fmt::Debug for dyn Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lost")
    }
}

/// What one level looked like after a call was admitted, or when it was refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Taken by all calls, this one included where it was admitted.
    pub(crate) taken: i64,
    /// What is left of the window, in milliseconds; negative where there is none.
    pub(crate) left: i64,
    /// The beginning of a window, or what a budget has spent.
    pub(crate) mark: i64,
}

/// The hash tag of what belongs to `subject`.
pub(crate) fn tag(scope: Scope, subject: &str) -> Box<str> {
    [scope.name(), ":", subject].concat().into()
}

/// A key. The braces make the tag alone choose its slot.
pub(crate) fn key(settings: &Settings, tag: &str, parts: &[&str]) -> String {
    let room: usize = parts.iter().map(|part| part.len() + 1).sum();
    let mut key = String::with_capacity(settings.prefix.len() + tag.len() + 2 + room);
    for piece in [&*settings.prefix, "{", tag, "}"] {
        key.push_str(piece);
    }
    for part in parts {
        key.push(':');
        key.push_str(part);
    }
    key
}

impl Level {
    /// Which budget it is.
    pub(super) fn account(&self) -> Option<Box<str>> {
        match &self.take {
            Take::Money(money) => Some([&self.tag, ":", &money.name].concat().into()),
            Take::Window(_) | Take::Permit { .. } => None,
        }
    }

    fn keys(&self, to: &mut Input, settings: &Settings) {
        match &self.take {
            Take::Window(window) => to.key(key(settings, &self.tag, &[window.name])),
            Take::Permit { .. } => to.key(key(settings, &self.tag, &["parallel"])),
            Take::Money(money) => {
                // In the order in which the scripts take them.
                for part in ["spent", "held", "holds", "suspects", "settled"] {
                    to.key(key(settings, &self.tag, &[&money.name, part]));
                }
            }
        }
    }

    /// Adds it to a run of the admission script. `seed` is what the budget has spent, once asked.
    pub(super) fn admit(&self, to: &mut Input, settings: &Settings, seed: Option<i64>) {
        self.keys(to, settings);
        match &self.take {
            Take::Window(window) => {
                to.word("w").number(window.most.min(EXACT)).number(window.take.clamp(0, EXACT));
                to.word("").word("").number(millis(window.span));
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
                to.number(money.left());
            }
        }
    }

    /// Adds to a run of the settling script what is left to do when a call has ended.
    pub(super) fn settle(&self, to: &mut Input, settings: &Settings, end: &Ended<'_>) {
        match (&self.take, end.mark) {
            (Take::Window(window), Mark::Yes(count)) => {
                let delta = match (end.void, window.settled) {
                    (true, _) => -window.take,
                    (false, true) => end.tokens.map_or(0, |used| used - window.take),
                    (false, false) => 0,
                };
                if delta != 0 {
                    self.keys(to, settings);
                    to.word("w").number(count.mark).number(delta).number(delta.max(0));
                    to.number(millis(window.span));
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
                to.number(end.cost).number(end.seed).number(money.left());
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
        match self.mode {
            Mode::Free => "f",
            Mode::Left => "d",
            Mode::Fits => "s",
        }
    }

    fn left(&self) -> i64 {
        self.left.map_or(0, |left| millis(left).max(1))
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
    /// It does not count at all.
    pub(super) void: bool,
    /// What it used; `None` leaves what was taken.
    pub(super) tokens: Option<i64>,
    pub(super) cost: i64,
    pub(super) seed: i64,
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX).min(EXACT)
}
