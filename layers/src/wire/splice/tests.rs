use super::{Splice, UsageAsk};
use crate::body::Body;
use crate::wire::{scan::scan, text::Text};
use bytes::Bytes;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Map, Value};

#[test]
fn a_member_leaves_with_its_comma_wherever_it_stands() {
    let text = "{ \"a\" : 1 ,\n \"b\":2\t, \"c\" :3 }";
    assert_eq!(without(text, &[0]), "{ \"b\":2\t, \"c\" :3 }");
    assert_eq!(without(text, &[1]), "{ \"a\" : 1\t, \"c\" :3 }");
    assert_eq!(without(text, &[2]), "{ \"a\" : 1 ,\n \"b\":2 }");
    assert_eq!(without(text, &[0, 1]), "{ \"c\" :3 }");
    assert_eq!(without(text, &[2, 0]), "{ \"b\":2 }");
    assert_eq!(without(text, &[0, 1, 2]), "{  }");
}

#[test]
fn a_member_that_is_called_otherwise_keeps_its_value_and_its_place() {
    let text = Text::from(Bytes::from_static(b"{ \"a\" : [ 1.0 ], \"\\u0062\":2 , \"c\":3}"));
    let object = scan(text.outline()).unwrap();
    let mut splice = Splice::new(&object);
    splice.rename(0, "longer");
    splice.rename(1, "d\"");
    assert_eq!(splice.bytes(&text), "{ \"longer\":[ 1.0 ], \"d\\\"\":2 , \"c\":3}");
}

#[test]
fn members_are_added_behind_the_last_and_into_nothing() {
    assert_eq!(with("{}"), r#"{"k":1}"#);
    assert_eq!(with(" { } "), r#" {"k":1 } "#);
    assert_eq!(with("{\"a\":2 \n}"), "{\"a\":2,\"k\":1 \n}");
}

#[test]
fn usage_is_asked_for_unless_the_client_decided() {
    let cases = [
        ("{}", r#"{"stream_options":{"include_usage":true}}"#, UsageAsk::ByUs),
        (
            r#"{"stream_options":null}"#,
            r#"{"stream_options":{"include_usage":true}}"#,
            UsageAsk::ByUs,
        ),
        (
            r#"{"stream_options":{}}"#,
            r#"{"stream_options":{"include_usage":true}}"#,
            UsageAsk::ByUs,
        ),
        (
            r#"{"stream_options": { "x": 1 }}"#,
            r#"{"stream_options": { "x": 1,"include_usage":true }}"#,
            UsageAsk::ByUs,
        ),
        (
            r#"{"stream_options":{"include_usage":null}}"#,
            r#"{"stream_options":{"include_usage":true}}"#,
            UsageAsk::ByUs,
        ),
        (
            r#"{"stream_options":{"include_usage":false}}"#,
            r#"{"stream_options":{"include_usage":false}}"#,
            UsageAsk::Refused,
        ),
        (
            r#"{"stream_options":{"include_usage":true}}"#,
            r#"{"stream_options":{"include_usage":true}}"#,
            UsageAsk::ByClient,
        ),
        (r#"{"stream_options":7}"#, r#"{"stream_options":7}"#, UsageAsk::Unreadable),
    ];
    for (text, want, ask) in cases {
        let body = Text::from(Bytes::from_static(text.as_bytes()));
        let object = scan(body.outline()).unwrap();
        let mut splice = Splice::new(&object);
        assert_eq!(splice.ask_for_usage(), Ok(ask));
        assert_eq!(splice.bytes(&body), want);
    }
}

#[tokio::test]
async fn a_large_body_is_not_copied() {
    let text = format!(r#"{{"model":"a","prompt":"{}","tags":[]}}"#, "x".repeat(64 * 1024));
    let body = Text::from(Bytes::from(text));
    let object = scan(body.outline()).unwrap();
    let mut splice = Splice::new(&object);
    splice.replace(0, r#""other""#);
    splice.remove(2);
    let spliced = splice.apply(&body);
    assert!(matches!(spliced, Body::Parts(_)));
    let collected = spliced.collect().await.unwrap().to_bytes();
    assert_eq!(collected, splice.bytes(&body));
    let value: Value = serde_json::from_slice(&collected).unwrap();
    assert_eq!(value["model"], "other");
    assert!(value.get("tags").is_none());
}

proptest! {
    #[test]
    fn edits_change_what_they_name_and_nothing_else(
        blanks in prop::collection::vec("[ \n\t\r]{0,3}", 40),
        edits in prop::collection::vec(0..3u8, 0..8),
        insert: bool,
    ) {
        let mut blanks = blanks.iter().cycle();
        let mut blank = || blanks.next().unwrap().as_str();
        let mut text = format!("{}{{", blank());
        for index in 0..edits.len() {
            let comma = if index == 0 { "" } else { "," };
            text += &format!("{comma}{}\"k{index}\"{}:{}[{index}]{}", blank(), blank(), blank(), blank());
        }
        text += &format!("{}}}{}", blank(), blank());
        let body = Text::from(Bytes::from(text));
        let object = scan(body.outline()).unwrap();
        let mut want: Map<String, Value> = serde_json::from_slice(body.outline()).unwrap();
        let mut splice = Splice::new(&object);
        for (index, edit) in edits.iter().enumerate() {
            let key = format!("k{index}");
            match edit {
                0 => {}
                1 => {
                    splice.replace(index, "\"new\"");
                    want.insert(key, "new".into());
                }
                _ => {
                    splice.remove(index);
                    want.remove(&key);
                }
            }
        }
        if insert {
            splice.insert("quo\"te", "{}");
            want.insert("quo\"te".into(), Value::Object(Map::new()));
        }
        let spliced = splice.bytes(&body);
        prop_assert_eq!(serde_json::from_slice::<Map<String, Value>>(&spliced).unwrap(), want);
        let spliced = std::str::from_utf8(&spliced).unwrap();
        for (index, member) in object.members().iter().enumerate() {
            if edits[index] == 0 {
                let kept = std::str::from_utf8(&body.outline()[member.range()]).unwrap();
                prop_assert!(spliced.contains(kept));
            }
        }
    }
}

fn without(text: &'static str, removed: &[usize]) -> Bytes {
    let body = Text::from(Bytes::from_static(text.as_bytes()));
    let object = scan(body.outline()).unwrap();
    let mut splice = Splice::new(&object);
    removed.iter().for_each(|index| splice.remove(*index));
    splice.bytes(&body)
}

fn with(text: &'static str) -> Bytes {
    let body = Text::from(Bytes::from_static(text.as_bytes()));
    let object = scan(body.outline()).unwrap();
    let mut splice = Splice::new(&object);
    splice.insert("k", "1");
    splice.bytes(&body)
}
