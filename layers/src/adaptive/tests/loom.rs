//! Every interleaving of two threads at a limit, and at the queue before it.
use super::{fixed, given, group};
use crate::adaptive::slots::Slots;
use loom::sync::Arc;
use loom::thread::spawn;
use std::pin::pin;

#[test]
fn no_more_slots_are_taken_than_there_are() {
    loom::model(|| {
        let slots = Arc::new(Slots::new(1));
        let other = slots.clone();
        let there = spawn(move || other.take().is_some());
        let here = slots.take().is_some();
        assert!(here ^ there.join().unwrap());
        slots.free();
        assert_eq!(slots.taken(), 0);
    });
}

#[test]
fn a_limit_that_changes_loses_no_slot() {
    loom::model(|| {
        let slots = Arc::new(Slots::new(2));
        let other = slots.clone();
        let there = spawn(move || {
            let taken = other.take().is_some();
            if taken {
                other.free();
            }
        });
        slots.set_limit(1);
        assert!(slots.take().is_none_or(|taken| taken <= 2));
        there.join().unwrap();
        assert_eq!(slots.limit(), 1);
        assert!(slots.taken() <= 1);
    });
}

/// Sleeping needs a timer to be there.
fn with_timer(model: impl Fn() + Send + Sync + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    loom::model(model);
}

#[test]
fn who_begins_to_wait_while_a_permit_is_freed_gets_it() {
    with_timer(|| {
        let group = group();
        let limit = fixed(&group, 1);
        let held = limit.try_acquire().unwrap();
        let there = spawn(move || drop(held));
        let mut waiting = pin!(group.acquire([&limit]));
        there.join().unwrap();
        assert!(given(waiting.as_mut()).is_some());
        assert_eq!((group.waiting(), limit.inflight()), (0, 0));
    });
}

#[test]
fn who_leaves_while_it_is_served_strands_nobody() {
    with_timer(|| {
        let group = group();
        let limit = fixed(&group, 1);
        let held = limit.try_acquire().unwrap();
        let leaving = group.acquire([&limit]);
        let mut waiting = pin!(group.acquire([&limit]));
        let there = spawn(move || drop(held));
        drop(leaving);
        there.join().unwrap();
        assert!(given(waiting.as_mut()).is_some());
        assert_eq!((group.waiting(), limit.inflight()), (0, 0));
    });
}
