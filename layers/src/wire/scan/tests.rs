use super::{Duplicate, scan};
use proptest::prelude::*;
use serde_json::{Map, Value};

#[test]
fn members_come_in_order_with_their_ranges() {
    let text = br#" { "a" : [1, {"b": "]"}] , "c":"x\"}" ,"d":-1.5e3, "e":null } "#;
    let object = scan(text).unwrap();
    let seen: Vec<_> = object.members().iter().map(|m| (m.key(), m.value().raw())).collect();
    let want: [(&[u8], &[u8]); 4] =
        [(b"a", br#"[1, {"b": "]"}]"#), (b"c", br#""x\"}""#), (b"d", b"-1.5e3"), (b"e", b"null")];
    assert_eq!(seen, want);
    for member in object.members() {
        assert_eq!(&text[member.value().range()], member.value().raw());
        assert_eq!(text[member.range().start], b'"');
    }
}

#[test]
fn a_model_that_stands_twice_is_refused_also_behind_an_escape() {
    let twice = scan(br#"{"model":"a","mod\u0065l":"b"}"#).unwrap();
    assert_eq!(twice.get("model").unwrap_err(), Duplicate("model".into()));
    assert!(twice.get("stream").unwrap().is_none());
}

#[test]
fn an_escaped_key_is_found_under_its_real_name() {
    let object = scan(br#"{"mod\u0065l":"\u0061b"}"#).unwrap();
    let value = object.get("model").unwrap().unwrap().value();
    assert_eq!(value.as_str().unwrap(), "ab");
}

#[test]
fn scalars_are_read() {
    let object = scan(br#"{"t":true,"f":false,"n":null,"u":7,"d":0.5,"s":"x"}"#).unwrap();
    let value = |key| object.get(key).unwrap().unwrap().value();
    assert_eq!((value("t").as_bool(), value("f").as_bool()), (Some(true), Some(false)));
    assert!(value("n").is_null() && !value("t").is_null());
    assert_eq!((value("u").as_u64(), value("d").as_u64()), (Some(7), None));
    assert_eq!(value("d").as_f64(), Some(0.5));
    assert_eq!((value("s").as_str().as_deref(), value("u").as_str()), (Some("x"), None));
}

#[test]
fn what_is_no_object_is_refused_with_a_place_and_a_reason() {
    let broken: [&[u8]; 15] = [
        b"",
        b"  ",
        b"[]",
        b"7",
        b"{",
        b"{\"a\"}",
        b"{\"a\":}",
        b"{\"a\":1",
        b"{\"a\":1,}",
        b"{,}",
        b"{} x",
        b"{\"a\":1}}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"x}",
        b"{\"a\":nul}",
    ];
    for text in broken {
        let invalid = scan(text).unwrap_err();
        assert!(invalid.offset <= text.len(), "{invalid}");
        assert!(!invalid.to_string().is_empty());
    }
    let invalid = scan(br#"{"a": }"#).unwrap_err();
    assert_eq!(invalid.to_string(), "expected value at line 1 column 7 (byte 6)");
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    let mut text = br#"{"a":"#.to_vec();
    text.extend(std::iter::repeat_n(b'[', 1_000_000));
    assert!(scan(&text).is_err());
    text.extend(std::iter::repeat_n(b']', 1_000_000));
    text.push(b'}');
    assert!(scan(&text).is_ok());
}

/// Any value.
pub(in crate::wire) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        "[ -~\\\\\"\n\u{e9}\u{1f600}]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z\\\\\"\n]{0,6}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_scanner_sees_what_serde_json_sees(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) };
        agrees(&text.unwrap());
    }

    #[test]
    fn broken_text_never_panics_and_agrees_where_serde_json_is_content(
        value in json(), at: prop::sample::Index, byte in "[{}\\[\\]\",:\\\\ 0-9a-z]",
    ) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        text[at] = byte.as_bytes()[0];
        agrees(&text);
        text.truncate(at);
        agrees(&text);
    }
}

proptest! {
    /// Strings that are longer than the blocks in which they are searched.
    #[test]
    fn strings_end_where_serde_json_ends_them(
        pieces in prop::collection::vec(("[a-z]{0,70}", r#"(\\|"|\\\\|\\"|\n|\\n")"#), 0..60),
        cut: prop::sample::Index,
    ) {
        let long: String = pieces.iter().flat_map(|(text, mark)| [&**text, &**mark]).collect();
        let (a, b) = long.split_at(cut.index(long.len() + 1));
        let value = serde_json::json!({ a: [b, { "k": long }], "z": b });
        let text = serde_json::to_vec(&value).unwrap();
        agrees(&text);
        agrees(&text[..cut.index(text.len())]);
    }
}

/// The oracle's members are the scanner's.
fn agrees(text: &[u8]) {
    let Ok(oracle) = serde_json::from_slice::<Map<String, Value>>(text) else {
        scan(text).ok();
        return;
    };
    let object = scan(text).unwrap();
    let mut seen = Map::new();
    for member in object.members() {
        let value = serde_json::from_slice(member.value().raw()).unwrap();
        seen.insert(String::from_utf8(member.key().to_vec()).unwrap(), value);
    }
    assert_eq!(seen, oracle);
}
