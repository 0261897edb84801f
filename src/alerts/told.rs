//! What is there to tell of a budget, and what was told already.
use crate::identity::Money;
use bartizan_layers::facts::{NanoUsd, Scope};
use std::collections::HashMap;

/// Of so many events it is known that they were told.
const MOST: usize = 10_000;

/// What has become of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Crossed {
    /// More is spent than somebody wants to hear of.
    Soft,
    /// At most 15 % are left.
    Fifteen,
    /// At most 5 % are left.
    Five,
    /// All is spent.
    Max,
    /// It will be too much before the month ends.
    Projection,
}

impl Crossed {
    /// What there is to tell when so much is spent.
    pub(super) fn of(money: &Money, spent: NanoUsd) -> impl Iterator<Item = Self> + use<> {
        let soft = money.soft.filter(|soft| spent >= *soft).map(|_| Self::Soft);
        let of_max = |max: NanoUsd| {
            let (max, spent) = (i128::from(max.0), i128::from(spent.0));
            let is_left = |percent: i128| (max - spent) * 100 <= max * percent;
            match spent {
                _ if spent >= max => Some(Self::Max),
                _ if is_left(5) => Some(Self::Five),
                _ if is_left(15) => Some(Self::Fifteen),
                _ => None,
            }
        };
        soft.into_iter().chain(money.max.and_then(of_max))
    }
}

/// A kind of budget, whose it is, and what has become of it.
type Of<'a> = (Scope, &'a str, Crossed);

/// What was told, and until when that holds, in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<(Scope, Box<str>, Crossed), i64>);

impl Told {
    /// Whether nobody was told in this window.
    pub(super) fn is_news(&self, (scope, subject, crossed): Of<'_>, now: i64) -> bool {
        let until = self.0.get(&(scope, subject.into(), crossed));
        until.is_none_or(|until| *until <= now)
    }

    /// Notes that it was told.
    pub(super) fn note(&mut self, (scope, subject, crossed): Of<'_>, until: i64, now: i64) {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() >= MOST {
            // Told twice is better than never.
            self.0.clear();
        }
        self.0.insert((scope, subject.into(), crossed), until);
    }
}

#[cfg(test)]
mod tests {
    use super::{Crossed, MOST, Told};
    use crate::identity::Money;
    use bartizan_layers::facts::{NanoUsd, Scope};

    fn crossed(max: Option<i64>, soft: Option<i64>, spent: i64) -> Vec<Crossed> {
        let (max, soft) = (max.map(NanoUsd), soft.map(NanoUsd));
        Crossed::of(&Money { max, soft, window: None }, NanoUsd(spent)).collect()
    }

    #[test]
    fn a_budget_is_told_of_at_fifteen_and_five_percent_and_when_it_is_spent() {
        for (spent, wanted) in [
            (0, vec![]),
            (84, vec![]),
            (85, vec![Crossed::Fifteen]),
            (94, vec![Crossed::Fifteen]),
            (95, vec![Crossed::Five]),
            (100, vec![Crossed::Max]),
            (i64::MAX, vec![Crossed::Max]),
        ] {
            assert_eq!(crossed(Some(100), None, spent), wanted, "{spent}");
        }
        assert_eq!(crossed(None, Some(5), 5), [Crossed::Soft]);
        assert_eq!(crossed(Some(10), Some(5), 10), [Crossed::Soft, Crossed::Max]);
        assert_eq!(crossed(None, None, 10), []);
        assert_eq!(crossed(Some(0), None, 0), [Crossed::Max]);
    }

    #[test]
    fn a_thing_is_news_once_in_a_window_and_memory_is_bounded() {
        let mut told = Told::default();
        let of = (Scope::Key, "k", Crossed::Max);
        assert!(told.is_news(of, 0));
        told.note(of, 100, 0);
        assert!(!told.is_news(of, 99));
        assert!(told.is_news(of, 100));
        assert!(told.is_news((Scope::Key, "k", Crossed::Five), 0));
        assert!(told.is_news((Scope::Team, "k", Crossed::Max), 0));
        for number in 0..3 * MOST {
            told.note((Scope::Key, &number.to_string(), Crossed::Max), 100, 0);
        }
        assert!(told.0.len() <= MOST);
    }
}
