use super::{DAY, hold_as, ticking};
use crate::cost::{Budget, BudgetWindow, Budgets, Hold, MemoryHold, MemoryLedger};
use crate::facts::{NanoUsd, Scope};
use http::Extensions;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

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
