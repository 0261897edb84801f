//! A stream of any bytes is told in whole events of JSON, the same ones wherever it is cut. The
//! first byte picks the two dialects, the second one the pieces.
#![no_main]
mod dialects;
use bartizan::providers::translate::Reply;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [pick, size, stream @ ..] = data else { return };
    if stream.len() > dialects::LONGEST {
        return;
    }
    let reply = dialects::reply(*pick);
    let told = told(&reply, stream.chunks(usize::from(*size) + 1));
    assert!(dialects::is_stream(&told));
    assert_eq!(told, self::told(&reply, std::iter::once(stream)));
});

fn told<'a>(reply: &Reply, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut stream, mut out) = (reply.stream(), Vec::new());
    pieces.for_each(|piece| stream.push(piece, &mut out));
    stream.finish(&mut out);
    out
}
