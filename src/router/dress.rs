//! The headers of answers (contract 8.1).
//!
//! An upstream sends the same headers in the same order nearly always. What becomes of them is
//! worked out once for each such order, as a map that only lacks values, and copied for each
//! answer: no name is hashed, no place looked for.
use crate::telemetry::RequestId;
use bartizan_layers::ratelimit::LimitHeaders;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::sync::{Arc, PoisonError, RwLock};

/// Orders of names that are kept. An upstream that invents names only makes itself slow.
const MOST_PLANS: usize = 8;

/// Makes the headers of a deployment's answers.
#[derive(Debug)]
pub(super) struct Dresser {
    /// What each answer carries.
    own: Vec<(HeaderName, HeaderValue)>,
    plans: RwLock<Vec<Arc<Plan>>>,
}

/// What an answer tells about its call, in the order of [`Told::NAMES`].
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) call_id: Option<HeaderValue>,
    pub(super) overhead: Option<HeaderValue>,
    pub(super) duration: Option<HeaderValue>,
    pub(super) cost: Option<HeaderValue>,
}

impl Told {
    const NAMES: [HeaderName; 4] = [
        RequestId::HEADER,
        HeaderName::from_static("x-litellm-overhead-duration-ms"),
        HeaderName::from_static("x-litellm-response-duration-ms"),
        HeaderName::from_static("x-litellm-response-cost"),
    ];

    fn values(self) -> [Option<HeaderValue>; 4] {
        [self.call_id, self.overhead, self.duration, self.cost]
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const UPSTREAM_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What an upstream says about its own host: cookies and other protocols are not the client's.
const UPSTREAMS_OWN: [HeaderName; 3] =
    [header::SET_COOKIE, HeaderName::from_static("alt-svc"), header::STRICT_TRANSPORT_SECURITY];

/// What becomes of one order of names.
#[derive(Debug)]
struct Plan {
    /// The upstream's names, one for each value.
    theirs: Vec<HeaderName>,
    /// Which parts of [`Told`] are there.
    told: [bool; 4],
    /// The names of limits.
    limits: Vec<HeaderName>,
    /// The answer's headers; values that come from elsewhere are empty.
    map: HeaderMap,
    /// Where each value of `map` comes from, in its order, up to the last that is not there yet.
    sources: Vec<Source>,
}

#[derive(Clone, Debug)]
enum Source {
    /// From the upstream, by place.
    Theirs(usize),
    /// From [`Told`], by place.
    Told(usize),
    /// From the limits of the call, one after the other.
    Limit,
    /// The same in each answer.
    Own(HeaderValue),
}

impl Dresser {
    /// For answers that carry `own` besides what is told and what the upstream sent.
    pub(super) fn new(own: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { own, plans: RwLock::default() }
    }

    /// Tells in which region the deployment is as well, if that is known.
    pub(super) fn region(mut self, region: Option<&str>) -> Self {
        let name = HeaderName::from_static("x-litellm-model-region");
        let value = region.and_then(|region| HeaderValue::from_str(region).ok());
        self.own.extend(value.map(|value| (name, value)));
        self
    }

    /// The headers of an answer whose upstream sent `theirs`, hop-by-hop headers taken out.
    pub(super) fn dress(
        &self,
        theirs: &HeaderMap,
        told: Told,
        limits: Option<&LimitHeaders>,
    ) -> HeaderMap {
        let told = told.values();
        let known = self.plans.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = known.iter().find(|plan| plan.fits(theirs, &told, limits)) {
            return plan.fill(theirs, told, limits);
        }
        drop(known);
        let plan = Arc::new(Plan::new(theirs, &told, &self.own, limits));
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() == MOST_PLANS {
            plans.remove(0);
        }
        plans.push(Arc::clone(&plan));
        drop(plans);
        plan.fill(theirs, told, limits)
    }
}

/// The headers that tell of limits, in their order.
fn of(limits: Option<&LimitHeaders>) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    limits.into_iter().flat_map(LimitHeaders::iter)
}

impl Plan {
    fn new(
        theirs: &HeaderMap,
        told: &[Option<HeaderValue>; 4],
        own: &[(HeaderName, HeaderValue)],
        limits: Option<&LimitHeaders>,
    ) -> Self {
        let mut all = sources(theirs, told, own);
        for (name, _) in of(limits) {
            // Ours wins, and stands in its order behind all others.
            all.remove(name);
            all.insert(name, Source::Limit);
        }
        let mut map = HeaderMap::with_capacity(all.len());
        for (name, source) in &all {
            let value = match source {
                Source::Own(value) => value.clone(),
                _ => HeaderValue::from_static(""),
            };
            map.append(name, value);
        }
        let mut sources: Vec<_> = all.into_iter().map(|(_, source)| source).collect();
        let missing = sources.iter().rposition(|source| !matches!(source, Source::Own(_)));
        sources.truncate(missing.map_or(0, |at| at + 1));
        Self {
            theirs: theirs.iter().map(|(name, _)| name.clone()).collect(),
            told: told.each_ref().map(Option::is_some),
            limits: of(limits).map(|(name, _)| name.clone()).collect(),
            map,
            sources,
        }
    }

