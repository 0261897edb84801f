//! What [`MemoryLedger`](super::MemoryLedger) keeps its accounts in.
use super::{Account, Budget, BudgetWindow, Exhausted, Seed, Zone};
use crate::facts::{NanoUsd, Scope};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Pages are searched for blank ones only when there are more than this.
const FEW: usize = 1024;

/// All pages, found by whose they are.
#[derive(Debug, Default)]
pub(super) struct Books(RwLock<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// Of one subject there are few.
    pages: HashMap<Arc<str>, Vec<Arc<Page>>, RandomState>,
    /// How many there are.
    count: usize,
    /// With how many pages the next search for blank ones is due.
    crowd: usize,
}

impl Books {
    /// The page of `budget`; a new one if it has none.
    pub(super) fn page(
        &self,
        budget: &Budget,
        calendar: &Calendar,
        seed: Option<&dyn Seed>,
    ) -> Arc<Page> {
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner).find(budget);
        found.unwrap_or_else(|| {
            let seeded = seed.map(|seed| seed.spent(budget));
            self.0.write().unwrap_or_else(PoisonError::into_inner).add(budget, calendar, seeded)
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().count
    }
}

impl Pages {
    /// Names may come from clients: pages that say nothing are torn out when their number has
    /// doubled, so that there are never more than twice as many as are needed.
    fn add(&mut self, budget: &Budget, calendar: &Calendar, seeded: Option<NanoUsd>) -> Arc<Page> {
        if self.count >= self.crowd.max(FEW) {
            self.tear_out(calendar);
        }
        // Someone else may have added it since it was searched for.
        if let Some(page) = self.find(budget) {
            return page;
        }
        let page = Arc::new(Page::new(budget));
        if let Some(spent) = seeded {
            page.open(calendar).seed(spent, None);
        }
        self.pages.entry(budget.subject.clone()).or_default().push(page.clone());
        self.count += 1;
        page
    }

    fn find(&self, budget: &Budget) -> Option<Arc<Page>> {
        let mut pages = self.pages.get(&*budget.subject)?.iter();
        pages.find(|page| page.scope == budget.scope && page.window == budget.window).cloned()
    }

    fn tear_out(&mut self, calendar: &Calendar) {
        self.pages.retain(|_, pages| {
            pages.retain(|page| Arc::strong_count(page) > 1 || !page.is_blank(calendar));
            !pages.is_empty()
        });
        self.count = self.pages.values().map(Vec::len).sum();
        self.crowd = self.count * 2;
    }
}

/// The account of one budget.
#[derive(Debug)]
pub(super) struct Page {
    scope: Scope,
    window: Option<BudgetWindow>,
    entry: Mutex<Entry>,
}

impl Page {
    fn new(budget: &Budget) -> Self {
        let (scope, window) = (budget.scope, budget.window);
        Self { scope, window, entry: Mutex::new(Entry::new(window)) }
    }

    /// The entry of the window that is open now.
    pub(super) fn open(&self, calendar: &Calendar) -> MutexGuard<'_, Entry> {
        let now = self.window.map(|window| (window, calendar.now()));
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((window, now)) = now
            && now >= entry.until
        {
            entry.spent = NanoUsd(0);
            entry.until = window.end(now, &calendar.zone);
        }
        entry
    }

    fn is_blank(&self, calendar: &Calendar) -> bool {
        let entry = self.open(calendar);
        entry.spent == NanoUsd(0) && entry.held == 0
    }
}

/// What is spent and held in one window.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) spent: NanoUsd,
    /// Wider than the sum of any calls, so that what goes back is what was taken.
    pub(super) held: i128,
    /// When the window ends, in seconds since 1970.
    until: i64,
}

impl Entry {
    /// A window that is over begins anew with the first who opens it.
    fn new(window: Option<BudgetWindow>) -> Self {
        let until = if window.is_some() { i64::MIN } else { i64::MAX };
        Self { spent: NanoUsd(0), held: 0, until }
    }

    /// Notes what was spent before, and where it is known, when the window ends.
    pub(super) fn seed(&mut self, spent: NanoUsd, resets_at: Option<SystemTime>) {
        self.spent = spent;
        if let Some(at) = resets_at
            && self.until != i64::MAX
        {
            self.until = seconds(at);
        }
    }

    /// What is held, as far as it can be told.
    pub(super) fn held(&self) -> NanoUsd {
        NanoUsd(self.held.try_into().unwrap_or(i64::MAX))
    }

    pub(super) fn account(&self, max: NanoUsd) -> Account {
        let seconds = u64::try_from(self.until).ok().filter(|_| self.until != i64::MAX);
        let resets_at = seconds.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at)));
        Account { max, spent: self.spent, held: self.held(), resets_at }
    }

    pub(super) fn exhausted(&self, budget: &Budget, calendar: &Calendar) -> Box<Exhausted> {
        let window = budget.window.map(|_| self.until.saturating_sub(calendar.now()));
        let resets_in = window.map(|left| Duration::from_secs(left.try_into().unwrap_or(0)));
        let (budget, spent, held) = (budget.clone(), self.spent, self.held());
        Box::new(Exhausted { budget, spent, held, resets_in })
    }
}

/// Tells the time.
#[derive(Clone, Default)]
pub(super) struct Calendar {
    pub(super) zone: Zone,
    /// Instead of the system's clock.
    pub(super) clock: Option<Arc<dyn Fn() -> SystemTime + Send + Sync>>,
}

impl Calendar {
    pub(super) fn now(&self) -> i64 {
        seconds(self.clock.as_ref().map_or_else(SystemTime::now, |clock| clock()))
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar").field("zone", &self.zone).finish_non_exhaustive()
    }
}

/// Since 1970. No window began before, and none ends in a year that calendars cannot reckon.
fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).map_or(i64::MAX >> 8, |seconds| seconds.min(i64::MAX >> 8))
}
