use super::MemoryLimiter;
use crate::facts::{Amount, Call, Estimate, Limit, Measure, Principal, Scope, Usage};
use crate::ratelimit::{Grant, Limiter, PrincipalLimits, RateLimitError, Rules};
use http::{Extensions, HeaderMap};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

#[tokio::test]
async fn two_layers_share_the_limits_of_a_principal() {
    let early =
        |limit: &Limit| limit.measure == Measure::Requests && limit.scope != Scope::ModelPerKey;
    let first = MemoryLimiter::new(PrincipalLimits.only(early));
    let per_model = |subject: &str| Limit { subject: subject.into(), ..of(Scope::ModelPerKey, 1) };
    let second = first.sharing(PrincipalLimits.only(move |limit| !early(limit)));
    let limits = [requests(5), tokens(100), per_model("alice:gpt"), per_model("alice:other")];
    let principal = Principal { limits: limits.into(), ..Principal::new("alice", "alice") };
    let mut facts = Extensions::new();
    facts.insert(principal);
    let calls = first.admit(&facts).await.unwrap();
    assert_eq!(told(&calls), 2);
    facts.insert(Call { group: "gpt".into(), stream: false, end_user: None });
    let rest = second.admit(&facts).await.unwrap();
    assert_eq!(told(&rest), 4);
    assert!(second.admit(&facts).await.is_err());
    facts.insert(Call { group: "other".into(), stream: false, end_user: None });
    second.admit(&facts).await.unwrap();
}

#[tokio::test]
async fn closures_and_pairs_are_rules() {
    let by_group = |facts: &Extensions, visit: &mut dyn FnMut(&Limit)| {
        if let Some(call) = facts.get::<Call>() {
            visit(&Limit { subject: call.group.clone(), ..of(Scope::Model, 1) });
        }
    };
    let all: Arc<[Limit]> = [requests(2)].into();
    let limiter = MemoryLimiter::new((all, by_group));
    let mut facts = Extensions::new();
    limiter.admit(&facts).await.unwrap();
    facts.insert(Call { group: "gpt".into(), stream: false, end_user: None });
    limiter.admit(&facts).await.unwrap();
    let RateLimitError::Exceeded(exceeded) = limiter.admit(&facts).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(exceeded.limit.scope, Scope::Key);
}

proptest! {
    #[test]
    fn calls_that_end_in_any_order_leave_nothing_open(
        ends in vec((0_usize..9, 0_i64..50, any::<bool>()), 1..40),
        most in 1_u64..5,
    ) {
        let limits = [parallel(most), tokens(5000), requests(20)];
        let limiter = MemoryLimiter::new(Arc::from(limits.clone()));
        let mut facts = Extensions::new();
        let likely = Amount { tokens: 7, ..Amount::default() };
        facts.insert(Estimate { likely, most: None });
        let (mut open, mut used, mut calls) = (Vec::new(), 0, 0);
        for (which, tokens, settled) in ends {
            let fits = open.len() < most as usize && calls < 20;
            let admitted = limiter.admit(&facts).into_inner();
            prop_assert_eq!(admitted.is_ok(), fits);
            if let Ok(grant) = admitted {
                open.push(grant);
                calls += 1;
            } else if !open.is_empty() {
                let grant = open.swap_remove(which % open.len());
                if settled {
                    grant.settle(Some(&Usage::tokens(tokens, 0)));
                    used += tokens as u64;
                }
            }
        }
        drop(open);
        let left = limits.map(|limit| limiter.remaining(&limit));
        prop_assert_eq!(left, [most, 5000 - used, 20 - calls]);
    }
}

/// How many headers tell of it.
fn told(grant: &impl Grant) -> usize {
    let mut headers = HeaderMap::new();
    grant.headers(&mut |name, value| drop(headers.insert(name, value)));
    headers.len()
}

fn of(scope: Scope, most: u64) -> Limit {
    Limit { scope, subject: "alice".into(), measure: Measure::Requests, most }
}

fn requests(most: u64) -> Limit {
    of(Scope::Key, most)
}

fn tokens(most: u64) -> Limit {
    Limit { measure: Measure::Tokens, ..requests(most) }
}

fn parallel(most: u64) -> Limit {
    Limit { measure: Measure::Parallel, ..requests(most) }
}
