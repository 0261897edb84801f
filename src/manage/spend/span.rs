//! From when until when.
use crate::clock;
use crate::manage::Refusal;

const DAY: i64 = 86_400_000;

/// A time in milliseconds since 1970. As an end, a date alone is the end of its day.
fn time(name: &str, text: &str, is_end: bool) -> Result<i64, Refusal> {
    let millis = clock::parse(text).ok_or_else(|| {
        let message = format!("`{text}` is no date: write YYYY-MM-DD, or YYYY-MM-DD HH:MM:SS.");
        Refusal::bad_request(message).param(name)
    })?;
    Ok(if is_end { millis + if text.trim().len() <= 10 { DAY } else { 1 } } else { millis })
}

/// The beginning and the end, the latter not included, where they are told.
pub(super) fn times(
    start: Option<&str>,
    end: Option<&str>,
) -> Result<(Option<i64>, Option<i64>), Refusal> {
    let start = start.map(|text| time("start_date", text, false)).transpose()?;
    let end = end.map(|text| time("end_date", text, true)).transpose()?;
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        let message = "`end_date` is before `start_date`.";
        return Err(Refusal::bad_request(message).param("end_date"));
    }
    Ok((start, end))
}

/// The first and the last day; without them those of the last `days` days.
pub(super) fn days(
    start: Option<&str>,
    end: Option<&str>,
    days: i64,
) -> Result<(String, String), Refusal> {
    let (start, end) = times(start, end)?;
    let end = end.map_or_else(clock::now, |end| end - 1);
    let start = start.unwrap_or(end - (days - 1) * DAY);
    Ok((clock::day(start), clock::day(end)))
}

/// All days from one to another.
pub(super) fn between(from: &str, to: &str) -> Vec<String> {
    let (Some(from), Some(to)) = (clock::parse(from), clock::parse(to)) else { return vec![] };
    // Whoever asks for a century gets its first ten years.
    (0..3660).map(|day| from + day * DAY).take_while(|at| *at <= to).map(clock::day).collect()
}

#[cfg(test)]
mod tests {
    use super::{between, days, times};

    #[test]
    fn a_date_alone_ends_with_its_day_and_a_time_with_itself() {
        let (from, to) = times(Some("2026-11-22"), Some("2026-11-22")).unwrap();
        assert_eq!(to.unwrap() - from.unwrap(), 86_400_000);
        let (from, to) = times(Some("2026-11-22"), Some("2026-11-22 00:00:00")).unwrap();
        assert_eq!(to.unwrap() - from.unwrap(), 1);
        assert!(times(Some("2026-11-22"), Some("2026-11-21")).is_err());
        assert!(times(Some("soon"), None).is_err());
    }

    #[test]
    fn days_are_counted_with_both_ends() {
        let (from, to) = days(Some("2026-02-27"), Some("2026-03-01"), 30).unwrap();
        assert_eq!(between(&from, &to), ["2026-02-27", "2026-02-28", "2026-03-01"]);
        let (from, to) = days(None, Some("2026-03-01"), 2).unwrap();
        assert_eq!(between(&from, &to), ["2026-02-28", "2026-03-01"]);
    }
}
