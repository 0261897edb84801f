//! Times as documents and answers spell them, and the clock that tells them.
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC, from milliseconds since 1970: `2026-11-22T06:05:00.120000Z`, as LiteLLM's rows
/// have it. Times outside of the calendar are its ends.
#[must_use]
pub fn iso(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis);
    let end = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.6}", time.unwrap_or(end))
}

/// Milliseconds since 1970 of a time with or without an offset (then it is UTC), or of the
/// beginning of a day.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_millisecond());
    }
    let at = |time: jiff::civil::DateTime| time.to_zoned(TimeZone::UTC).ok();
    let time = text.parse::<jiff::civil::DateTime>().ok().and_then(at)?;
    Some(time.timestamp().as_millisecond())
}

/// The day in UTC of a time in milliseconds since 1970: `2026-11-22`.
#[must_use]
pub fn day(millis: i64) -> String {
    let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    date(time).to_string()
}

fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// The days between two times of one calendar, as `/spend/logs` counts them.
#[must_use]
pub fn days_between(start: i64, end: i64) -> i64 {
    let of = |millis| Timestamp::from_millisecond(millis).map(date).ok();
    let (Some(start), Some(end)) = (of(start), of(end)) else { return 0 };
    start.until((Unit::Day, end)).map_or(0, |span| span.get_days().into())
}

#[cfg(test)]
mod tests {
    use super::{day, days_between, iso, parse};

    #[test]
    fn times_are_read_as_they_are_written() {
        let millis = parse("2026-11-22T06:05:00.120Z").unwrap();
        assert_eq!(iso(millis), "2026-11-22T06:05:00.120000Z");
        assert_eq!(parse(&iso(millis)), Some(millis));
        assert_eq!(day(millis), "2026-11-22");
        assert_eq!(parse("2026-11-22T07:05:00.120+01:00"), Some(millis));
        assert_eq!(parse("2026-11-22 06:05:00.120"), Some(millis));
        assert_eq!(parse("2026-11-22").map(iso).as_deref(), Some("2026-11-22T00:00:00.000000Z"));
        for text in ["", "soon", "2026-13-01", "2026-02-30", "30d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let at = |text| parse(text).unwrap();
        assert_eq!(days_between(at("2026-02-27T23:00:00Z"), at("2026-03-01T01:00:00Z")), 2);
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(iso(i64::MAX).get(..4), Some("9999"));
    }
}
