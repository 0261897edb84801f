//! Spans and times of day as headers and errors write them.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A span such as `1s`, `6m0s`, `20ms`, `1h2m3.5s` at the begin of `text`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let (mut rest, mut sum) = (text, None);
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let Ok(count) = number.parse::<f64>() else { return sum };
        let (unit, len) = match behind.as_bytes() {
            [b'm', b's', ..] => (0.001, 2),
            [b's', ..] => (1.0, 1),
            [b'm', ..] => (60.0, 1),
            [b'h', ..] => (3600.0, 1),
            [b'd', ..] => (86_400.0, 1),
            _ => return sum,
        };
        let more = Duration::try_from_secs_f64(count * unit).ok()?;
        sum = Some(sum.unwrap_or(Duration::ZERO).saturating_add(more));
        rest = behind.get(len..)?;
    }
}

/// How long it is until a moment that is written as a span, in seconds, in seconds or milliseconds
/// since 1970, or as an RFC 3339 time.
pub(super) fn moment(text: &str, now: SystemTime) -> Option<Duration> {
    let until = |time: SystemTime| time.duration_since(now).unwrap_or_default();
    if let Ok(number) = text.parse::<f64>() {
        let from_1970 =
            |seconds| Some(until(UNIX_EPOCH + Duration::try_from_secs_f64(seconds).ok()?));
        return match number {
            1e12.. => from_1970(number / 1000.0).filter(|_| number < 1e15),
            1e9.. => from_1970(number),
            _ => Duration::try_from_secs_f64(number).ok(),
        };
    }
    span(text).or_else(|| rfc_3339(text).map(until))
}

/// The time of an HTTP date: RFC 9110 5.6.7, the form that senders must use.
pub(super) fn http_date(text: &str) -> Option<SystemTime> {
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let year = words.next()?.parse().ok()?;
    let seconds = clock(words.next()?)?;
    (words.next() == Some("GMT")).then_some(())?;
    time([year, month as u64, day], seconds)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time of an RFC 3339 text.
fn rfc_3339(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let date = [date.next()??, date.next()??, date.next()??];
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock_text, zone) = rest.split_at(zone);
    let (clock_text, fraction) = clock_text.split_once('.').unwrap_or((clock_text, "0"));
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let time =
        time(date, clock(clock_text)?)?.checked_add(Duration::try_from_secs_f64(fraction).ok()?)?;
    let offset = match zone.get(1..) {
        None | Some("") => 0,
        Some(offset) => clock(&format!("{offset}:00"))?,
    };
    let offset = Duration::from_secs(offset);
    if zone.starts_with('-') { time.checked_add(offset) } else { time.checked_sub(offset) }
}

/// The seconds of `hh:mm:ss`.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, ':').map(|part| part.parse::<u64>().ok().filter(|it| *it < 61));
    Some((parts.next()?? * 60 + parts.next()??) * 60 + parts.next()??)
}

/// The time at `seconds` of a day (year, month, day).
fn time([year, month, day]: [u64; 3], seconds: u64) -> Option<SystemTime> {
    let sensible =
        (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sensible.then(|| UNIX_EPOCH + Duration::from_secs(days(year, month, day) * 86_400 + seconds))
}

/// The days from 1970 on. Years begin with March here, so that the day of a leap year is their last.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    // 719 468 days from the first of March of the year 0.
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468
}
