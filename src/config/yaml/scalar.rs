//! What a plain (unquoted) scalar is in YAML 1.1, as PyYAML reads it: LiteLLM's configs are written
//! for that reader.
use super::Kind;

/// The switch or the number that a plain scalar is; nothing if it is a text.
pub(super) fn plain(text: &str) -> Option<Kind> {
    switch(text).map(Kind::Bool).or_else(|| number(text))
}

/// The number that a plain scalar is.
pub(super) fn number(text: &str) -> Option<Kind> {
    let text = text.strip_prefix('+').filter(|rest| !rest.starts_with(['+', '-'])).unwrap_or(text);
    let (sign, digits) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let is_signed = text != digits;
    if let Some(whole) = whole(digits) {
        return Some(match whole {
            Whole::Small(number) => Kind::Int(if is_signed { -number } else { number }),
            Whole::Large(number) => Kind::Float(sign * number),
        });
    }
    fraction(digits).map(|number| Kind::Float(sign * number))
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A whole number without its sign.
enum Whole {
    Small(i64),
    /// Rounded: it is too large for the other.
    Large(f64),
}

fn whole(text: &str) -> Option<Whole> {
    let bare = text.replace('_', "");
    let of = |radix, digits: &str| i64::from_str_radix(digits, radix).ok().map(Whole::Small);
    let is_made_of = |set: fn(char) -> bool| bare.chars().all(set);
    if let Some(digits) = bare.strip_prefix("0b") {
        return of(2, digits).filter(|_| !digits.starts_with(['+', '-']));
    }
    if let Some(digits) = bare.strip_prefix("0x") {
        return of(16, digits).filter(|_| !digits.starts_with(['+', '-']));
    }
    if text == "0" {
        return Some(Whole::Small(0));
    }
    if text.starts_with('0') {
        return of(8, &bare).filter(|_| is_made_of(|c| c.is_digit(8)));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if text.contains(':') {
        return sixties(text).filter(|number| number.fract() == 0.0 && !text.contains('.')).map(
            |number| match number < 9e15 {
                true => Whole::Small(number as i64),
                false => Whole::Large(number),
            },
        );
    }
    let large = || bare.parse().ok().map(Whole::Large);
    is_made_of(|c| c.is_ascii_digit()).then(|| of(10, &bare).or_else(large)).flatten()
}

/// A number with a point, without its sign. An exponent has a sign, and a point before it.
fn fraction(text: &str) -> Option<f64> {
    match text {
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    if text.contains(':') {
        return sixties(text).filter(|_| text.contains('.'));
    }
    let (before, after) = text.split_once('.')?;
    let (after, exponent) = match after.split_once(['e', 'E']) {
        Some((after, exponent)) => (after, Some(exponent)),
        None => (after, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let power = |text: &str| {
        let digits = text.strip_prefix(['+', '-']);
        digits.is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let is_number = digits(before)
        && digits(after)
        && (begins(before) || (before.is_empty() && begins(after)))
        && exponent.is_none_or(power);
    let text = text.replace('_', "");
    is_number.then(|| text.parse().ok()).flatten()
}

/// `1:30` is 90: each part counts sixty times the one after it.
fn sixties(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.split(':');
    let first: f64 = parts.next()?.replace('_', "").parse().ok()?;
    let small = |part: &str| {
        let is_digits = part.bytes().all(|byte| byte.is_ascii_digit()) && part.len() <= 2;
        is_digits.then(|| part.parse().ok()).flatten().filter(|part| *part < 60.0)
    };
    let number = parts.try_fold(first, |sum, part| small(part).map(|part: f64| sum * 60.0 + part));
    let fraction: f64 = format!("0.{}0", fraction.replace('_', "")).parse().ok()?;
    number.map(|number| number + fraction)
}

#[cfg(test)]
mod tests {
    use super::Kind::{self, Bool, Float, Int};
    use super::plain;

    /// What PyYAML 6.0 makes of each.
    const SCALARS: &[(&str, Kind)] = &[
        ("010", Int(8)),
        ("+010", Int(8)),
        ("-010", Int(-8)),
        ("0_7", Int(7)),
        ("00", Int(0)),
        ("-0", Int(0)),
        ("+1", Int(1)),
        ("0x1F", Int(31)),
        ("-0x10", Int(-16)),
        ("0x_1F", Int(31)),
        ("0b101", Int(5)),
        ("1_000", Int(1000)),
        ("1_", Int(1)),
        ("1:30", Int(90)),
        ("-1:30", Int(-90)),
        ("1:5", Int(65)),
        ("190:20:30", Int(685_230)),
        ("9223372036854775807", Int(i64::MAX)),
        ("18446744073709551616", Float(18_446_744_073_709_551_616.0)),
        ("1:30.5", Float(90.5)),
        ("12:30:45.5", Float(45_045.5)),
        (".5", Float(0.5)),
        ("1.", Float(1.0)),
        ("0.", Float(0.0)),
        ("1.0", Float(1.0)),
        ("1._5", Float(1.5)),
        ("1_0.5", Float(10.5)),
        ("1.0e+3", Float(1000.0)),
        ("1.5E+2", Float(150.0)),
        ("1.5e-3", Float(0.0015)),
        (".5e+3", Float(500.0)),
        ("1.0e+400", Float(f64::INFINITY)),
        ("+.inf", Float(f64::INFINITY)),
        ("-.INF", Float(f64::NEG_INFINITY)),
        ("Yes", Bool(true)),
        ("OFF", Bool(false)),
    ];
    #[test]
    fn plain_scalars_are_what_pyyaml_makes_of_them() {
        for (text, number) in SCALARS {
            assert_eq!(plain(text).as_ref(), Some(number), "{text}");
        }
        assert!(matches!(plain(".nan"), Some(Float(number)) if number.is_nan()));
    }

    #[test]
    fn what_pyyaml_takes_for_a_text_is_one() {
        for text in [
            "",
            "0o10",
            "0O17",
            "08",
            "018",
            "_1",
            "0x",
            "0b",
            "1e3",
            "1e400",
            "1e+3",
            "1.0e3",
            ".",
            ".e+3",
            "._5",
            "1.2.3",
            "1:60",
            "01:30",
            "1d",
            "inf",
            "nan",
            "yEs",
            "y",
            "n",
            "-",
            "+",
            "--1",
            "+-1",
            "0x+1",
            "0b-1",
            "2001-01-01",
            "1:",
            ":30",
            "localhost:80",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
