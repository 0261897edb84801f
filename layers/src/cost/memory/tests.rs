mod interleaved;

use crate::cost::{
    Account, Admission, Budget, BudgetWindow, Budgets, CostError, Hold, MemoryHold, MemoryLedger,
};
use crate::facts::{Amount, Estimate, NanoUsd, Scope};
use http::Extensions;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

#[test]
fn a_new_window_forgets_what_was_spent_and_keeps_what_is_held() {
    let (clock, ledger) = on_a_day();
    hold(&ledger, 5).unwrap().settle(NanoUsd(60));
    let open = hold(&ledger, 30).unwrap();
    assert_eq!(standing(&ledger), (60, 30));
    clock.fetch_add(DAY, Relaxed);
    assert_eq!(standing(&ledger), (0, 30));
    open.settle(NanoUsd(20));
    assert_eq!(standing(&ledger), (20, 0));
}

#[test]
fn a_call_that_ends_first_in_a_new_window_is_settled_into_it() {
    let (clock, ledger) = on_a_day();
    let open = hold(&ledger, 30).unwrap();
    clock.fetch_add(DAY, Relaxed);
    open.settle(NanoUsd(20));
    assert_eq!(standing(&ledger), (20, 0));
}

#[test]
fn a_budget_that_is_used_up_tells_when_it_begins_anew() {
    let (_clock, ledger) = on_a_day();
    ledger.set_spent(&daily(), NanoUsd(120), None);
    let Err(CostError::BudgetExhausted(exhausted)) = hold(&ledger, 1) else {
        panic!("there is no room");
    };
    assert_eq!(exhausted.resets_in, Some(Duration::from_secs(DAY - 3600)));
    let account = ledger.account(&daily());
    assert_eq!(account.resets_at, Some(UNIX_EPOCH + Duration::from_secs(11 * DAY)));
    assert_eq!(account.left(), NanoUsd(-20));
}

#[test]
fn a_store_knows_what_was_spent_and_when_the_window_ends() {
    let (clock, ledger) = on_a_day();
    let _open = hold(&ledger, 30).unwrap();
    let soon = UNIX_EPOCH + Duration::from_secs(clock.load(Relaxed) + 60);
    ledger.set_spent(&daily(), NanoUsd(50), Some(soon));
    assert_eq!(standing(&ledger), (50, 30));
    clock.fetch_add(60, Relaxed);
    assert_eq!(standing(&ledger), (0, 30));
    // One without a window never ends.
    let budget = Budget::new(NanoUsd(9));
    ledger.set_spent(&budget, NanoUsd(5), Some(UNIX_EPOCH));
    let account = Account { max: NanoUsd(9), spent: NanoUsd(5), held: NanoUsd(0), resets_at: None };
    assert_eq!(ledger.account(&budget), account);
}

#[test]
fn no_estimate_is_too_large_to_be_given_back() {
    let ledger = MemoryLedger::new(NanoUsd(i64::MAX));
    let small = hold(&ledger, 5).unwrap();
    let large = hold(&ledger, i64::MAX).unwrap();
    assert!(hold(&ledger, 1).is_err());
    drop(small);
    drop(large);
    assert_eq!(ledger.left(), NanoUsd(i64::MAX));
}

#[test]
fn names_that_are_not_needed_any_more_are_forgotten() {
    let each = |facts: &Extensions, visit: &mut dyn FnMut(&Budget)| {
        let end_user = facts.get::<Arc<str>>().unwrap().clone();
        visit(&Budget::of(Scope::EndUser, end_user, NanoUsd(100)).per(BudgetWindow::DAY));
    };
    let clock = Arc::new(AtomicU64::new(0));
    let ledger = MemoryLedger::with(each).clock(ticking(&clock));
    for name in 0..20_000 {
        clock.fetch_add(DAY / 100, Relaxed);
        let mut facts = Extensions::new();
        facts.insert::<Arc<str>>(name.to_string().into());
        ledger.try_hold(&facts, Admission::Likely).unwrap().settle(NanoUsd(1));
    }
    let pages = ledger.books.len();
    assert!(pages <= 1024, "{pages} names of whom some 100 called today");
    let last = Budget::of(Scope::EndUser, "19999", NanoUsd(100)).per(BudgetWindow::DAY);
    assert_eq!(ledger.account(&last).spent, NanoUsd(1));
}

#[test]
fn a_crowd_overspends_by_one_estimate_at_most_and_not_at_all_when_strict() {
    const DEAREST: i64 = 7;
    for (strict, over) in [(true, 0), (false, DEAREST - 1)] {
        let budget = Budget::new(NanoUsd(1_000));
        let ledger = MemoryLedger::new(budget.max);
        let spent = AtomicI64::new(0);
        let client = |seed: i64| {
            for call in 0..100 {
                let amount = (seed + call) % DEAREST + 1;
                let Ok(hold) = hold_as(&ledger, 0, amount, Some(amount), strict) else { continue };
                assert!(ledger.account(&budget).left() >= NanoUsd(-over));
                std::thread::yield_now();
                if call % 5 != 0 {
                    let cost = amount - call % 2;
                    spent.fetch_add(cost, Relaxed);
                    hold.settle(NanoUsd(cost));
                }
            }
        };
        std::thread::scope(|scope| {
            for seed in 0..100 {
                let client = &client;
                scope.spawn(move || client(seed));
            }
        });
        let account = ledger.account(&budget);
        assert_eq!((account.spent.0, account.held.0), (spent.into_inner(), 0));
    }
}

/// A budget of 100 a day, an hour after midnight.
fn on_a_day() -> (Arc<AtomicU64>, MemoryLedger) {
    let clock = Arc::new(AtomicU64::new(10 * DAY + 3600));
    let ledger = MemoryLedger::daily(NanoUsd(100)).clock(ticking(&clock));
    (clock, ledger)
}

fn daily() -> Budget {
    Budget::new(NanoUsd(100)).per(BudgetWindow::DAY)
}

fn ticking(clock: &Arc<AtomicU64>) -> impl Fn() -> SystemTime + Send + Sync + 'static {
    let clock = clock.clone();
    move || UNIX_EPOCH + Duration::from_secs(clock.load(Relaxed))
}

fn standing(ledger: &MemoryLedger) -> (i64, i64) {
    let account = ledger.account(&daily());
    (account.spent.0, account.held.0)
}

fn hold(ledger: &MemoryLedger, likely: i64) -> Result<MemoryHold, CostError> {
    hold_as(ledger, 0, likely, None, false)
}

fn hold_as<B: Budgets>(
    ledger: &MemoryLedger<B>,
    key: usize,
    likely: i64,
    most: Option<i64>,
    strict: bool,
) -> Result<MemoryHold, CostError> {
    let amount = |cost| Amount { tokens: 0, cost: NanoUsd(cost) };
    let mut facts = Extensions::new();
    facts.insert(key);
    facts.insert(Estimate { likely: amount(likely), most: most.map(amount) });
    let admission = if strict { Admission::Most } else { Admission::Likely };
    ledger.try_hold(&facts, admission)
}
