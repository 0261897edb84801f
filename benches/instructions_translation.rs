//! Instructions that translation takes: an exchange of 4 KiB, and an event of a stream. The pairs of
//! dialects are numbered as in `CASES`.
//!
//! Needs valgrind and `gungraun-runner`. What is counted has run once before.
#![expect(missing_docs, reason = "gungraun's macros make public items of the benches")]
#![expect(clippy::disallowed_methods, reason = "gungraun's main exits by itself")]

#[path = "translation/cases/mod.rs"]
#[expect(dead_code, reason = "names are for those who read a table")]
mod cases;

use bartizan::providers::translate::{Stream, Translated};
use bytes::Bytes;
use cases::{CASES, Case, Kind, What, pushed};
use gungraun::{library_benchmark, library_benchmark_group, main};
use mimalloc::MiMalloc;
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Bodies = (Case, Vec<u8>, Vec<u8>);

fn talk(case: Case) -> Bodies {
    bodies(case, Kind::Talk)
}

fn tools(case: Case) -> Bodies {
    bodies(case, Kind::Tools)
}

fn bodies(case: Case, kind: Kind) -> Bodies {
    let (request, answer) = case.bodies(kind);
    drop(case.exchange(&request, &answer));
    (case, request, answer)
}

#[library_benchmark]
#[benches::talk(iter = CASES, setup = talk)]
#[benches::tools(iter = CASES, setup = tools)]
fn exchange((case, request, answer): Bodies) -> (Bodies, (Translated, Vec<u8>)) {
    let made = black_box(case.exchange(black_box(&request), black_box(&answer)));
    ((case, request, answer), made)
}

fn text(case: Case) -> (Stream, &'static str) {
    case.begun(What::Text)
}

fn call(case: Case) -> (Stream, &'static str) {
    case.begun(What::Arguments)
}

#[library_benchmark]
#[benches::text(iter = CASES, setup = text)]
#[benches::call(iter = CASES, setup = call)]
fn event((mut stream, event): (Stream, &'static str)) -> (Stream, Bytes) {
    let made = black_box(pushed(&mut stream, black_box(event)));
    (stream, made)
}

library_benchmark_group!(name = translation, benchmarks = [exchange, event]);
main!(library_benchmark_groups = translation);
