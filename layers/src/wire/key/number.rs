//! Writes numbers by their value.

/// Writes the JSON number `text`: a tag that tells its sign, its power of ten, and its digits
/// without zeros at either end. `None` if it is none, or its power is beyond all sense.
pub(super) fn write(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (negative, unsigned) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mark = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (decimal, power) = match mark {
        Some(mark) => (&unsigned[..mark], exponent(&unsigned[mark + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match decimal.iter().position(|byte| *byte == b'.') {
        Some(point) => (&decimal[..point], Some(&decimal[point + 1..])),
        None => (decimal, None),
    };
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let zero_first = whole.len() > 1 && whole.starts_with(b"0");
    if !is_number(whole) || zero_first || !fraction.is_none_or(is_number) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let digits = || whole.iter().chain(fraction);
    let zeros = digits().take_while(|digit| **digit == b'0').count();
    let all = whole.len() + fraction.len();
    if zeros == all {
        out.push(b'z');
        return Some(());
    }
    let behind = digits().rev().take_while(|digit| **digit == b'0').count();
    let kept = all - zeros - behind;
    let power = power.checked_add(i64::try_from(behind).ok()?)?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    out.push(if negative { b'm' } else { b'n' });
    // Small ones of either sign are short.
    count((power.unsigned_abs() << 1) | u64::from(power < 0), out);
    count(kept as u64, out);
    out.extend(digits().skip(zeros).take(kept));
    Some(())
}

/// Writes a count in sevens of bits, the lowest first; the last has no high bit.
fn count(mut count: u64, out: &mut Vec<u8>) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

fn exponent(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let size: i64 = is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok())??;
    Some(if text.starts_with(b"-") { -size } else { size })
}
