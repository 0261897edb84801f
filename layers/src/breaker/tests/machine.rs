//! Whatever happens in whatever order: never two probes in one cooldown, and never shut for good.
use crate::breaker::gate::Pass;
use crate::breaker::{BreakerError, Gate, Policy, Rule, State};
use crate::facts::{Cause, Fault};
use http::StatusCode;
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::{Instant, advance};

/// How long a probe is the only one.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
enum Event {
    Enter,
    /// The call of this number, of those that are open, ends well, badly, or its client leaves.
    Ends(usize, Option<Cause>),
    Leaves(usize),
    Waits(u64),
    Trip(u64),
    Reset,
}

fn event() -> impl Strategy<Value = Event> {
    let causes = [Cause::RateLimit, Cause::Outage, Cause::Invalid, Cause::Network];
    let ends = prop::option::of(prop::sample::select(causes.to_vec()));
    prop_oneof![
        6 => Just(Event::Enter),
        4 => (0..8_usize, ends).prop_map(|(call, end)| Event::Ends(call, end)),
        1 => (0..8_usize).prop_map(Event::Leaves),
        3 => (0..8_000_u64).prop_map(Event::Waits),
        1 => (0..8_000_u64).prop_map(Event::Trip),
        1 => Just(Event::Reset),
    ]
}

/// The calls that are open, and whether each came as a probe since the gate was last told
/// something from outside.
async fn run(gate: &Gate, events: Vec<Event>) -> Vec<Pass> {
    let (mut calls, mut probing) = (Vec::<(Pass, bool)>::new(), false);
    let mut last = Instant::now();
    for event in events {
        match event {
            Event::Enter => {
                let (state, admits) = (gate.state(), gate.admits());
                let entered = gate.enter();
                assert_eq!(entered.is_ok(), admits, "the gate tells what a call will find");
                match entered {
                    Ok(pass) if state == State::HalfOpen => {
                        assert!(!probing || last.elapsed() >= PATIENCE, "two probes");
                        (probing, last) = (true, Instant::now());
                        calls.push((pass, true));
                    }
                    Ok(pass) => calls.push((pass, false)),
                    Err(BreakerError::Probing) => {
                        assert!(probing && last.elapsed() < PATIENCE, "nobody probes");
                    }
                    Err(BreakerError::Resting { .. }) => assert_eq!(state, State::Open),
                }
            }
            Event::Ends(call, end) if call < calls.len() => {
                let (pass, probe) = calls.swap_remove(call);
                let fault = end.map(|cause| Fault::new(cause, StatusCode::BAD_GATEWAY));
                pass.judge(fault.as_ref());
                probing &= !probe;
            }
            Event::Leaves(call) if call < calls.len() => probing &= !calls.swap_remove(call).1,
            Event::Ends(..) | Event::Leaves(_) => {}
            Event::Waits(millis) => advance(Duration::from_millis(millis)).await,
            Event::Trip(millis) => {
                gate.trip(Duration::from_millis(millis), StatusCode::BAD_GATEWAY);
                probing &= gate.state() == State::HalfOpen && !gate.admits();
            }
            Event::Reset => {
                gate.reset();
                probing = false;
            }
        }
        // A probe that was overtaken by a trip or a reset is a call like any other.
        if !probing {
            calls.iter_mut().for_each(|(_, probe)| *probe = false);
        }
    }
    calls.into_iter().map(|(pass, _)| pass).collect()
}

proptest! {
    #[test]
    fn there_is_one_probe_at_a_time_and_a_way_back_always(
        events in prop::collection::vec(event(), 0..60),
        rule in prop::sample::select(vec![Rule::Consecutive(2), Rule::LiteLlm]),
    ) {
        let paused = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        paused.block_on(async {
            let gate = Gate::new(Policy::new(rule));
            gate.set_group_size(2);
            drop(run(&gate, events).await);
            advance(Duration::from_secs(9)).await;
            assert!(gate.admits(), "all calls are over, and the cooldown is");
            gate.enter().unwrap().judge(None);
            assert_eq!(gate.state(), State::Closed);
        });
    }
}
