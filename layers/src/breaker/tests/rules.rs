//! What opens a breaker, for how long, and who hears of it.
use super::SECOND;
use crate::breaker::{AllowedFails, Gate, Policy, Rule, State, Trip};
use crate::facts::{Cause, Fault};
use http::StatusCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::advance;

fn fault(status: u16) -> Fault {
    let status = StatusCode::from_u16(status).unwrap();
    Fault::new(Cause::of(status), status)
}

fn gate(rule: Rule, deployments: usize) -> Gate {
    let gate = Gate::new(Policy::new(rule));
    gate.set_group_size(deployments);
    gate
}

/// Tells failures until it opens, but at most this many; and how many it took.
fn fails(gate: &Gate, fault: &Fault, most: u32) -> Option<u32> {
    (1..=most).find(|_| {
        gate.failed(fault, false);
        !gate.admits()
    })
}

#[tokio::test(start_paused = true)]
async fn each_status_has_its_own_weight_under_litellms_rule() {
    // Status, failures until it rests in a group of two, and alone.
    let table = [
        (429, Some(1), Some(1000)),
        (401, Some(1), Some(1)),
        (402, Some(1), Some(1)),
        (404, Some(1), Some(1)),
        (408, Some(5), Some(1000)),
        (500, Some(5), Some(1000)),
        (529, Some(5), Some(1000)),
        (400, None, None),
        (403, None, None),
        (422, None, None),
    ];
    for (status, grouped, alone) in table {
        let found = [2, 1].map(|size| fails(&gate(Rule::LiteLlm, size), &fault(status), 2000));
        assert_eq!(found, [grouped, alone], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_half_of_this_minute_must_fail() {
    let gate = gate(Rule::LiteLlm, 2);
    (0..3).for_each(|_| gate.succeeded());
    assert_eq!(fails(&gate, &fault(500), 10), Some(4), "of seven");
    gate.reset();
    (0..3).for_each(|_| gate.failed(&fault(500), false));
    advance(60 * SECOND).await;
    assert_eq!(fails(&gate, &fault(500), 10), Some(5), "a minute later they are forgotten");
}

#[tokio::test(start_paused = true)]
async fn one_success_protects_a_deployment_that_is_alone() {
    let gate = gate(Rule::LiteLlm, 1);
    gate.succeeded();
    assert_eq!(fails(&gate, &fault(500), 3000), None);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_a_client_made_up_rests_nobody_elses() {
    for rule in [Rule::Consecutive(1), Rule::Rate { window: 10 * SECOND, min_calls: 1, share: 0.0 }]
    {
        let gate = gate(rule, 1);
        assert_eq!(fails(&gate, &fault(404), 9), None);
        assert_eq!(fails(&gate, &Fault::REFUSED, 9), None, "this side's own word");
        assert_eq!(fails(&gate, &fault(500), 9), Some(1));
    }
}

#[tokio::test(start_paused = true)]
async fn the_network_counts_where_it_is_told_to() {
    let network = Fault::new(Cause::Network, StatusCode::INTERNAL_SERVER_ERROR);
    for rule in [Rule::LiteLlm, Rule::AllowedFails(AllowedFails::any(0))] {
        for (counts, found) in [(false, None), (true, Some(()))] {
            let gate = Gate::new(Policy { network: counts, ..Policy::new(rule.clone()) });
            gate.set_group_size(2);
            assert_eq!(fails(&gate, &network, 9).map(drop), found, "{rule:?}");
        }
    }
    assert_eq!(fails(&gate(Rule::Consecutive(3), 1), &network, 9), Some(3));
}

#[tokio::test(start_paused = true)]
async fn what_the_client_did_wrong_never_counts_unless_it_is_named() {
    let named = AllowedFails { bad_request: Some(1), ..AllowedFails::default() };
    for cause in [Cause::Invalid, Cause::ContextTooLong, Cause::ContentFilter] {
        let fault = Fault::new(cause, StatusCode::BAD_REQUEST);
        let rate = Rule::Rate { window: SECOND, min_calls: 1, share: 0.0 };
        for rule in [Rule::LiteLlm, Rule::AllowedFails(AllowedFails::any(0)), rate] {
            assert_eq!(fails(&gate(rule, 2), &fault, 50), None, "{cause:?}");
        }
        let found = fails(&gate(Rule::AllowedFails(named), 2), &fault, 50);
        assert_eq!(found, (cause != Cause::ContentFilter).then_some(2), "{cause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn more_failures_than_allowed_within_one_cooldown_open_it() {
    let fails_of = AllowedFails { rate_limit: Some(1), ..AllowedFails::default() };
    let gate = gate(Rule::AllowedFails(fails_of), 1);
    assert_eq!(fails(&gate, &fault(500), 9), Some(4));
    gate.reset();
    assert_eq!(fails(&gate, &fault(429), 9), Some(2));
    gate.reset();
    (0..3).for_each(|_| gate.failed(&fault(500), false));
    advance(5 * SECOND).await;
    assert_eq!(fails(&gate, &fault(500), 9), Some(4), "those of the last five seconds are over");
}

#[tokio::test(start_paused = true)]
async fn a_rate_rolls_with_its_window() {
    let gate = gate(Rule::Rate { window: 10 * SECOND, min_calls: 10, share: 0.5 }, 1);
    (0..6).for_each(|_| gate.succeeded());
    advance(8 * SECOND).await;
    assert_eq!(fails(&gate, &fault(500), 5), None, "five of eleven");
    advance(4 * SECOND).await;
    assert_eq!(fails(&gate, &fault(500), 9), Some(5), "the successes are out of the window");
}

#[tokio::test(start_paused = true)]
async fn a_success_begins_the_row_anew() {
    let gate = gate(Rule::Consecutive(3), 1);
    assert_eq!(fails(&gate, &fault(500), 2), None);
    gate.succeeded();
    assert_eq!(fails(&gate, &fault(500), 9), Some(3));
}

#[tokio::test(start_paused = true)]
async fn the_cooldown_is_the_deployments_then_the_providers_then_five_seconds() {
    let seconds = Duration::from_secs;
    let table = [
        (None, None, 5, Some(5)),
        (None, Some(30), 5, Some(30)),
        (Some(7), Some(30), 5, Some(7)),
        (None, Some(0), 5, Some(5)),
        (Some(0), Some(30), 5, None),
        (None, Some(30), 0, None),
    ];
    for (own, told, default, rests) in table {
        let (cooldown, default_cooldown) = (own.map(seconds), seconds(default));
        let rule = Rule::Consecutive(1);
        let gate = Gate::new(Policy { cooldown, default_cooldown, ..Policy::new(rule) });
        gate.failed(&Fault { retry_after: told.map(seconds), ..fault(429) }, false);
        assert_eq!(gate.rests_for(), rests.map(seconds), "{own:?} {told:?} {default}");
    }
    assert_eq!(fails(&gate(Rule::Never, 2), &fault(429), 50), None);
}

#[tokio::test(start_paused = true)]
async fn a_trip_is_told_once_and_one_from_outside_never() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let trips = told.clone();
    let tell = move |trip: &Trip| trips.lock().unwrap().push(*trip);
    let gate = Gate::telling(Policy::new(Rule::Consecutive(1)), tell);
    gate.failed(&fault(503), false);
    gate.failed(&fault(503), false);
    assert_eq!(*told.lock().unwrap(), [gate.tripped().unwrap()]);
    gate.reset();
    gate.trip(9 * SECOND, StatusCode::TOO_MANY_REQUESTS);
    gate.trip(3 * SECOND, StatusCode::NOT_FOUND);
    assert_eq!(gate.rests_for(), Some(9 * SECOND), "the longer rest holds");
    assert_eq!(told.lock().unwrap().len(), 1);
    gate.reset();
    assert_eq!((gate.state(), gate.tripped(), gate.rests_for()), (State::Closed, None, None));
}

#[tokio::test(start_paused = true)]
async fn a_rest_without_end_is_one() {
    let gate = gate(Rule::LiteLlm, 1);
    gate.trip(Duration::MAX, StatusCode::OK);
    assert!(!gate.admits() && gate.tripped().is_some());
}