    fn fits(
        &self,
        theirs: &HeaderMap,
        told: &[Option<HeaderValue>; 4],
        limits: Option<&LimitHeaders>,
    ) -> bool {
        self.theirs.len() == theirs.len()
            && self.told == told.each_ref().map(Option::is_some)
            && theirs.iter().zip(&self.theirs).all(|((name, _), known)| name == known)
            && of(limits).map(|(name, _)| name).eq(&self.limits)
    }

    fn fill(
        &self,
        theirs: &HeaderMap,
        mut told: [Option<HeaderValue>; 4],
        limits: Option<&LimitHeaders>,
    ) -> HeaderMap {
        let theirs: Vec<&HeaderValue> = theirs.values().collect();
        let (mut map, mut limits) = (self.map.clone(), of(limits));
        for (value, source) in map.values_mut().zip(&self.sources) {
            let found = match source {
                Source::Own(_) => continue,
                Source::Theirs(at) => theirs.get(*at).map(|value| (*value).clone()),
                Source::Told(at) => told.get_mut(*at).and_then(Option::take),
                Source::Limit => limits.next().map(|(_, value)| value.clone()),
            };
            if let Some(found) = found {
                *value = found;
            }
        }
        map
    }
}

/// The names of an answer, and where their values come from: the upstream's own, the same again
/// under `llm_provider-…`, then what is ours, which wins.
fn sources(
    theirs: &HeaderMap,
    told: &[Option<HeaderValue>; 4],
    own: &[(HeaderName, HeaderValue)],
) -> HeaderMap<Source> {
    let names = theirs.iter().map(|(name, _)| name).enumerate();
    let names: Vec<_> = names.filter(|(_, name)| !UPSTREAMS_OWN.contains(name)).collect();
    let mut all = HeaderMap::with_capacity(2 * names.len() + own.len() + Told::NAMES.len() + 1);
    // Which pages may read an answer is for us to say, not for the upstream.
    let plain = names.iter().filter(|(_, name)| !name.as_str().starts_with("access-control-"));
    for (at, name) in plain {
        all.append(*name, Source::Theirs(*at));
    }
    if let Some(id) = all.get(UPSTREAM_ID).cloned() {
        all.insert(REQUEST_ID, id);
    }
    for (at, name) in &names {
        if let Ok(prefixed) = HeaderName::try_from(format!("llm_provider-{name}")) {
            all.append(prefixed, Source::Theirs(*at));
        }
    }
    for (at, (name, value)) in Told::NAMES.into_iter().zip(told).enumerate() {
        if value.is_some() {
            all.insert(name, Source::Told(at));
        }
    }
    for (name, value) in own {
        all.insert(name, Source::Own(value.clone()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Dresser, MOST_PLANS, Told};
    use http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn dresser() -> Dresser {
        let own = ("x-litellm-model-id", "mine");
        Dresser::new(vec![(HeaderName::from_static(own.0), HeaderValue::from_static(own.1))])
    }

    fn told(id: &str) -> Told {
        Told { call_id: HeaderValue::from_str(id).ok(), ..Told::default() }
    }

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::try_from(*name).unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn an_answer_has_its_upstreams_headers_twice_and_ours_once() {
        let theirs = map(&[
            ("x-request-id", "r1"),
            ("set-cookie", "a=b"),
            ("x-litellm-model-id", "theirs"),
            ("via", "one"),
            ("via", "two"),
        ]);
        let expected = map(&[
            ("x-request-id", "r1"),
            ("request-id", "r1"),
            ("via", "one"),
            ("via", "two"),
            ("llm_provider-x-request-id", "r1"),
            ("llm_provider-x-litellm-model-id", "theirs"),
            ("llm_provider-via", "one"),
            ("llm_provider-via", "two"),
            ("x-litellm-model-id", "mine"),
            ("x-litellm-call-id", "c"),
        ]);
        let dresser = dresser();
        for _ in 0..2 {
            assert_eq!(dresser.dress(&theirs, told("c"), None), expected);
        }
    }

    #[test]
    fn what_is_told_may_differ_from_answer_to_answer() {
        let dresser = dresser();
        let theirs = map(&[("content-type", "text/plain")]);
        let cost = || Told { cost: Some(HeaderValue::from_static("0.1")), ..told("c") };
        for _ in 0..2 {
            assert!(
                !dresser.dress(&theirs, told("c"), None).contains_key("x-litellm-response-cost")
            );
            assert_eq!(dresser.dress(&theirs, cost(), None)["x-litellm-response-cost"], "0.1");
        }
    }

    proptest! {
        #[test]
        fn a_kept_plan_gives_what_a_new_one_gives(
            answers in prop::collection::vec(
                prop::collection::vec(("[abv]|via|x-request-id", "[a-z]{0,3}"), 0..6),
                1..3 * MOST_PLANS,
            ),
        ) {
            let kept = dresser();
            for (at, pairs) in answers.iter().enumerate() {
                let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                let (theirs, id) = (map(&pairs), at.to_string());
                prop_assert_eq!(
                    kept.dress(&theirs, told(&id), None),
                    dresser().dress(&theirs, told(&id), None)
                );
            }
        }
    }
}
