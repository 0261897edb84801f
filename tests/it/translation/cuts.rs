//! Streams that come in other pieces, and streams that break off.
use super::golden::needs_translation;
use super::of_converse;
use super::recording::{Recording, Told, answered};
use super::setup::{CLIENTS, heard_stream, reply, streamed};
use bartizan::providers::translate::Protocol;
use std::iter::once;

/// About so many bytes of a stream are translated to try its cuts: a long one is cut at fewer
/// places.
const EFFORT: usize = 50_000;

/// Recorded streams, each with the dialects that are tried with it: one, in turn.
fn streams(test: &str) -> Option<Vec<(Recording, Vec<u8>, Protocol)>> {
    let all = answered(test)?.into_iter().filter_map(|recording| match &recording.answer {
        Told::Stream(stream) => Some((stream.clone(), recording)),
        Told::Whole(_) => None,
    });
    let turns = all.enumerate().map(|(turn, (stream, recording))| {
        let others: Vec<_> =
            CLIENTS.into_iter().filter(|it| needs_translation(*it, recording.protocol)).collect();
        (recording, stream, others[turn % others.len()])
    });
    Some(turns.collect())
}

/// The places at which a stream is cut: all of a short one.
fn places(stream: &[u8]) -> impl Iterator<Item = usize> {
    let step = (stream.len() * stream.len()).div_ceil(EFFORT).max(1);
    (0..=stream.len()).step_by(step)
}

#[test]
fn a_stream_is_the_same_wherever_it_is_cut() {
    let Some(all) = streams("streams that are cut") else { return };
    let mut tried = 0;
    for (recording, stream, client) in &all {
        let (bytes, name) = (stream.as_slice(), &recording.name);
        let reply = reply(*client, recording.protocol, tried % 2 == 0);
        let whole = streamed(&reply, once(bytes));
        assert!(!whole.is_empty(), "{name}: nothing is told");
        assert_eq!(whole, streamed(&reply, bytes.chunks(1)), "{name} byte by byte for {client:?}");
        for place in places(stream) {
            let (head, tail) = bytes.split_at(place);
            let cut = streamed(&reply, [head, tail].into_iter());
            assert!(whole == cut, "{name} at {place} for {client:?}:\n{cut}\nfor\n{whole}");
            tried += 1;
        }
    }
    eprintln!("{} streams are the same with {tried} cuts", all.len());
}

#[test]
fn a_stream_that_breaks_off_has_no_ending() {
    let Some(all) = streams("streams that break off") else { return };
    let mut tried = 0;
    for (recording, stream, client) in &all {
        let ends = match recording.protocol {
            Protocol::Converse => of_converse::ends(stream),
            _ => stream.iter().zip(1..).filter(|it| *it.0 == b'\n').map(|it| it.1).collect(),
        };
        let step = ends.len() / 10 + 1;
        for place in ends.into_iter().step_by(step).chain(places(stream).step_by(40)) {
            breaks_off(recording, stream, place, *client);
            tried += 1;
        }
    }
    eprintln!("{} streams have no ending in {tried} pieces", all.len());
}

/// A dialect's own ending counts, or where it may be left out, that all answers told their reason.
fn breaks_off(recording: &Recording, stream: &[u8], place: usize, client: Protocol) {
    let (head, _) = stream.split_at(place);
    let mut told = head.to_vec();
    let array = place.is_multiple_of(2);
    let out = streamed(&reply(client, recording.protocol, array), once(head));
    let heard = heard_stream(client, array, &out);
    // An event whose last blank line is missing is whole.
    if recording.protocol != Protocol::Converse {
        told.extend_from_slice(b"\n\n");
    }
    let said = Recording { answer: Told::Stream(told), ..recording.clone() }.said();
    let name = &recording.name;
    assert!(said.ended || !heard.ended, "{name} at {place} ends for {client:?}:\n{out}");
}
