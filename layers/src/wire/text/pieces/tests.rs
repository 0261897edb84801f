use super::{Came, LARGE, PIECE, Pieces, UNREAD};
use crate::wire::scan::{Object, scan};
use bytes::Bytes;
use proptest::prelude::*;

/// What has come, when `bytes` have come in frames of these sizes.
fn gathered(bytes: &Bytes, sizes: &[usize]) -> Pieces {
    let (mut pieces, mut rest) = (Pieces::default(), bytes.clone());
    for size in sizes.iter().cycle() {
        pieces.push(rest.split_to(rest.len().min(*size)), bytes.len());
        if rest.is_empty() {
            break;
        }
    }
    pieces
}

/// The keys, and those values that somebody might read.
fn read(object: &Object<'_>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let value = |key: &[u8], value: &[u8]| (!UNREAD.contains(&key)).then(|| value.to_vec());
    let members = object.members().iter();
    members.map(|m| (m.key().to_vec(), value(m.key(), m.value().raw()))).collect()
}

proptest! {
    #[test]
    fn characters_are_judged_the_same_however_they_are_cut(
        text in "[a\u{e9}\u{20ac}\u{1f600}]{0,40}",
        fault in prop::option::of((any::<prop::sample::Index>(), 0x80u8..)),
        sizes in prop::collection::vec(1..7usize, 1..9),
    ) {
        let mut text = text.into_bytes();
        if let Some((at, byte)) = fault.filter(|_| !text.is_empty()) {
            let at = at.index(text.len());
            text[at] = byte;
        }
        let text = Bytes::from(text);
        prop_assert_eq!(gathered(&text, &sizes).whole(), text.clone());
        let known = gathered(&text, &sizes).into_text();
        prop_assert_eq!(known.is_ok(), std::str::from_utf8(&text).is_ok());
        if let Ok(known) = known {
            prop_assert_eq!(known.whole(), text);
        }
    }

    /// Verdicts, too, word by word.
    #[test]
    fn all_that_is_read_of_a_body_is_the_same_however_it_came(
        keys in prop::collection::vec(
            r#"messages|prompt|tools|model|metadata|input|me\\u0073sages|x"#, 1..6),
        long in (r#"([a-z]{0,70}(\\\\|\\"|\u{e9}|\\n)){1,40}"#, 1..60usize),
        sizes in prop::collection::vec(prop_oneof![1..9usize, 1..5000usize, LARGE..PIECE], 1..40),
        fault in prop::option::of((any::<prop::sample::Index>(), "[{}\\[\\]\",:\\\\ 0-9a-z]")),
    ) {
        let long = long.0.repeat(long.1);
        let value = |at| match at % 3 {
            0 => format!(r#""{long}""#),
            1 => format!(r#"[{{"content": "{long}"}}, 1]"#),
            _ => "null".to_owned(),
        };
        let member = |(at, key): (usize, &String)| format!(r#""{key}": {}"#, value(at));
        let members: Vec<_> = keys.iter().enumerate().map(member).collect();
        let mut body = format!("{{{}, \"{long}\": 1}}", members.join(", ")).into_bytes();
        if let Some((at, byte)) = fault {
            let at = at.index(body.len());
            body[at] = byte.as_bytes()[0];
        }
        let body = Bytes::from(body);
        let Ok(text) = gathered(&body, &sizes).into_text() else {
            prop_assert!(std::str::from_utf8(&body).is_err());
            return Ok(());
        };
        prop_assert!(std::str::from_utf8(&body).is_ok());
        prop_assert_eq!(text.whole(), body.clone());
        prop_assert_eq!(scan(text.outline()).map(|o| read(&o)), scan(&body).map(|o| read(&o)));
    }
}

#[test]
fn a_body_in_one_frame_is_not_copied() {
    let frame = Bytes::from_static(b"{}");
    let mut pieces = Pieces::default();
    pieces.push(Bytes::new(), 2);
    pieces.push(frame.clone(), 2);
    let text = pieces.into_text().unwrap();
    assert_eq!(text.outline().as_ptr(), frame.as_ptr());
}

fn large(key: &str) -> Bytes {
    Bytes::from(format!(r#"{{"{key}": "{}", "model": "m"}}"#, "x".repeat(4 * LARGE)))
}

#[test]
fn a_large_body_has_an_outline_if_nobody_reads_its_long_value() {
    let outline = |key| gathered(&large(key), &[LARGE]).into_text().unwrap().outline().clone();
    assert_eq!(outline("prompt"), r#"{"prompt": "", "model": "m"}"#);
    assert_eq!(outline("metadata"), large("metadata"));
}

#[test]
fn large_frames_are_kept_and_small_ones_are_put_together() {
    let body = large("prompt");
    let Came::Many(frames) = gathered(&body, &[100, 200, LARGE, 300, LARGE, 1]).0 else {
        panic!("more than one frame came");
    };
    let kept = frames.kept();
    let places: Vec<_> = kept.iter().map(|frame| frame.len()).collect();
    assert_eq!(places[..4], [300, LARGE, 300, LARGE]);
    assert_eq!(kept[1].as_ptr(), body[300..].as_ptr());
    assert_ne!(kept[0].as_ptr(), body.as_ptr());
}
