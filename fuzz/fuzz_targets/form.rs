//! A form reads the same wherever it is cut, and what is told of it stands where it says.
#![no_main]
use bartizan_layers::wire::form::{FormError, Scanner};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;

type Found = Vec<(String, Option<Vec<u8>>, Range<u64>)>;

/// Beyond this an input costs more than it finds.
const LONGEST: usize = 2048;

/// In so many places an input is cut.
const CUTS: usize = 32;

fuzz_target!(|data: &[u8]| {
    if data.len() > LONGEST {
        return;
    }
    let form = [b"--x\r\nContent-Disposition: form-data; name=", data].concat();
    let whole = read(&[&form]);
    for at in (0..=form.len()).step_by(form.len() / CUTS + 1) {
        let (head, tail) = form.split_at(at);
        assert_eq!(read(&[head, tail]), whole);
    }
    for (_, value, at) in whole.unwrap_or_default() {
        let text = &form[at.start as usize..at.end as usize];
        assert!(value.is_none_or(|value| value == text));
        assert!(!text.windows(6).any(|window| window == b"\r\n--x\r"));
    }
});

fn read(pieces: &[&[u8]]) -> Result<Found, FormError> {
    let (mut scanner, mut found) = (Scanner::new(b"x"), Found::new());
    for piece in pieces {
        scanner.push(piece, |field| {
            found.push((field.name.to_owned(), field.value.map(<[u8]>::to_vec), field.at));
        })?;
    }
    scanner.finish().map(|()| found)
}
