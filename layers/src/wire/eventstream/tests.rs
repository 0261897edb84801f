use super::{Broken, Kind, Messages, encode};
use proptest::prelude::*;

/// Longer than any message here.
const LONGEST: usize = 4096;

type Seen = Vec<(String, Vec<u8>)>;

fn read<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> (Seen, Result<(), Broken>) {
    let (mut messages, mut seen) = (Messages::up_to(LONGEST), Vec::new());
    for frame in frames {
        let read = messages.push(frame, |message| {
            seen.push((format!("{:?}", message.kind()), message.payload.to_vec()));
        });
        if read.is_err() {
            return (seen, read);
        }
    }
    (seen, messages.finish())
}

fn event(name: &str, payload: &[u8]) -> Vec<u8> {
    encode(&[(":event-type", name), (":message-type", "event")], payload)
}

/// A message made of these bytes between a prelude and a checksum that are right.
fn sealed(headers: &[u8]) -> Vec<u8> {
    let mut message = u32::try_from(headers.len() + 16).unwrap().to_be_bytes().to_vec();
    message.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(headers);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

#[test]
fn the_specifications_example_is_read() {
    // The message with no headers, and the one with a header `content-type: application/json`.
    let empty = [0, 0, 0, 16, 0, 0, 0, 0, 5, 194, 72, 235, 125, 152, 200, 255];
    assert_eq!(read([&empty[..]]), (vec![(r#"Event("")"#.to_owned(), Vec::new())], Ok(())));
    let mut one = vec![0, 0, 0, 61, 0, 0, 0, 32, 0x07, 0xfd, 0x83, 0x96];
    one.extend_from_slice(b"\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}");
    one.extend([0x8d, 0x9c, 0x08, 0xb1]);
    assert_eq!(encode(&[("content-type", "application/json")], b"{'foo':'bar'}"), one);
}

#[test]
fn every_kind_of_header_is_passed_over() {
    let mut headers = Vec::new();
    for (kind, length) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend([1, b'a' + kind, kind]);
        headers.extend(std::iter::repeat_n(7, length));
    }
    headers.extend([1, b'g', 6, 0, 2, 1, 2]);
    headers.extend(b"\x0d:message-type\x07\x00\x05event\x0b:event-type\x07\x00\x01x");
    assert_eq!(read([&*sealed(&headers)]).0, [(r#"Event("x")"#.to_owned(), Vec::new())]);
    for wrong in [&[1, b'a', 10][..], &[1, b'a', 7, 0, 9, b'x'], &[0, 7], &[9, b'a']] {
        assert_eq!(read([&*sealed(wrong)]), (Vec::new(), Err(Broken::Damaged)), "{wrong:?}");
    }
}

#[test]
fn failures_are_told_apart_from_events() {
    let failure = encode(
        &[(":message-type", "exception"), (":exception-type", "throttlingException")],
        br#"{"message":"slow down"}"#,
    );
    let mut messages = Messages::up_to(LONGEST);
    let told = |message: super::Message<'_>| {
        assert_eq!(message.kind(), Kind::Exception("throttlingException"));
    };
    messages.push(&failure, told).unwrap();
    let failure = encode(
        &[(":message-type", "error"), (":error-code", "500"), (":error-message", "oh")],
        b"",
    );
    let told = |message: super::Message<'_>| {
        assert_eq!(message.kind(), Kind::Error { code: "500", message: "oh" });
    };
    messages.push(&failure, told).unwrap();
}

#[test]
fn a_message_beyond_the_bound_is_refused_by_its_prelude() {
    let long = event("x", &[b'x'; LONGEST]);
    assert_eq!(read([&long[..12]]), (Vec::new(), Err(Broken::TooLong)));
    let mut messages = Messages::up_to(LONGEST);
    assert_eq!(messages.push(&long[..12], |_| ()), Err(Broken::TooLong));
    assert_eq!(messages.push(&event("y", b""), |_| panic!("it is lost")), Err(Broken::TooLong));
    assert_eq!(messages.kept(), 0);
}

#[test]
fn a_stream_that_ends_within_a_message_is_cut() {
    let whole = event("x", b"{}");
    for end in 1..whole.len() {
        assert_eq!(read([&whole[..end]]), (Vec::new(), Err(Broken::Cut)), "{end}");
    }
}

prop_compose! {
    fn stream()(
        told in prop::collection::vec(("[a-z]{0,9}", prop::collection::vec(any::<u8>(), 0..40)), 1..5),
    ) -> (Vec<u8>, Seen) {
        let bytes = told.iter().flat_map(|(name, payload)| event(name, payload)).collect();
        let seen = told.into_iter().map(|(name, payload)| (format!("Event({name:?})"), payload));
        (bytes, seen.collect())
    }
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        (bytes, want) in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let frames = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        prop_assert_eq!(read(frames), (want.clone(), Ok(())));
        prop_assert_eq!(read(bytes.chunks(1)), (want, Ok(())));
    }

    #[test]
    fn a_flipped_bit_is_noticed_and_nothing_behind_it_is_told(
        (mut bytes, want) in stream(), at in any::<prop::sample::Index>(), bit in 0..8_u8,
    ) {
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let (seen, end) = read([&*bytes]);
        prop_assert!(end.is_err());
        prop_assert!(seen.len() < want.len() && want.starts_with(&seen));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let whole = read([&*bytes]);
        prop_assert_eq!(read(bytes.chunks(7)), whole);
    }
}
