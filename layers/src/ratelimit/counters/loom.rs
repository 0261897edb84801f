//! Every interleaving of two calls: `RUSTFLAGS="--cfg bartizan_loom" cargo test loom`.
use super::{Counters, Reached};
use crate::facts::{Limit, Measure, Scope};
use crate::ratelimit::window::Share;
use crate::sync::Arc;
use ::loom::{model, thread};

#[test]
fn the_last_call_of_a_limit_is_granted_once() {
    for measure in [Measure::Requests, Measure::Parallel] {
        model(move || {
            let granted = both(move |counters| take(counters, &limit("a", measure, 1), 1).is_ok());
            assert_eq!(granted.iter().filter(|granted| **granted).count(), 1);
        });
    }
}

#[test]
fn what_a_later_limit_refuses_is_given_back_to_an_earlier_one() {
    model(|| {
        let [wide, narrow] = [("wide", 2), ("narrow", 1)]
            .map(|(subject, most)| limit(subject, Measure::Requests, most));
        let counters = Arc::new(Counters::new(60));
        let other = counters.clone();
        let limits = (wide.clone(), narrow.clone());
        let call = move |counters: &Counters| {
            let share = take(counters, &limits.0, 1).expect("it is wide enough for both");
            if take(counters, &limits.1, 1).is_err() {
                counters.of(&limits.0, 0).settle(Measure::Requests, share, 0, || 0);
            }
        };
        let first = call.clone();
        let there = thread::spawn(move || first(&other));
        call(&counters);
        there.join().unwrap();
        assert_eq!((counters.used(&wide, 0), counters.used(&narrow, 0)), (1, 1));
    });
}

#[test]
fn tokens_that_are_settled_while_others_are_taken_all_count() {
    model(|| {
        let tokens = limit("a", Measure::Tokens, 100);
        let used = both({
            let tokens = tokens.clone();
            move |counters| {
                let share = take(counters, &tokens, 10).expect("there are enough");
                counters.of(&tokens, 0).settle(Measure::Tokens, share, 3, || 0);
                counters.used(&tokens, 0)
            }
        });
        assert!(used.contains(&6), "{used:?}");
    });
}

#[test]
fn a_counter_in_use_is_never_forgotten() {
    model(|| {
        let counters = Arc::new(Counters::new(60));
        let other = counters.clone();
        let there =
            thread::spawn(move || take(&other, &limit("b", Measure::Requests, 9), 1).is_ok());
        let kept = limit("a", Measure::Requests, 9);
        take(&counters, &kept, 1).expect("there are enough");
        there.join().unwrap();
        take(&counters, &limit("c", Measure::Requests, 9), 1).expect("there are enough");
        assert_eq!((counters.used(&kept, 0), counters.len()), (1, 3));
        // A window later all of them are idle, and forgotten when they are searched for.
        for subject in ["d", "e"] {
            counters.of(&limit(subject, Measure::Requests, 9), 60);
        }
        assert_eq!(counters.len(), 1);
    });
}

/// Does the same on two threads.
fn both<T: 'static>(act: impl Fn(&Counters) -> T + Clone + Send + 'static) -> [T; 2] {
    let counters = Arc::new(Counters::new(60));
    let (other, first) = (counters.clone(), act.clone());
    let there = thread::spawn(move || first(&other));
    let here = act(&counters);
    [there.join().unwrap(), here]
}

fn take(counters: &Counters, limit: &Limit, amount: u64) -> Result<Share, Reached> {
    counters.of(limit, 0).take(limit, amount, 0).map(|(share, _)| share)
}

fn limit(subject: &str, measure: Measure, most: u64) -> Limit {
    Limit { scope: Scope::Key, subject: subject.into(), measure, most }
}
