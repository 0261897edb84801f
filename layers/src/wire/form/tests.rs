//! Forms, cut anywhere.
use super::{Field, FormError, LONGEST_HEAD, LONGEST_VALUE, MOST_PARTS, Scanner, boundary};
use proptest::prelude::*;

type Found = Vec<(String, Option<Vec<u8>>, std::ops::Range<u64>)>;

fn read(form: &[u8], step: usize) -> Result<Found, FormError> {
    let mut scanner = Scanner::new(b"x-Y");
    let mut found = Found::new();
    for piece in form.chunks(step.max(1)) {
        scanner.push(piece, |Field { name, value, at }| {
            found.push((name.to_owned(), value.map(<[u8]>::to_vec), at));
        })?;
    }
    scanner.finish().map(|()| found)
}

fn part(disposition: &str, value: &str) -> String {
    format!("--x-Y\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
}

fn form(parts: &[(&str, &str)]) -> String {
    let parts: String = parts.iter().map(|(head, value)| part(head, value)).collect();
    parts + "--x-Y--\r\n"
}

#[test]
fn fields_are_told_with_their_place_and_files_without_their_value() {
    let text = form(&[("name=\"file\"; filename=\"a.wav\"", "RIFF\r\n-"), ("name=model", "fast")]);
    for step in 1..text.len() {
        let found = read(text.as_bytes(), step).unwrap();
        let [(file, None, _), (model, Some(value), at)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (file.as_str(), model.as_str(), value.as_slice()),
            ("file", "model", &b"fast"[..])
        );
        assert_eq!(text.get(at.start as usize..at.end as usize), Some("fast"));
    }
}

#[test]
fn what_looks_like_a_boundary_is_none() {
    for value in ["", "\r", "\r\n", "\r\n--x-", "\r\n-\r\n--", "--x-Y", "\r\r\n\n--x", "a--x-Y--"] {
        let text = form(&[("name=a", value)]);
        if value == "--x-Y" {
            assert_eq!(read(text.as_bytes(), 3), Err(FormError::Delimiter));
            continue;
        }
        for step in 1..9 {
            let found = read(text.as_bytes(), step).unwrap();
            assert_eq!(found[0].1.as_deref(), Some(value.as_bytes()), "{value:?}");
        }
    }
}

#[test]
fn what_two_readers_may_take_differently_is_refused() {
    let head = "--x-Y\r\nContent-Disposition: form-data; name=a\r\n\r\n";
    for (text, error) in [
        (format!("hello\r\n{}", form(&[("name=a", "1")])), FormError::Preamble),
        (format!("{head}1\n--x-Y--\r\n"), FormError::Delimiter),
        (format!("{head}1\r\n--x-Yz\r\n"), FormError::Delimiter),
        (format!("{head}1\r\n--x-Y \r\n"), FormError::Delimiter),
        (format!("{head}1\r\n--x-Y\n"), FormError::Delimiter),
        (format!("{head}1\r\n--x-Y-\r\n"), FormError::Delimiter),
        (format!("{head}--x-Y--\r\n"), FormError::Delimiter),
        (format!("{head}1\r\n--x-Y--\r\nmore"), FormError::Epilogue),
        (format!("{head}1\r\n"), FormError::Cut),
        (String::new(), FormError::Cut),
        ("--x-Y\r\n\r\nvalue\r\n--x-Y--".into(), FormError::Head),
        ("--x-Y\r\nA: b\r\n\r\nvalue\r\n--x-Y--".into(), FormError::Head),
    ] {
        for step in [1, 2, 1000] {
            assert_eq!(read(text.as_bytes(), step), Err(error), "{text:?}");
        }
    }
}

#[test]
fn heads_are_read_in_one_way_only() {
    for bad in [
        "name=\"mod\\el\"",
        "name=\"mod%65l\"",
        "name*=utf-8''model",
        "name=a; name=model",
        "filename=a",
        "name=\"a",
        "name=\"a\"b",
        "name",
        "name=a\r\nContent-Disposition: form-data; name=model",
        "name=a;\r\n name=model",
        "name=a\r\nContent-Transfer-Encoding: base64",
        "name=a\r\nno header",
        "name=a\r\nx : y",
    ] {
        assert_eq!(read(form(&[(bad, "1")]).as_bytes(), 64), Err(FormError::Head), "{bad}");
    }
    for good in [
        "name=\"a\"; filename=\"C:\\dir\\x \\\"1\\\".wav\"",
        "name=\"a\"; filename=x; filename*=utf-8''%e2%82%ac",
        "NAME=a",
        "name=\"a\" ; x=y;",
        "name=a\r\nContent-Type: text/plain\r\ncontent-transfer-encoding: BINARY",
    ] {
        assert_eq!(read(form(&[(good, "1")]).as_bytes(), 64).unwrap()[0].0, "a", "{good}");
    }
}

#[test]
fn a_flood_is_refused_in_bounded_memory() {
    let many: String = (0..=MOST_PARTS).map(|_| part("name=a", "1")).collect();
    assert_eq!(read(many.as_bytes(), 4096), Err(FormError::ManyParts));
    let long = format!("--x-Y\r\nx: {}", "y".repeat(2 * LONGEST_HEAD));
    assert_eq!(read(long.as_bytes(), 100), Err(FormError::LongHead));
    let mut scanner = Scanner::new(b"x-Y");
    scanner.push(part("name=a", "").trim_end().as_bytes(), |_| {}).unwrap();
    scanner.push(b"\r\n\r\n", |_| {}).unwrap();
    for _ in 0..10_000 {
        scanner.push(b"\r\n--x-\r\n--x-\r\n--x-", |_| {}).unwrap();
    }
    assert!(scanner.value.capacity() < 4 * LONGEST_VALUE);
    assert!(scanner.head.capacity() < 2 * LONGEST_HEAD);
}

#[test]
fn a_long_value_is_not_told() {
    for (len, told) in [(LONGEST_VALUE, true), (LONGEST_VALUE + 1, false)] {
        let found = read(form(&[("name=a", &"v".repeat(len))]).as_bytes(), 1000).unwrap();
        assert_eq!(found[0].1.is_some(), told);
        assert_eq!(found[0].2.end - found[0].2.start, len as u64);
    }
}

#[test]
fn the_boundary_is_named_once_and_valid() {
    let good = |text: &str| boundary(text.as_bytes()).unwrap();
    assert_eq!(good("multipart/form-data; boundary=abc"), b"abc");
    assert_eq!(good("Multipart/Form-Data;charset=utf-8;Boundary=\"a b:c\""), b"a b:c");
    assert_eq!(boundary(b"application/json"), Err(FormError::NotAForm));
    let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for bad in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary=a@b",
        "multipart/form-data; boundary=\"a \"",
        "multipart/form-data; boundary=\"a",
        &long,
    ] {
        assert_eq!(boundary(bad.as_bytes()), Err(FormError::Boundary), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_form_reads_the_same_wherever_it_is_cut(
        text in "((--x-Y)|(\r\n)|(--)|\r|\n|(Content-Disposition: form-data; name=a)|[a-c ]){0,40}",
        step in 1_usize..9,
    ) {
        let text = format!("--x-Y\r\n{text}");
        prop_assert_eq!(read(text.as_bytes(), step), read(text.as_bytes(), usize::MAX));
    }

    #[test]
    fn values_come_out_as_they_went_in(
        values in prop::collection::vec("[a-z\r\n-]{0,20}", 0..5),
        step in 1_usize..40,
    ) {
        prop_assume!(values.iter().all(|value| !value.contains("--x-Y")));
        let parts: Vec<_> = values.iter().map(|value| ("name=a", value.as_str())).collect();
        let found = read(form(&parts).as_bytes(), step);
        if !parts.is_empty() {
            let found: Vec<_> = found.unwrap().into_iter().filter_map(|(_, value, _)| value).collect();
            let expected: Vec<_> = values.iter().map(|value| value.clone().into_bytes()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
