//! The windows of budgets, aligned with the calendar (contract 7.3).
#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

const DAY: i64 = 86_400;
/// Days from the first of March in the year 0 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// How long a budget lasts. Parsed from LiteLLM's durations: `30s`, `5m`, `1h`, `7d`, `2w`, `1mo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BudgetWindow {
    /// Ends at multiples of so many seconds since midnight.
    Seconds(NonZeroU32),
    /// Ends at midnight, so many days after today's. One of 7 days ends on Monday, one of 30 days
    /// with the month.
    Days(NonZeroU32),
    /// Ends with so many months, the present one included.
    Months(NonZeroU32),
}

impl BudgetWindow {
    /// Until midnight.
    pub const DAY: Self = Self::Days(NonZeroU32::MIN);
    /// Until the first of the next month.
    pub const MONTH: Self = Self::Months(NonZeroU32::MIN);

    /// When the window ends that is open at `now`: always later. Both are seconds since 1970, UTC.
    #[must_use]
    pub fn end(self, now: i64, zone: &Zone) -> i64 {
        let local = self.local_end(now + zone.offset(now));
        zone.when(local, now).max(now + 1)
    }

    /// The same in the wall time of a zone.
    fn local_end(self, now: i64) -> i64 {
        let today = now.div_euclid(DAY);
        match self {
            Self::Seconds(every) => {
                let every = i64::from(every.get());
                today * DAY + (now.rem_euclid(DAY) / every + 1) * every
            }
            // 1970 began on a Thursday.
            Self::Days(days) if days.get() == 7 => (today + 7 - (today + 3).rem_euclid(7)) * DAY,
            Self::Days(days) if days.get() == 30 => Self::MONTH.local_end(now),
            Self::Days(days) => (today + i64::from(days.get())) * DAY,
            Self::Months(months) => first_day(month(today) + i64::from(months.get())) * DAY,
        }
    }
}

/// The month of a day that is counted from 1970-01-01: counted from March of the year 0, so that
/// the leap day is the last of its year.
fn month(day: i64) -> i64 {
    let (era, day) = ((day + EPOCH).div_euclid(ERA), (day + EPOCH).rem_euclid(ERA));
    // The last days of 4, 100 and 400 years belong to the year before.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - first_of_year(year);
    (era * 400 + year) * 12 + (5 * day_of_year + 2) / 153
}

/// The first day of a month, the other way round. Five months from March have 153 days.
fn first_day(month: i64) -> i64 {
    first_of_year(month.div_euclid(12)) + (153 * month.rem_euclid(12) + 2) / 5 - EPOCH
}

/// Days in so many years, each from March.
fn first_of_year(year: i64) -> i64 {
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)
}

/// It is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number above 0 and one of s, m, h, d, w, mo, such as 30d")]
pub struct WindowError;

impl FromStr for BudgetWindow {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = text.strip_suffix(unit).unwrap_or_default();
        let number: NonZeroU32 = number.parse().map_err(|_| WindowError)?;
        let times = |factor| NonZeroU32::new(factor).and_then(|factor| number.checked_mul(factor));
        let window = match unit {
            "s" => Some(Self::Seconds(number)),
            "m" => times(60).map(Self::Seconds),
            "h" => times(3_600).map(Self::Seconds),
            "d" => Some(Self::Days(number)),
            "w" => times(7).map(Self::Days),
            "mo" => Some(Self::Months(number)),
            _ => None,
        };
        window.ok_or(WindowError)
    }
}

/// How far a place's clocks are ahead of UTC.
#[derive(Clone, Default)]
pub enum Zone {
    /// Not at all.
    #[default]
    Utc,
    /// Always by so many seconds.
    Fixed(i32),
    /// By so many seconds at a time that is told in seconds since 1970, UTC.
    Rules(Arc<dyn Fn(i64) -> i32 + Send + Sync>),
}

impl Zone {
    /// When clocks that are read `now` show the wall time `local` for the last time; where they
    /// are set forward over it, when that is done.
    fn when(&self, local: i64, now: i64) -> i64 {
        let before = local - self.offset(now);
        let offset = self.offset(before);
        let after = local - offset;
        if self.offset(after) == offset {
            return after;
        }
        // The wall time is skipped somewhere between these.
        let (mut early, mut late) = (after, before);
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if self.offset(middle) == offset { late = middle } else { early = middle }
        }
        late
    }

    fn offset(&self, now: i64) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Fixed(offset) => i64::from(*offset),
            Self::Rules(offset) => i64::from(offset(now)),
        }
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("Utc"),
            Self::Fixed(offset) => f.debug_tuple("Fixed").field(offset).finish(),
            Self::Rules(_) => f.write_str("Rules"),
        }
    }
}
