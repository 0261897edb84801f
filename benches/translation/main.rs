//! What translation costs: an exchange of 4 KiB, of texts alone or of much that can be said, and an
//! event of a stream, with more of a text or of a call (Gemini and Ollama tell calls whole).
//!
//! Times are the least of many, which other work on the machine does not change. Memory is asked
//! for as in the program.
mod cases;

use cases::{CASES, Case, Kind, What};
use mimalloc::MiMalloc;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Exchanges, or streams, that are timed together: so few that the system seldom comes between.
const BATCH: u32 = 20;

/// How many of these there are; the shortest counts.
const BATCHES: u32 = 1000;

/// Events of a stream that are timed together.
const EVENTS: u32 = 200;

fn main() -> io::Result<()> {
    // `cargo bench` says so; whoever lists or runs tests does not mean us.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    let (talk, tools, text, call) = ("talk, µs", "tools, µs", "text, µs", "call, µs");
    writeln!(out, "{:<24} {talk:>10} {tools:>10} {text:>10} {call:>10}", "client of provider")?;
    for case in CASES {
        writeln!(
            out,
            "{:<24} {:>10.2} {:>10.2} {:>10.3} {:>10.3}",
            case.name(),
            exchange_of(case, Kind::Talk),
            exchange_of(case, Kind::Tools),
            event_of(case, What::Text),
            event_of(case, What::Arguments),
        )?;
    }
    Ok(())
}

/// Microseconds of an exchange.
fn exchange_of(case: Case, kind: Kind) -> f64 {
    let (request, answer) = case.bodies(kind);
    let exchange = || {
        for _ in 0..BATCH {
            drop(black_box(case.exchange(black_box(&request), black_box(&answer))));
        }
    };
    least(|| (), |()| exchange()) / f64::from(BATCH)
}

/// Microseconds of an event that tells a word or so.
fn event_of(case: Case, what: What) -> f64 {
    let told = |(mut stream, event): (_, &'static str)| {
        for _ in 0..EVENTS {
            drop(black_box(cases::pushed(&mut stream, black_box(event))));
        }
    };
    least(|| case.begun(what), told) / f64::from(EVENTS)
}

/// The shortest time of `run`, in microseconds.
fn least<T>(prepare: impl Fn() -> T, run: impl Fn(T)) -> f64 {
    let time = |_| {
        let prepared = prepare();
        let begun = Instant::now();
        run(prepared);
        begun.elapsed()
    };
    let least = (0..BATCHES).map(time).min().unwrap_or(Duration::ZERO);
    least.as_secs_f64() * 1e6
}
