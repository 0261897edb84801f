use super::Text;
use crate::body::Body;
use crate::wire::scan::{Object, Skim, scan, tests::json};
use crate::wire::splice::Splice;
use bytes::Bytes;
use http_body_util::BodyExt;
use proptest::prelude::*;

/// The text of `bytes`, come in frames of these sizes.
fn framed(bytes: &Bytes, sizes: &[usize]) -> Text {
    let (mut skim, mut frames, mut rest) = (Skim::default(), Vec::new(), bytes.clone());
    for size in sizes.iter().cycle() {
        let frame = rest.split_to(rest.len().min(*size));
        skim.push(&frame);
        frames.push(frame);
        if rest.is_empty() {
            break;
        }
    }
    skim.into_text(frames)
}

fn long() -> impl Strategy<Value = String> {
    (r#"([a-z]{0,70}(\\|"|\\\\|\n|\u{e9})){0,40}"#, 1..12usize)
        .prop_map(|(text, times)| text.repeat(times))
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1..9usize, 1..5000usize], 1..40)
}

fn fault() -> impl Strategy<Value = Option<(prop::sample::Index, String)>> {
    prop::option::of((any::<prop::sample::Index>(), "[{}\\[\\]\",:\\\\ 0-9a-z]"))
}

/// Removes, replaces or keeps each member, as `edits` say, and adds one.
fn edit<'o, 'a>(object: &'o Object<'a>, edits: &[u8]) -> Splice<'o, 'a> {
    let mut splice = Splice::new(object);
    for (index, edit) in (0..object.members().len()).zip(edits.iter().cycle()) {
        match edit {
            0 => splice.remove(index),
            1 => splice.replace(index, "\"new\""),
            _ => {}
        }
    }
    if edits.len() % 2 == 1 {
        splice.insert("added", "[]");
    }
    splice
}

/// The frames that `body` gives.
fn pieces(body: Body) -> Vec<Bytes> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut body, mut pieces) = (body, Vec::new());
        while let Some(frame) = body.frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
        }
        pieces
    })
}

proptest! {
    /// In a text with faults, too: an outline passes for no object that its text is not.
    #[test]
    fn an_edited_outline_is_the_edited_text(
        value in json(), long in long(), sizes in sizes(), fault in fault(),
        edits in prop::collection::vec(0..4u8, 1..6),
    ) {
        let value = serde_json::json!({
            "a": value, "s": long, &long: [&long, { "x": long }], "t": [long], "u": { "v": long },
        });
        let mut bytes = serde_json::to_vec(&value).unwrap();
        if let Some((at, byte)) = fault {
            let at = at.index(bytes.len());
            bytes[at] = byte.as_bytes()[0];
        }
        let bytes = Bytes::from(bytes);
        let text = framed(&bytes, &sizes);
        prop_assert_eq!((text.whole(), text.len()), (bytes.clone(), bytes.len()));
        let (whole, outline) = (scan(&bytes), scan(text.outline()));
        prop_assert!(outline.is_ok() || whole.is_err());
        let Ok(outline) = outline else { return Ok(()) };
        let cut = outline.members().iter().filter(|m| text.is_cut(m.value().range().start));
        // A key that was cut may hide a fault.
        if cut.count() < text.cuts() && whole.is_err() {
            return Ok(());
        }
        let whole = whole.unwrap();
        prop_assert_eq!(outline.members().len(), whole.members().len());
        let want = edit(&whole, &edits).bytes(&bytes.clone().into());
        let splice = edit(&outline, &edits);
        prop_assert_eq!(splice.bytes(&text), want.clone());
        prop_assert_eq!(pieces(splice.apply(&text)).concat(), want);
    }
}

#[test]
fn only_long_values_of_the_object_itself_are_cut_and_none_is_lost() {
    let long = "x\\\"".repeat(2000);
    let body = format!(r#"{{"a":"{long}","b":[1,["{long}"]],"c":"short","d":[2],"e":"{long}"}} "#);
    let body = Bytes::from(body);
    for size in [1, 2, 3, 64, 4095, 4096, 20_000] {
        let text = framed(&body, &[size]);
        assert_eq!(text.outline(), r#"{"a":"","b":[],"c":"short","d":[2],"e":""} "#);
        assert_eq!((text.cuts(), text.whole()), (3, body.clone()));
        let object = scan(text.outline()).unwrap();
        let cut = object.members().iter().map(|member| text.is_cut(member.value().range().start));
        assert_eq!(cut.collect::<Vec<_>>(), [true, true, false, false, true]);
    }
}

#[test]
fn a_text_in_frames_is_sent_as_slices_of_them() {
    let body = Bytes::from(format!(r#"{{"model":"a","prompt":"{}","n":1}}"#, "x".repeat(64 << 10)));
    let text = framed(&body, &[20_000]);
    let object = scan(text.outline()).unwrap();
    let mut splice = Splice::new(&object);
    let unedited = pieces(splice.apply(&text));
    assert_eq!(unedited[0].as_ptr(), body.as_ptr());
    splice.replace(0, r#""other""#);
    let edited = pieces(splice.apply(&text));
    assert_eq!(edited[..2], [r#"{"model":"#, r#""other""#]);
    assert_eq!(edited[2].as_ptr(), body[12..].as_ptr());
}
