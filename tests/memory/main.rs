//! What a translated stream holds. It is a program of its own, since its allocator counts.
#[path = "../../benches/translation/cases/mod.rs"]
#[expect(dead_code, reason = "benches ask for more than streams")]
mod cases;

use bartizan::providers::translate::Protocol;
use cases::{CASES, Case, What, pushed};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Events that tell more of a text.
const EVENTS: usize = 2000;

/// What a stream may hold, in bytes.
const MOST: usize = 32 << 10;

/// The most that a stream holds at once, in bytes: what it had before an event, and all that was
/// asked for while that was translated, though some of it was given back in between.
fn held(case: Case) -> usize {
    let region = Region::new(ALLOCATOR);
    let (mut stream, event) = case.begun(What::Text);
    let mut most = 0;
    for _ in 0..EVENTS {
        let before = region.change();
        drop(pushed(&mut stream, event));
        let asked_for = region.change().bytes_allocated - before.bytes_allocated;
        most = most.max(before.bytes_allocated - before.bytes_deallocated + asked_for);
    }
    most
}

#[test]
fn a_translated_stream_holds_at_most_32_kib_beside_a_text_that_is_told_again() {
    for case in CASES {
        // The last event of a response tells its whole text, which is kept until then in a buffer
        // that doubles when it is full.
        let text = match case.translation.client {
            Protocol::Responses => (EVENTS * " tomorrow".len()).next_power_of_two() * 3 / 2,
            _ => 0,
        };
        let held = held(case);
        assert!(held <= MOST + text, "{}: {held} bytes, of which {text} are text", case.name());
    }
}
