use crate::cost::{
    Account, Admission, Budget, BudgetWindow, Budgets, CostError, Hold, MemoryHold, MemoryLedger,
};
use crate::facts::{Amount, Estimate, NanoUsd, Scope};
use http::Extensions;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
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
fn a_crowd_of_strict_clients_never_overspends() {
    let max = 1_000;
    let ledger = MemoryLedger::new(NanoUsd(max));
    let client = |seed: i64| {
        let ledger = &ledger;
        move || {
            for call in 0..100 {
                let most = (seed + call) % 7 + 1;
                let Ok(hold) = hold_strict(ledger, most) else { continue };
                let account = ledger.account(&Budget::new(NanoUsd(max)));
                assert!(account.left() >= NanoUsd(0), "{account:?}");
                std::thread::yield_now();
                if call % 5 != 0 {
                    hold.settle(NanoUsd(most - call % 2));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        (0..100).for_each(|seed| drop(scope.spawn(client(seed))));
    });
    // The dearest call is 7: less than that is left when all was tried.
    let account = ledger.account(&Budget::new(NanoUsd(max)));
    assert_eq!(account.held, NanoUsd(0));
    assert!((0..7).contains(&account.left().0), "{account:?}");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold { key: usize, likely: i64, most: Option<i64>, strict: bool },
    Settle { which: Index, cost: i64 },
    Drop { which: Index },
    Pass { seconds: u64 },
}

/// The accounts as one would keep them on paper: all together, and for each of two keys.
#[derive(Clone, Copy, Debug, Default)]
struct Paper {
    max: i64,
    spent: i64,
    held: i64,
}

proptest! {
    #[test]
    fn accounts_are_right_under_any_interleaving(
        steps in vec(step(), 1..200), maxes in [0_i64..300, 0..200, 0..200],
    ) {
        let (clock, ledger, budgets) = three_budgets(maxes);
        let mut paper = maxes.map(|max| Paper { max, ..Paper::default() });
        let mut open: Vec<(MemoryHold, usize, i64)> = Vec::new();
        let mut day = 10;
        for step in steps {
            match step {
                Step::Hold { key, likely, most, strict } => {
                    let held = hold_as(&ledger, key, likely, most, strict);
                    let amount = if strict { most } else { Some(likely) };
                    let fits = |at: usize| paper[at].fits(amount, most, strict);
                    prop_assert_eq!(held.is_ok(), fits(0) && fits(1 + key));
                    let Ok(hold) = held else { continue };
                    let amount = amount.unwrap();
                    [0, 1 + key].into_iter().for_each(|at| paper[at].held += amount);
                    open.push((hold, key, amount));
                }
                Step::Settle { which, cost } if !open.is_empty() => {
                    let (hold, key, amount) = open.swap_remove(which.index(open.len()));
                    hold.settle(NanoUsd(cost));
                    [0, 1 + key].into_iter().for_each(|at| paper[at].close(amount, cost));
                }
                Step::Drop { which } if !open.is_empty() => {
                    let (_, key, amount) = open.swap_remove(which.index(open.len()));
                    [0, 1 + key].into_iter().for_each(|at| paper[at].close(amount, 0));
                }
                Step::Pass { seconds } => {
                    let now = clock.fetch_add(seconds, Relaxed) + seconds;
                    if now / DAY != day {
                        // The first has a window of a day.
                        (day, paper[0].spent) = (now / DAY, 0);
                    }
                }
                Step::Settle { .. } | Step::Drop { .. } => {}
            }
            for (budget, paper) in budgets.iter().zip(paper) {
                let account = ledger.account(budget);
                prop_assert_eq!((account.spent.0, account.held.0), (paper.spent, paper.held));
            }
        }
    }

    #[test]
    fn overspending_is_at_most_one_estimate_and_none_when_strict(
        steps in vec(step(), 1..200), max in 0_i64..300, strict in any::<bool>(),
    ) {
        let ledger = MemoryLedger::new(NanoUsd(max));
        let (mut open, mut dearest) = (Vec::new(), 0);
        for step in steps {
            match step {
                Step::Hold { likely, most, .. } => {
                    let amount = if strict { most.unwrap_or(likely) } else { likely };
                    if let Ok(hold) = hold_as(&ledger, 0, amount, Some(amount.max(1)), strict) {
                        open.push((hold, amount.max(i64::from(strict))));
                        dearest = dearest.max(amount);
                    }
                }
                Step::Settle { which, cost } if !open.is_empty() => {
                    let (hold, amount) = open.swap_remove(which.index(open.len()));
                    hold.settle(NanoUsd(cost.min(amount)));
                }
                Step::Drop { which } if !open.is_empty() => {
                    open.swap_remove(which.index(open.len()));
                }
                _ => {}
            }
            // One that was admitted with a billionth left.
            let allowed = if strict { 0 } else { (dearest - 1).max(0) };
            prop_assert!(-ledger.left().0 <= allowed);
        }
    }
}

impl Paper {
    fn fits(&self, amount: Option<i64>, most: Option<i64>, strict: bool) -> bool {
        let taken = self.spent + self.held;
        match amount {
            None => false,
            Some(_) if most == Some(0) => true,
            Some(amount) if strict => taken + amount <= self.max,
            Some(_) => taken < self.max,
        }
    }

    fn close(&mut self, amount: i64, cost: i64) {
        self.held -= amount;
        self.spent += cost;
    }
}

fn step() -> impl Strategy<Value = Step> {
    let most = proptest::option::of(0_i64..40);
    prop_oneof![
        4 => (0_usize..2, 0_i64..40, most, any::<bool>())
            .prop_map(|(key, likely, most, strict)| Step::Hold { key, likely, most, strict }),
        2 => (any::<Index>(), 0_i64..60).prop_map(|(which, cost)| Step::Settle { which, cost }),
        1 => any::<Index>().prop_map(|which| Step::Drop { which }),
        1 => (0..DAY).prop_map(|seconds| Step::Pass { seconds }),
    ]
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

/// The key is among the facts.
fn three_budgets(maxes: [i64; 3]) -> (Arc<AtomicU64>, MemoryLedger<impl Budgets>, [Budget; 3]) {
    let all = Budget::new(NanoUsd(maxes[0])).per(BudgetWindow::DAY);
    let key = |key: usize| Budget::of(Scope::Key, key.to_string(), NanoUsd(maxes[1 + key]));
    let budgets = [all, key(0), key(1)];
    let each = {
        let budgets = budgets.clone();
        move |facts: &Extensions, visit: &mut dyn FnMut(&Budget)| {
            visit(&budgets[0]);
            visit(&budgets[1 + facts.get::<usize>().unwrap()]);
        }
    };
    let clock = Arc::new(AtomicU64::new(10 * DAY));
    let ledger = MemoryLedger::with(each).clock(ticking(&clock));
    (clock, ledger, budgets)
}

fn standing(ledger: &MemoryLedger) -> (i64, i64) {
    let account = ledger.account(&daily());
    (account.spent.0, account.held.0)
}

fn hold(ledger: &MemoryLedger, likely: i64) -> Result<MemoryHold, CostError> {
    hold_as(ledger, 0, likely, None, false)
}

fn hold_strict(ledger: &MemoryLedger, most: i64) -> Result<MemoryHold, CostError> {
    hold_as(ledger, 0, 0, Some(most), true)
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
