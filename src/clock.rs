//! Times as documents and answers spell them, and the clock that tells them.
use arc_swap::ArcSwapOption;
use bartizan_layers::cost::{BudgetWindow, Zone};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// The zone of this process's clock; none is UTC.
static ZONE: ArcSwapOption<TimeZone> = ArcSwapOption::const_empty();

/// The same as budgets have it: it follows when another one is set.
static FOLLOWED: LazyLock<Zone> = LazyLock::new(|| {
    Zone::Rules(Arc::new(|at| ZONE.load().as_deref().map_or(0, |zone| offset(zone, at))))
});

/// Seconds that `zone` is ahead of UTC at a time in seconds since 1970.
fn offset(zone: &TimeZone, at: i64) -> i32 {
    let end = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_offset(Timestamp::from_second(at).unwrap_or(end)).seconds()
}

/// Whether there is a zone of that name in the IANA database, which is a part of the program.
#[must_use]
pub fn knows_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// Sets the zone in which days begin, by its name in the IANA database; `None` and what nobody
/// knows is UTC.
pub fn set_zone(name: Option<&str>) {
    ZONE.store(name.and_then(|name| TimeZone::get(name).ok()).map(Arc::new));
}

/// The zone in which days begin, as it is set at any time.
#[must_use]
pub fn zone() -> Zone {
    FOLLOWED.clone()
}

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Month {
    /// Which day of it a time is in, from 1.
    pub day: i64,
    /// How many days it has.
    pub days: i64,
    /// When it ends, in seconds since 1970.
    pub end: i64,
}

/// The month that a time is in, in seconds since 1970.
#[must_use]
pub fn month(at: i64) -> Month {
    let zone = ZONE.load().as_deref().map_or(0, |zone| offset(zone, at).into());
    let local = Timestamp::from_second(at.saturating_add(zone)).unwrap_or(Timestamp::UNIX_EPOCH);
    let today = date(local);
    let (day, days) = (today.day().into(), today.days_in_month().into());
    Month { day, days, end: window_end(BudgetWindow::MONTH, at) }
}

/// When the window of a budget ends that is open at `now`: both in seconds since 1970.
#[must_use]
pub fn window_end(window: BudgetWindow, now: i64) -> i64 {
    window.end(now, &FOLLOWED)
}

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
    use super::{day, days_between, iso, knows_zone, offset, parse};
    use bartizan_layers::cost::{BudgetWindow, Zone};
    use jiff::tz::TimeZone;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
    use proptest::sample::select;
    use std::sync::Arc;

    fn zone(name: &str) -> Zone {
        let zone = TimeZone::get(name).unwrap();
        Zone::Rules(Arc::new(move |at| offset(&zone, at)))
    }

    fn end(window: &str, now: &str, place: &str) -> String {
        let window: BudgetWindow = window.parse().unwrap();
        iso(window.end(parse(now).unwrap() / 1000, &zone(place)) * 1000)
    }

    #[test]
    fn windows_end_at_the_midnight_of_a_place() {
        for (window, now, place, wanted) in [
            ("1d", "2026-06-01T21:59:59Z", "Europe/Berlin", "2026-06-01T22:00:00"),
            ("1d", "2026-06-01T22:00:00Z", "Europe/Berlin", "2026-06-02T22:00:00"),
            ("7d", "2026-06-03T12:00:00Z", "America/New_York", "2026-06-08T04:00:00"),
            ("30d", "2026-02-10T12:00:00Z", "Asia/Kolkata", "2026-02-28T18:30:00"),
            ("1mo", "2026-10-10T12:00:00Z", "Europe/Berlin", "2026-10-31T23:00:00"),
            // Days of 23 and of 25 hours.
            ("1d", "2026-03-28T23:00:00Z", "Europe/Berlin", "2026-03-29T22:00:00"),
            ("1d", "2026-10-24T22:00:00Z", "Europe/Berlin", "2026-10-25T23:00:00"),
            // Clocks are set forward at midnight: there is none.
            ("1d", "2026-04-23T12:00:00Z", "Africa/Cairo", "2026-04-23T22:00:00"),
            ("1d", "2026-04-23T22:00:00Z", "Africa/Cairo", "2026-04-24T21:00:00"),
        ] {
            assert_eq!(end(window, now, place), format!("{wanted}.000000Z"), "{window} {now}");
        }
    }

    #[test]
    fn only_places_have_zones() {
        for (name, known) in [
            ("Europe/Berlin", true),
            ("america/new_york", true),
            ("UTC", true),
            ("Etc/GMT+5", true),
            ("Berlin", false),
            ("CET1", false),
            ("+02:00", false),
            ("", false),
        ] {
            assert_eq!(knows_zone(name), known, "{name}");
        }
    }

    /// Places that differ in all that zones can differ in: half hours, changes at midnight, by half
    /// an hour, over the year's end, none, and two midnights in one night.
    const PLACES: [&str; 10] = [
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/Santiago",
        "Asia/Beirut",
    ];

    proptest! {
        #[test]
        fn a_window_is_one_for_all_that_is_in_it(
            window in windows(),
            place in select(PLACES.to_vec()),
            now in 0_i64..2_500_000_000,
            part in 0_i64..1000,
        ) {
            let zone = zone(place);
            let end = window.end(now, &zone);
            prop_assert!(end > now);
            let between = now + (end - now - 1) * part / 1000;
            prop_assert_eq!(window.end(between, &zone), end);
            prop_assert!(window.end(end, &zone) > end);
        }

        #[test]
        fn a_day_has_as_many_hours_as_in_that_place(
            place in select(PLACES.to_vec()),
            now in 1_420_000_000_i64..2_500_000_000,
        ) {
            let zone = zone(place);
            let begin = BudgetWindow::DAY.end(now, &zone);
            let end = BudgetWindow::DAY.end(begin, &zone);
            prop_assert!((23 * 3600..=25 * 3600).contains(&(end - begin)), "{} s", end - begin);
        }
    }

    fn windows() -> impl Strategy<Value = BudgetWindow> {
        let texts = vec!["1s", "30s", "5m", "45m", "1h", "6h", "12h", "1d", "7d", "30d", "1mo"];
        select(texts).prop_map(|text| text.parse().unwrap())
    }

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
