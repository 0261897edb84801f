//! What a call has cost so far, and how its attempts ended.
use super::{Answered, Fault, LookUp, NanoUsd, Price, Usage};
use http::Extensions;
use std::ops::Add;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The usage of one attempt, what it costs, and how its answer finished. A response fact: the tap
/// writes it while the body streams, the layers read it when the body ends. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct UsageCell(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    /// Without one, nothing costs anything.
    price: Option<Arc<Price>>,
    /// Who knows prices by the model that the answer names, where there is none.
    look_up: Option<LookUp>,
    used: Mutex<Used>,
}

/// What an attempt has used.
#[derive(Clone, Debug, Default)]
struct Used {
    reported: Option<(Usage, NanoUsd)>,
    estimated: bool,
    finish: Option<Finish>,
    fault: Option<Box<Fault>>,
    answered: Option<Box<Answered>>,
    /// What was found by the answer's model.
    price: Option<Arc<Price>>,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finish {
    /// It was done.
    Stop,
    /// It wants tools to be called.
    ToolCalls,
    /// It was cut at the most tokens that it may write.
    Length,
    /// The provider's policy cut it.
    ContentFilter,
    /// None of these: it failed, or goes on in the background.
    Other,
}

impl UsageCell {
    /// Nothing used yet, at the prices of the deployment that answers.
    #[must_use]
    pub fn new(price: impl Into<Arc<Price>>) -> Self {
        let (price, look_up) = (Some(price.into()), None);
        Self(Arc::new(Line { price, look_up, used: Mutex::default() }))
    }

    /// Nothing used yet, at the price that `look_up` knows of the model which the answer names.
    #[must_use]
    pub fn unpriced(look_up: LookUp) -> Self {
        let look_up = Some(look_up);
        Self(Arc::new(Line { price: None, look_up, used: Mutex::default() }))
    }

    /// Sets the price, where none was known before the answer.
    pub fn set_price(&self, price: Arc<Price>) {
        self.used().price = Some(price);
    }

    /// Notes the id of the answer. The first word counts.
    pub fn set_id(&self, id: &str) {
        let mut used = self.used();
        used.answered.get_or_insert_default().id.get_or_insert_with(|| id.into());
    }

    /// Notes the model that the answer names. The first word counts.
    pub fn set_model(&self, model: &str) {
        let mut used = self.used();
        if used.answered.get_or_insert_default().model.is_none() {
            if let Some(look_up) = &self.0.look_up {
                used.price = look_up.price(model).map(Arc::new);
            }
            used.answered.get_or_insert_default().model = Some(model.into());
        }
    }

    /// What the answer says of itself, as far as it was read.
    #[must_use]
    pub fn answered(&self) -> Option<Answered> {
        self.used().answered.as_deref().cloned()
    }

    /// Replaces the usage by a newer report of the provider.
    pub fn set(&self, usage: Usage) {
        let cost = self.cost_of(&usage);
        self.used().report(usage, cost, false);
    }

    /// Adds a report to those before, where a provider bills the parts of a call one by one.
    pub fn add(&self, usage: Usage) {
        let more = self.cost_of(&usage);
        let mut used = self.used();
        let (before, cost) = used.reported.unwrap_or_default();
        used.reported = Some((before + usage, cost + more));
    }

    /// Charges a fixed sum instead of a price for tokens.
    pub fn charge(&self, cost: NanoUsd) {
        self.used().report(Usage::default(), cost, false);
    }

    /// Notes what was counted in the content of an answer that came without a report. A report
    /// that came counts more.
    pub fn estimate(&self, usage: Usage) {
        let cost = self.cost_of(&usage);
        let mut used = self.used();
        if used.reported.is_none() || used.estimated {
            used.report(usage, cost, true);
        }
    }

    /// Replaces a report that came before the answer was over by what was counted since.
    pub fn go_on(&self, usage: Usage) {
        let cost = self.cost_of(&usage);
        self.used().report(usage, cost, true);
    }

    /// The usage so far; `None` until the provider reported any.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.used().reported.as_ref().map(|(usage, _)| *usage)
    }

