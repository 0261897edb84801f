//! AWS's event streams: any bytes are read without a panic, the same wherever they are cut, and
//! messages that were written are read again.
#![no_main]
use bartizan_layers::wire::eventstream::{Broken, Messages, encode};
use libfuzzer_sys::fuzz_target;

/// Beyond this an input costs more than it finds.
const LONGEST: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let [size, stream @ ..] = data else { return };
    if stream.len() > LONGEST {
        return;
    }
    let piece = usize::from(*size) + 1;
    assert_eq!(read(stream.chunks(piece)), read(std::iter::once(stream)));
    // Checksums keep a fuzzer out: these are right.
    let written: Vec<u8> =
        stream.chunks(piece).flat_map(|payload| encode(&[(":event-type", "e")], payload)).collect();
    let (payloads, end) = read(written.chunks(piece));
    assert_eq!((payloads.concat().as_slice(), end), (stream, Ok(())));
});

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Result<(), Broken>) {
    let (mut messages, mut seen) = (Messages::up_to(LONGEST), Vec::new());
    for piece in pieces {
        let read = messages.push(piece, |message| seen.push(message.payload.to_vec()));
        if read.is_err() {
            return (seen, read);
        }
    }
    (seen, messages.finish())
}
