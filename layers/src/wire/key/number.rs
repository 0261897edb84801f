//! Writes numbers by their value.

/// Writes the JSON number `text`: a tag, its sign, its power of ten, and its digits without zeros
/// at either end. `None` if it is none, or its power is beyond all sense.
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
    let start = out.len();
    out.extend_from_slice(&[b'n', u8::from(negative)]);
    let head = out.len();
    out.extend_from_slice(&[0; 12]);
    let digits = whole.iter().chain(fraction).skip_while(|digit| **digit == b'0');
    out.extend(digits);
    let kept = out[head + 12..].iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    if kept == 0 {
        out.truncate(start);
        out.push(b'z');
        return Some(());
    }
    let zeros = i64::try_from(out.len() - head - 12 - kept).ok()?;
    out.truncate(head + 12 + kept);
    let power = power.checked_add(zeros)?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    out[head..head + 8].copy_from_slice(&power.to_le_bytes());
    out[head + 8..head + 12].copy_from_slice(&u32::try_from(kept).ok()?.to_le_bytes());
    Some(())
}

fn exponent(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let size: i64 = is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok())??;
    Some(if text.starts_with(b"-") { -size } else { size })
}