    /// The cost so far.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        self.spent().unwrap_or_default()
    }

    /// The cost so far; `None` until the provider reported any usage.
    fn spent(&self) -> Option<NanoUsd> {
        self.used().reported.as_ref().map(|(_, cost)| *cost)
    }

    /// What it is charged by; `None` where nothing costs anything.
    #[must_use]
    pub fn price(&self) -> Option<Arc<Price>> {
        self.0.price.clone().or_else(|| self.used().price.clone())
    }

    /// The usage so far and its cost.
    #[must_use]
    pub fn bill(&self) -> Option<(Usage, NanoUsd)> {
        self.used().reported
    }

    /// Whether the usage was counted by us, as the provider told none.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        self.used().estimated
    }

    /// Notes why the model stopped. Of several choices the one with the gravest reason counts, as
    /// [`Finish`] orders them.
    pub fn finish(&self, finish: Finish) {
        let mut used = self.used();
        used.finish = used.finish.max(Some(finish));
    }

    /// Why the model stopped; `None` while it goes on, and where its dialect does not say.
    #[must_use]
    pub fn finished(&self) -> Option<Finish> {
        self.used().finish
    }

    /// Notes that the answer failed after it had begun. The first word counts.
    pub fn fail(&self, fault: Fault) {
        self.used().fault.get_or_insert_with(|| Box::new(fault));
    }

    /// How the answer failed after it had begun, as the tap saw it: also where the body of the
    /// client ended well, with an error event.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.used().fault.as_deref().cloned()
    }

    fn cost_of(&self, usage: &Usage) -> NanoUsd {
        match &self.0.price {
            Some(price) => price.cost(usage),
            None => self.used().price.as_ref().map_or(NanoUsd(0), |price| price.cost(usage)),
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn report(&mut self, usage: Usage, cost: NanoUsd, estimated: bool) {
        self.reported = Some((usage, cost));
        self.estimated = estimated;
    }
}

/// What a whole call costs: a line for each attempt that reached an upstream. A request fact,
/// made by the first who asks; whoever sends an attempt adds its line before it is sent. Clones
/// share one bill.
#[derive(Clone, Debug, Default)]
pub struct Bill(Arc<Mutex<Lines>>);

/// Nearly always there is one attempt.
#[derive(Debug, Default)]
struct Lines {
    first: Option<UsageCell>,
    more: Vec<UsageCell>,
}

impl Bill {
    /// The bill of the call that has these `facts`; a new one if it has none.
    pub fn of(facts: &mut Extensions) -> Self {
        facts.get_or_insert_default::<Self>().clone()
    }

    /// Adds an attempt.
    pub fn add(&self, line: UsageCell) {
        let mut lines = self.lines();
        if lines.first.is_none() {
            lines.first = Some(line);
        } else {
            lines.more.push(line);
        }
    }

    /// Everything used so far and its cost; `None` until some attempt has used anything.
    #[must_use]
    pub fn total(&self) -> Option<(Usage, NanoUsd)> {
        self.sum(UsageCell::bill, |(usage, cost), (more, dearer)| (usage + more, cost + dearer))
    }

    /// Everything used so far; `None` until some attempt has used anything.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.sum(UsageCell::usage, Add::add)
    }

    /// Everything that it has cost so far.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        self.spent().unwrap_or_default()
    }

    /// Everything that it has cost so far; `None` until some attempt has used anything.
    #[must_use]
    pub fn spent(&self) -> Option<NanoUsd> {
        self.sum(UsageCell::spent, Add::add)
    }

    /// Whether some of it was counted by us, as a provider told nothing.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        let lines = self.lines();
        lines.first.iter().chain(&lines.more).any(UsageCell::is_estimated)
    }

    /// How many attempts there were.
    #[must_use]
    pub fn attempts(&self) -> usize {
        let lines = self.lines();
        usize::from(lines.first.is_some()) + lines.more.len()
    }

    fn sum<T>(&self, of: impl Fn(&UsageCell) -> Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
        let lines = self.lines();
        lines.first.iter().chain(&lines.more).filter_map(of).reduce(add)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bill, UsageCell};
    use crate::facts::{NanoUsd, Price, Rates, Usage};

    #[test]
    fn reports_that_are_added_are_billed_one_by_one() {
        let rates = |input| Rates::tokens(input, 0);
        let cell = UsageCell::new(Price { base: rates(1000), tiers: vec![(100, rates(9000))] });
        let usage = Usage::tokens(60, 5);
        cell.add(usage);
        cell.add(usage);
        // Together they would be a long prompt, which neither was.
        assert_eq!(cell.bill(), Some((Usage::tokens(120, 10), NanoUsd(120))));
    }

    #[test]
    fn a_price_may_be_found_when_the_answer_comes() {
        let cell = UsageCell::default();
        cell.set_price(Price::flat(Rates::tokens(1000, 2000)).into());
        cell.set_model("m");
        cell.set(Usage::tokens(3, 1));
        assert_eq!(cell.cost(), NanoUsd(5));
        assert!(cell.price().is_some());
    }

    #[test]
    fn a_bill_sums_all_attempts() {
        let bill = Bill::default();
        assert_eq!((bill.total(), bill.usage(), bill.spent()), (None, None, None));
        for (input, output) in [(10, 1), (20, 0), (30, 3)] {
            let cell = UsageCell::new(Price::flat(Rates::tokens(1000, 2000)));
            bill.add(cell.clone());
            cell.set(Usage::tokens(input, output));
        }
        bill.add(UsageCell::default());
        assert_eq!(bill.total(), Some((Usage::tokens(60, 4), NanoUsd(68))));
        assert_eq!((bill.usage(), bill.cost()), (Some(Usage::tokens(60, 4)), NanoUsd(68)));
        assert_eq!(bill.attempts(), 4);
    }

    #[test]
    fn a_report_counts_more_than_what_was_counted() {
        let cell = UsageCell::new(Price::default());
        cell.estimate(Usage::tokens(1, 1));
        assert!(cell.is_estimated());
        cell.set(Usage::tokens(2, 2));
        cell.estimate(Usage::tokens(3, 3));
        assert_eq!((cell.usage(), cell.is_estimated()), (Some(Usage::tokens(2, 2)), false));
    }
}
