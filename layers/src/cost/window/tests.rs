use super::{BudgetWindow, DAY, Zone, first_day, month};
use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;
use std::sync::Arc;

/// 2026-02-27, a Friday, 13:14:15.
const NOW: i64 = 20_511 * DAY + 13 * 3600 + 14 * 60 + 15;

#[test]
fn windows_end_with_the_calendar() {
    let midnight = NOW - NOW % DAY;
    for (window, end) in [
        ("1s", NOW + 1),
        ("30s", NOW + 15),
        ("5m", NOW + 45),
        ("1h", midnight + 14 * 3600),
        ("12h", midnight + DAY),
        ("48h", midnight + 2 * DAY),
        ("1d", midnight + DAY),
        ("2d", midnight + 2 * DAY),
        ("7d", midnight + 3 * DAY),
        ("1w", midnight + 3 * DAY),
        ("2w", midnight + 14 * DAY),
        ("30d", midnight + 2 * DAY),
        ("1mo", midnight + 2 * DAY),
        ("2mo", midnight + (2 + 31) * DAY),
        ("11mo", midnight + (2 + 306) * DAY),
    ] {
        assert_eq!(end_of(window, NOW, &Zone::Utc), end, "{window}");
    }
}

#[test]
fn a_window_that_ends_now_is_followed_by_the_next() {
    let monday = 20_514 * DAY;
    assert_eq!(end_of("7d", monday - 1, &Zone::Utc), monday);
    assert_eq!(end_of("7d", monday, &Zone::Utc), monday + 7 * DAY);
    assert_eq!(end_of("1d", monday, &Zone::Utc), monday + DAY);
}

#[test]
fn days_begin_at_the_midnight_of_the_zone() {
    let midnight = NOW - NOW % DAY;
    assert_eq!(end_of("1d", NOW, &Zone::Fixed(3600)), midnight + DAY - 3600);
    // There it is tomorrow already.
    assert_eq!(end_of("1d", NOW, &Zone::Fixed(11 * 3600)), midnight + 2 * DAY - 11 * 3600);
    assert_eq!(end_of("1mo", NOW, &Zone::Fixed(-3600)), midnight + 2 * DAY + 3600);
}

#[test]
fn a_day_on_which_clocks_are_changed_ends_at_its_own_midnight() {
    // Central Europe, 2026-03-29 and 2026-10-25, each at 01:00 UTC.
    let (spring, autumn) = (20_541 * DAY + 3600, 20_751 * DAY + 3600);
    let summer = move |now| if (spring..autumn).contains(&now) { 7200 } else { 3600 };
    let zone = Zone::Rules(Arc::new(summer));
    let short = end_of("1d", spring - 7200, &zone);
    assert_eq!(short, 20_541 * DAY + 22 * 3600);
    let long = end_of("1d", autumn - 7200, &zone);
    assert_eq!(long, 20_751 * DAY + 23 * 3600);
}

#[test]
fn a_window_whose_end_is_skipped_ends_when_clocks_are_set_forward() {
    // As in Cairo, at midnight; as in Berlin, from two to three.
    let change = 20_541 * DAY;
    let zone = Zone::Rules(Arc::new(move |now| if now < change { 0 } else { 3600 }));
    for before in [1, 1800, 3600, 80_000] {
        assert_eq!(end_of("1d", change - before, &zone), change);
    }
    assert_eq!(end_of("1d", change, &zone), change + DAY - 3600);
    let change = 20_541 * DAY + 2 * 3600;
    let zone = Zone::Rules(Arc::new(move |now| if now < change { 0 } else { 3600 }));
    assert_eq!(end_of("1h", change - 1, &zone), change);
    assert_eq!(end_of("45m", change - 1, &zone), change);
    assert_eq!(end_of("45m", change, &zone), change + 45 * 60);
}

#[test]
fn only_durations_are_windows() {
    for text in ["", "d", "30", "0d", "-1d", "+1d", "1.5h", "1 d", "1y", "1D", "5000000000s", "é"]
    {
        assert!(text.parse::<BudgetWindow>().is_err(), "{text}");
    }
    assert_eq!("1d".parse(), Ok(BudgetWindow::DAY));
    assert_eq!("1mo".parse(), Ok(BudgetWindow::MONTH));
    assert_eq!("60s".parse::<BudgetWindow>(), "1m".parse());
}

#[test]
fn months_are_as_long_as_in_the_calendar() {
    let mut day = 0;
    for year in 1970..2500 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            assert_eq!(first_day(month(day)), day, "in {year}");
            assert_eq!(first_day(month(day + days - 1)), day, "in {year}");
            day += days;
        }
    }
}

proptest! {
    #[test]
    fn a_window_ends_later_and_at_the_same_time_for_all_that_is_in_it(
        window in aligned(),
        now in -1_i64 << 40..1 << 40,
        part in 0_i64..1000,
        ahead in -50_000..50_000,
    ) {
        let zone = Zone::Fixed(ahead);
        let end = window.end(now, &zone);
        prop_assert!(end > now);
        let between = now + (end - now) * part / 1000;
        prop_assert_eq!(window.end(between, &zone), end);
    }

    #[test]
    fn no_number_is_too_large(number in 1_u32.., unit in "s|m|h|d|w|mo") {
        if let Ok(window) = format!("{number}{unit}").parse::<BudgetWindow>() {
            prop_assert!(window.end(NOW, &Zone::Utc) > NOW);
        }
    }
}

fn aligned() -> impl Strategy<Value = BudgetWindow> {
    let texts = vec!["1s", "30s", "5m", "1h", "6h", "1d", "7d", "30d", "1mo"];
    select(texts).prop_map(|text| text.parse().unwrap())
}

fn end_of(window: &str, now: i64, zone: &Zone) -> i64 {
    window.parse::<BudgetWindow>().unwrap().end(now, zone)
}
