//! LiteLLM's headers about limits (contract 7.4), without a string or an allocation for each.
use crate::facts::{Measure, Scope};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

/// What one limit's headers tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) scope: Scope,
    pub(super) measure: Measure,
    pub(super) most: u64,
    pub(super) remaining: u64,
}

/// Hands `x-ratelimit-<scope>-limit-<measure>` and `-remaining-<measure>` of all that is `told` to
/// `set`.
pub(super) fn tell(
    told: impl Iterator<Item = Told> + Clone,
    set: &mut dyn FnMut(&HeaderName, HeaderValue),
) {
    let mut digits = Digits::default();
    for Told { remaining, .. } in told.clone() {
        digits.push(remaining);
    }
    if digits.len == 0 {
        return;
    }
    let mut text = Bytes::from_owner(digits);
    for Told { scope, measure, most, remaining } in told {
        let [limit, left] = &NAMES[scope as usize][measure as usize];
        set(limit, written(most));
        set(left, value(&mut text, remaining));
    }
}

/// A request fact: what the answer to a call is to tell of its limits. Who makes the answer may set
/// it with the other headers; see [`tell_early`](super::RateLimitLayer::tell_early).
#[derive(Clone, Debug, Default)]
pub struct LimitHeaders(Vec<Shown>);

/// Headers of one layer.
pub(super) type Shown = Arc<[(HeaderName, HeaderValue)]>;

impl LimitHeaders {
    /// The headers, outermost layer first.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().flat_map(|shown| shown.iter().map(|(name, value)| (name, value)))
    }

    pub(super) fn push(&mut self, shown: Shown) {
        self.0.push(shown);
    }
}

/// Sets headers that an answer has not got from inside.
pub(super) fn show(shown: &Shown, headers: &mut HeaderMap) {
    let Some((first, told)) = shown.first() else { return };
    let is_ours = |value: &HeaderValue| ptr::eq(value.as_bytes(), told.as_bytes());
    if headers.get(first).is_some_and(is_ours) {
        return;
    }
    for (name, value) in shown.iter() {
        headers.insert(name, value.clone());
    }
}

/// Values of limits, each at its remainder: there are few limits, and they seldom change.
type Written = [Option<(u64, HeaderValue)>; 31];

thread_local! {
    static WRITTEN: RefCell<Written> = const { RefCell::new([const { None }; 31]) };
}

/// The value of a limit, which is written once.
fn written(most: u64) -> HeaderValue {
    WRITTEN.with_borrow_mut(|known| match &mut known[(most % 31) as usize] {
        Some((number, value)) if *number == most => value.clone(),
        place => place.insert((most, most.into())).1.clone(),
    })
}

/// The next value of `text`, which is `number`.
fn value(text: &mut Bytes, number: u64) -> HeaderValue {
    let len = width(number);
    if text.len() < len {
        return number.into();
    }
    let digits = text.split_to(len);
    HeaderValue::from_maybe_shared(digits).expect("digits are a header value")
}

/// Numbers one after the other, so that the values of one call share one allocation.
#[derive(Debug)]
struct Digits {
    text: [u8; 64],
    len: usize,
    full: bool,
}

impl Default for Digits {
    fn default() -> Self {
        Self { text: [0; 64], len: 0, full: false }
    }
}

impl Digits {
    /// Appends `number`. After one that has no room, none is appended any more.
    fn push(&mut self, mut number: u64) {
        let end = self.len + width(number);
        self.full |= end > self.text.len();
        if self.full {
            return;
        }
        let (first, pairs) = self.text[self.len..end].as_rchunks_mut();
        for pair in pairs.iter_mut().rev() {
            let last = (number % 100) as u8;
            *pair = [b'0' + last / 10, b'0' + last % 10];
            number /= 100;
        }
        if let [first] = first {
            *first = b'0' + number as u8;
        }
        self.len = end;
    }
}

impl AsRef<[u8]> for Digits {
    fn as_ref(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

/// How many digits `number` has.
const fn width(number: u64) -> usize {
    match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// The names of a limit and of what is left of it, for each measure.
type Names = [[HeaderName; 2]; 3];

macro_rules! names {
    ($scope:literal) => {
        [
            names!($scope, "requests"),
            names!($scope, "tokens"),
            names!($scope, "max_parallel_requests"),
        ]
    };
    ($scope:literal, $measure:literal) => {
        [
            HeaderName::from_static(concat!("x-ratelimit-", $scope, "-limit-", $measure)),
            HeaderName::from_static(concat!("x-ratelimit-", $scope, "-remaining-", $measure)),
        ]
    };
}

/// By [`Scope`], in its order.
static NAMES: [Names; 12] = [
    names!("global"),
    names!("api_key"),
    names!("model_per_key"),
    names!("user"),
    names!("team"),
    names!("team_member"),
    names!("organization"),
    names!("end_user"),
    names!("tag"),
    names!("model"),
    names!("deployment"),
    names!("provider"),
];

#[cfg(test)]
mod tests {
    use super::{NAMES, Told, tell};
    use crate::facts::{Measure, Scope};
    use http::HeaderMap;
    use proptest::prelude::*;

    const SCOPES: [Scope; 12] = [
        Scope::Global,
        Scope::Key,
        Scope::ModelPerKey,
        Scope::User,
        Scope::Team,
        Scope::TeamMember,
        Scope::Organization,
        Scope::EndUser,
        Scope::Tag,
        Scope::Model,
        Scope::Deployment,
        Scope::Provider,
    ];
    const MEASURES: [Measure; 3] = [Measure::Requests, Measure::Tokens, Measure::Parallel];

    #[test]
    fn names_are_those_of_scopes_and_measures() {
        for (scope, names) in SCOPES.into_iter().zip(&NAMES) {
            for (measure, [limit, left]) in MEASURES.into_iter().zip(names) {
                let (scope, measure) = (scope.name(), measure.name());
                assert_eq!(limit.as_str(), format!("x-ratelimit-{scope}-limit-{measure}"));
                assert_eq!(left.as_str(), format!("x-ratelimit-{scope}-remaining-{measure}"));
            }
        }
    }

    proptest! {
        #[test]
        fn every_number_is_told(numbers: [(u64, u64); 8], small: bool) {
            let shrink = |number| if small { number % 1000 } else { number };
            let told = SCOPES.into_iter().zip(numbers).map(|(scope, (most, remaining))| Told {
                scope,
                measure: Measure::Tokens,
                most: shrink(most),
                remaining: shrink(remaining),
            });
            let mut headers = HeaderMap::new();
            for _ in 0..2 {
                tell(told.clone(), &mut |name, value| {
                    headers.insert(name, value);
                });
            }
            for Told { scope, most, remaining, .. } in told {
                let scope = scope.name();
                let of = |kind| &headers[format!("x-ratelimit-{scope}-{kind}-tokens")];
                prop_assert_eq!(of("limit"), &most.to_string());
                prop_assert_eq!(of("remaining"), &remaining.to_string());
            }
        }
    }
}
