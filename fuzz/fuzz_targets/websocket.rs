//! A WebSocket reads the same wherever it is cut, holds no more than it may, and whatever it reads
//! is searched for usage without harm.
#![no_main]
use bartizan_layers::wire::{
    tap::{Session, realtime_usage},
    websocket::Messages,
};
use libfuzzer_sys::fuzz_target;

/// Beyond this an input costs more than it finds.
const LONGEST: usize = 2048;

/// In so many places an input is cut.
const CUTS: usize = 32;

fuzz_target!(|data: &[u8]| {
    if data.len() > LONGEST {
        return;
    }
    for longest in [0, 16, LONGEST] {
        let whole = read(longest, &[data]);
        assert!(whole.0.iter().all(|text| text.len() <= longest));
        for at in (0..=data.len()).step_by(data.len() / CUTS + 1) {
            let (head, tail) = data.split_at(at);
            assert_eq!(read(longest, &[head, tail]), whole);
        }
    }
    for session in [Session::Conversation, Session::Transcription] {
        let _ = realtime_usage(session, data);
    }
});

fn read(longest: usize, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool, bool) {
    let (mut messages, mut seen) = (Messages::new(longest), Vec::new());
    for piece in pieces {
        messages.push(piece, |text| seen.push(text.to_vec()));
    }
    (seen, messages.is_closed(), messages.is_between_frames())
}
