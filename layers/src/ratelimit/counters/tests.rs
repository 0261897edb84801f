use super::{Counters, SWEEP};
use crate::facts::{Limit, Measure, Scope};

#[test]
fn counters_that_nobody_needs_are_forgotten() {
    let counters = Counters::new(60);
    let open = counters.of(&limit("open"), 0);
    for now in 0..10_000 {
        let limit = limit(&now.to_string());
        counters.of(&limit, now).take(&limit, 1, now).unwrap();
    }
    // Those of the last window, and as many again in each shard before it is searched.
    assert!(counters.len() < 2 * (60 + 8 * SWEEP), "{}", counters.len());
    open.take(&limit("open"), 1, 10_000).unwrap();
    assert_eq!(counters.used(&limit("open"), 10_000), 1);
}

#[test]
fn each_kind_and_each_subject_has_a_counter_of_its_own() {
    let counters = Counters::new(60);
    let tokens = Limit { measure: Measure::Tokens, ..limit("a") };
    let team = Limit { scope: Scope::Team, ..limit("a") };
    for limit in [limit("a"), limit("b"), tokens, team] {
        counters.of(&limit, 0).take(&limit, 1, 0).unwrap();
    }
    counters.of(&limit("a"), 0).take(&limit("a"), 1, 0).unwrap_err();
    // The limits of one subject are found together.
    assert_eq!(counters.len(), 3);
}

fn limit(subject: &str) -> Limit {
    Limit { scope: Scope::Key, subject: subject.into(), measure: Measure::Requests, most: 1 }
}
