use super::{LEFT_OUT, cache_control, key_of};
use crate::facts::{CacheControl, CacheKey};
use crate::wire::scan::scan;
use crate::wire::scan::tests::json;
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::fmt::Write;
use std::time::Duration;

fn key(body: &str) -> Option<CacheKey> {
    key_of(&["openai", "chat"], body.as_bytes(), |name| LEFT_OUT.contains(&name))
}

#[test]
fn what_means_the_same_has_the_same_key() {
    for (a, b) in [
        (r#"{"a":1,"b":2}"#, r#" { "b" : 2 ,"a":1 } "#),
        (r#"{"a":1}"#, r#"{"a":1.0}"#),
        (r#"{"a":1}"#, r#"{"a":10e-1}"#),
        (r#"{"a":120}"#, r#"{"a":1.2E+2}"#),
        (r#"{"a":0}"#, r#"{"a":-0.0e9}"#),
        (r#"{"a":"a\n\u00e9\ud83d\ude00/"}"#, "{\"a\":\"\\u0061\\u000a\u{e9}\u{1f600}\\/\"}"),
        (r#"{"\u0061":1}"#, r#"{"a":1}"#),
        (r#"{"a":1,"b":null}"#, r#"{"a":1}"#),
        (r#"{"a":1,"stream":true,"metadata":{"x":1},"c\u0061che":{}}"#, r#"{"a":1}"#),
        (r#"{"a":[{"x":1,"y":{"q":1,"p":2}}]}"#, r#"{"a":[{"y":{"p":2,"q":1},"x":1}]}"#),
    ] {
        assert_eq!(key(a), key(b), "{a} {b}");
        assert!(key(a).is_some(), "{a}");
    }
}

#[test]
fn what_may_change_the_answer_changes_the_key() {
    let all = [
        "{}",
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":-1}"#,
        r#"{"a":10}"#,
        r#"{"a":0}"#,
        r#"{"a":true}"#,
        r#"{"a":false}"#,
        r#"{"a":[1]}"#,
        r#"{"a":[1,1]}"#,
        r#"{"a":[[1],1]}"#,
        r#"{"a":[null]}"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":{"stream":true}}"#,
        r#"{"a":{"b":null}}"#,
        r#"{"user":"a"}"#,
        r#"{"b":1}"#,
        r#"{"a":1,"b":1}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":"","b":""}"#,
        r#"{"a":"\",\"b\":\""}"#,
        r#"{"a":12345678901234567890123}"#,
        r#"{"a":12345678901234567890124}"#,
    ];
    for (at, a) in all.iter().enumerate() {
        for b in &all[..at] {
            assert_ne!(key(a), key(b), "{a} {b}");
        }
    }
}

#[test]
fn the_path_is_part_of_the_key() {
    let of = |context: &[&str]| key_of(context, b"{}", |_| false);
    assert_ne!(of(&["openai", "chat"]), of(&["openai", "completions"]));
    assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
}

#[test]
fn what_is_ambiguous_or_broken_has_no_key() {
    let deep = |depth| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    for body in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":1,"a":null}"#,
        r#"{"a":{"b":1,"c":2,"b":3}}"#,
        r#"{"a":"\ud83d"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":--1}"#,
        r#"{"a":1e99999999999999999999}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1"#,
        "{} x",
        "[]",
        "",
        &deep(200),
        &deep(100_000),
    ] {
        assert_eq!(key(body), None, "{body:.40}");
    }
    assert!(key(&deep(100)).is_some());
}

#[test]
fn cache_controls_are_read() {
    let control = |body: &str| cache_control(&scan(body.as_bytes()).unwrap());
    assert_eq!(control(r#"{"a":1,"caching":true,"cache":null}"#), None);
    let off = CacheControl { no_cache: true, no_store: true, ..CacheControl::default() };
    assert_eq!(control(r#"{"caching":false}"#), Some(off));
    let all =
        r#"{"cache":{"no-cache":true,"ttl":60,"s-maxage":1.5,"namespace":"n","use-cache":true}}"#;
    let want = CacheControl {
        no_cache: true,
        no_store: false,
        ttl: Some(Duration::from_mins(1)),
        max_age: Some(Duration::from_millis(1500)),
        namespace: Some("n".into()),
        use_cache: true,
    };
    assert_eq!(control(all), Some(want));
    let odd = control(r#"{"cache":{"ttl":-1,"s-max-age":"9","no-store":true}}"#).unwrap();
    assert_eq!((odd.ttl, odd.max_age, odd.no_store), (None, Some(Duration::from_secs(9)), true));
}

/// The value again, written differently: members in another order, blanks, escapes.
fn rewritten(value: &Value, seed: u64, out: &mut String) {
    let blank = ["", " ", "\n\t"][(seed % 3) as usize];
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            let by = usize::try_from(seed).unwrap_or(0) % members.len().max(1);
            members.rotate_left(by);
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { blank });
                rewritten(&Value::from(key.as_str()), seed / 3, out);
                write!(out, "{blank}:{blank}").unwrap();
                rewritten(value, seed / 3, out);
            }
            write!(out, "{blank}}}").unwrap();
        }
        Value::Array(elements) => {
            out.push('[');
            for (at, value) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { blank });
                rewritten(value, seed / 3, out);
            }
            out.push(']');
        }
        Value::String(text) if seed % 2 == 1 => {
            out.push('"');
            text.encode_utf16().for_each(|unit| write!(out, "\\u{unit:04X}").unwrap());
            out.push('"');
        }
        Value::Number(number) if seed % 2 == 1 && number.is_i64() => {
            write!(out, "{number}0.0e-1").unwrap();
        }
        other => *out += &other.to_string(),
    }
}

/// One value of a text is changed.
fn changed(value: &mut Value, at: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let at = at % members.len();
            let key = members.keys().nth(at).unwrap().clone();
            changed(&mut members[&key], at / 2);
        }
        Value::Array(elements) if !elements.is_empty() => {
            let at = at % elements.len();
            changed(&mut elements[at], at / 2);
        }
        Value::String(text) => text.push('x'),
        Value::Number(_) => *value = Value::from(format!("{value}")),
        other => *other = Value::from(vec![other.take()]),
    }
}

/// A member that is null is absent; two of those are equal.
fn told(members: &Map<String, Value>) -> Map<String, Value> {
    members.clone().into_iter().filter(|(_, it)| !it.is_null()).collect()
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-z\\\\\"\n\u{e9}]{0,6}", json()), 1..6)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn equal_requests_have_equal_keys(members in object(), seed: u64) {
        let value = Value::Object(members);
        let mut other = String::new();
        rewritten(&value, seed, &mut other);
        let keys = (key(&value.to_string()), key(&other));
        prop_assert!(keys.0.is_some());
        prop_assert_eq!(keys.0, keys.1, "{} {}", value, other);
    }

    #[test]
    fn any_change_makes_another_key(members in object(), at: prop::sample::Index) {
        let value = Value::Object(members);
        let mut other = value.clone();
        changed(&mut other, at.index(1000));
        let equal = told(value.as_object().unwrap()) == told(other.as_object().unwrap());
        prop_assert_eq!(key(&value.to_string()) == key(&other.to_string()), equal);
    }

    #[test]
    fn two_requests_have_one_key_exactly_if_a_parser_sees_one_request(
        a in object(), b in object(), cut: prop::sample::Index, byte in "[{}\\[\\]\",:\\\\ 0-9a-z]",
    ) {
        let text = Value::Object(a.clone()).to_string();
        prop_assert_eq!(key(&text) == key(&Value::Object(b.clone()).to_string()), told(&a) == told(&b));
        let mut broken = text.into_bytes();
        let at = cut.index(broken.len());
        broken[at] = byte.as_bytes()[0];
        let key = key_of(&[], &broken, |_| false);
        if key.is_none() && serde_json::from_slice::<Map<String, Value>>(&broken).is_ok() {
            // Only a member that stands twice.
            let parsed: Map<String, Value> = serde_json::from_slice(&broken).unwrap();
            prop_assert!(Value::Object(parsed).to_string().len() < broken.len());
        }
    }
}
