//! Frames, whole and cut.
use super::Messages;
use proptest::prelude::*;

/// A frame as a server sends it, or masked, with the shortest length that fits.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(bit | len as u8),
        len @ 126..0x1_0000 => {
            frame.push(bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    let Some(mask) = mask else { return [frame, payload.to_vec()].concat() };
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn text(payload: &[u8]) -> Vec<u8> {
    frame(0x81, None, payload)
}

fn read(messages: &mut Messages, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    messages.push(bytes, |text| seen.push(text.to_vec()));
    seen
}

#[test]
fn lengths_of_all_sizes_are_understood() {
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
        let payload = vec![b'a'; len];
        let mut messages = Messages::new(1 << 20);
        assert_eq!(read(&mut messages, &text(&payload)), [payload], "{len}");
        assert!(messages.is_between_frames());
    }
}

#[test]
fn a_message_in_parts_is_one_message_whatever_stands_between_them() {
    let bytes = [
        frame(0x01, None, b"one "),
        frame(0x89, None, b"ping"),
        frame(0x00, None, b""),
        frame(0x00, None, b"two "),
        frame(0x8a, None, b""),
        frame(0x80, None, b"three"),
        text(b"next"),
    ];
    let mut messages = Messages::new(100);
    assert_eq!(read(&mut messages, &bytes.concat()), [&b"one two three"[..], b"next"]);
}

#[test]
fn binary_masked_compressed_and_long_messages_are_passed_over() {
    let bytes = [
        frame(0x82, None, b"binary"),
        frame(0x81, Some([1, 2, 3, 4]), b"masked"),
        frame(0xc1, None, b"compressed"),
        text(&[b'x'; 11]),
        frame(0x01, None, b"too "),
        frame(0x80, None, b"long after all"),
        text(b"good"),
    ];
    let mut messages = Messages::new(10);
    assert_eq!(read(&mut messages, &bytes.concat()), [b"good"]);
}

#[test]
fn a_close_frame_is_noticed_in_both_directions() {
    for mask in [None, Some([9; 4])] {
        let mut messages = Messages::new(0);
        read(&mut messages, &frame(0x81, mask, b"hi"));
        assert!(!messages.is_closed());
        read(&mut messages, &frame(0x88, mask, &[3, 232]));
        assert!(messages.is_closed() && messages.is_between_frames());
    }
}

#[test]
fn a_length_that_cannot_be_ends_the_reading() {
    let mut messages = Messages::new(10);
    let bytes = [&[0x81, 127][..], &[0xff; 8], &text(b"hi")].concat();
    assert!(read(&mut messages, &bytes).is_empty());
    assert!(!messages.is_between_frames());
}

fn frames() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![Just(0x0), Just(0x1), Just(0x2), Just(0x8), Just(0x9), Just(0x5)];
    let first = (opcode, any::<bool>(), prop::bool::weighted(0.1))
        .prop_map(|(opcode, last, rsv)| opcode | u8::from(last) << 7 | u8::from(rsv) << 6);
    let mask = prop::option::weighted(0.1, any::<[u8; 4]>());
    let payload = prop::collection::vec(any::<u8>(), 0..200);
    let one =
        (first, mask, payload).prop_map(|(first, mask, payload)| frame(first, mask, &payload));
    prop::collection::vec(one, 0..12).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        bytes in prop_oneof![frames(), prop::collection::vec(any::<u8>(), 0..300)],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        longest in 0_usize..300,
    ) {
        let mut whole = Messages::new(longest);
        let expected = read(&mut whole, &bytes);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut pieces = Messages::new(longest);
        let seen = cuts.windows(2).flat_map(|cut| read(&mut pieces, &bytes[cut[0]..cut[1]]));
        let seen: Vec<_> = seen.collect();
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(pieces.is_closed(), whole.is_closed());
        prop_assert_eq!(pieces.is_between_frames(), whole.is_between_frames());
        prop_assert!(pieces.text.len() <= longest);
    }
}
