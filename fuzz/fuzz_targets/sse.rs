//! A stream reads the same wherever it is cut, and a tap hands on what it was given, but for the
//! `[DONE]` of a broken OpenAI stream.
#![no_main]
use bartizan_layers::wire::{
    sse::Events,
    tap::{Framing, Tap, Wire},
};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

/// Beyond this an input costs more than it finds.
const LONGEST: usize = 2048;

/// In so many places an input is cut: in all of a long one, and few inputs would be tried.
const CUTS: usize = 32;

const ERROR: &[u8] = b"data: {\"error\":{}}\n\n";

fuzz_target!(|data: &[u8]| {
    // A first line behind a byte order mark is never held, so a usage event there may stay.
    if data.len() > LONGEST || data.starts_with(b"\xef") {
        return;
    }
    let whole = events(&[data]);
    let (kept, broken) = (taken_out(&[data]), taken_out(&[ERROR, data]));
    let step = data.len() / CUTS + 1;
    // Another byte moves the cuts.
    let first = data.iter().fold(0, |sum: usize, byte| sum + usize::from(*byte)) % step;
    for at in (first..=data.len()).step_by(step) {
        let (head, tail) = data.split_at(at);
        assert_eq!(events(&[head, tail]), whole);
        assert_eq!(taken_out(&[head, tail]), kept);
        assert_eq!(taken_out(&[ERROR, head, tail]), broken);
    }
    for wire in [Wire::Chat, Wire::Responses, Wire::Messages, Wire::Gemini, Wire::Media] {
        for framing in [Framing::Events, Framing::Array, Framing::Whole] {
            let mut tap = Tap::new(wire, framing);
            let out = tap.push(Bytes::copy_from_slice(data));
            if wire != Wire::Chat || tap.error().is_none() {
                assert_eq!(out.as_deref(), Some(data));
            }
            tap.finish();
        }
    }
});

fn events(pieces: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut events, mut seen) = (Events::new(), Vec::new());
    for piece in pieces {
        events.push(piece, |event| seen.push((event.name.to_vec(), event.data.to_vec())));
    }
    events.finish(|event| seen.push((event.name.to_vec(), event.data.to_vec())));
    seen
}

fn taken_out(pieces: &[&[u8]]) -> Vec<u8> {
    let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(tap.push(Bytes::copy_from_slice(piece)).into_iter().flatten());
        out.extend(std::iter::from_fn(|| tap.pop()).flatten());
    }
    tap.finish();
    out.extend(std::iter::from_fn(|| tap.pop()).flatten());
    out
}
