//! Which failures are tried again, and how often (contract 5.2).
use super::{Failure, Group, RetryBudget};
use crate::facts::{Cause, Fault};

/// What holds for the retries of a call.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How many attempts may follow the first, where nothing else says so; 2 by default.
    pub retries: u32,
    /// How many may follow failures of some kinds, whatever is usual for these.
    pub by_class: ByClass,
    /// The most that a deployment of the group asks for by a count of its own
    /// ([`DeploymentRetries`](super::DeploymentRetries)); none by default. None is granted more
    /// than the largest count here.
    pub deployments: u32,
    /// Whether only such attempts are repeated of which the provider has seen nothing: for
    /// operations that must not happen twice. Off by default: a model may be asked twice.
    pub only_unsent: bool,
    /// What the group may spend on retries; `None` for no bound, which is the default.
    pub budget: Option<RetryBudget>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            retries: 2,
            by_class: ByClass::default(),
            deployments: 0,
            only_unsent: false,
            budget: None,
        }
    }
}

/// Counts of retries by the kind of failure: LiteLLM's `retry_policy`. A kind that has one is
/// tried again so often, also where it usually is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByClass {
    /// The request is wrong (`BadRequestErrorRetries`).
    pub bad_request: Option<u32>,
    /// The credential was refused (`AuthenticationErrorRetries`).
    pub authentication: Option<u32>,
    /// It took too long (`TimeoutErrorRetries`).
    pub timeout: Option<u32>,
    /// Too many calls (`RateLimitErrorRetries`).
    pub rate_limit: Option<u32>,
    /// The provider's policy refuses (`ContentPolicyViolationErrorRetries`); where it has no
    /// count, [`bad_request`](Self::bad_request) holds, as LiteLLM's classes do.
    pub content_policy: Option<u32>,
    /// The provider is broken, busy or out of reach (`InternalServerErrorRetries`).
    pub internal_server: Option<u32>,
}

impl ByClass {
    /// The count for failures like `fault`.
    #[must_use]
    pub fn count(&self, fault: &Fault) -> Option<u32> {
        match fault.cause {
            Cause::BadCredential => self.authentication,
            Cause::Timeout => self.timeout,
            Cause::RateLimit => self.rate_limit,
            Cause::Quota if fault.status.as_u16() == 429 => self.rate_limit,
            Cause::ContentFilter => self.content_policy.or(self.bad_request),
            Cause::ContextTooLong | Cause::Invalid => self.bad_request,
            Cause::Overload | Cause::Outage | Cause::Network => self.internal_server,
            Cause::Quota | Cause::Permission | Cause::NotFound => None,
        }
    }

    fn most(&self) -> u32 {
        let all = [
            self.bad_request,
            self.authentication,
            self.timeout,
            self.rate_limit,
            self.content_policy,
            self.internal_server,
        ];
        all.into_iter().flatten().max().unwrap_or(0)
    }
}

impl Rules {
    /// The most retries that any failures can lead to; `asked` is what the request says.
    #[must_use]
    pub fn most(&self, asked: Option<u32>) -> u32 {
        asked.unwrap_or_else(|| self.retries.max(self.by_class.most()).max(self.deployments))
    }

    /// How many retries there may be after `failure`, in a group that stands like this; 0 if it
    /// is none that another attempt could mend. The first that has a count decides: the request
    /// (`asked`), the deployment that failed, the kind of failure, the rule for all.
    #[must_use]
    pub fn count(&self, asked: Option<u32>, failure: &Failure, group: &Group) -> u32 {
        let own = failure.retries.map(|own| own.min(self.most(None)));
        let unless_by_class = asked.or(own);
        if self.only_unsent && !failure.fault.unsent {
            return 0;
        }
        // Its breaker, or its queue: the same one would refuse again.
        if failure.fault.refused && group.deployments <= 1 {
            return 0;
        }
        match self.by_class.count(&failure.fault) {
            Some(count) if unless_by_class.is_none() => count,
            _ if mends(&failure.fault, group) => unless_by_class.unwrap_or(self.retries),
            _ => 0,
        }
    }
}

/// Whether another attempt in `group` may end better.
fn mends(fault: &Fault, group: &Group) -> bool {
    let in_vain = match fault.cause {
        Cause::ContextTooLong => group.fallbacks.context,
        Cause::ContentFilter => group.fallbacks.content,
        _ => false,
    };
    let retried = match fault.status.as_u16() {
        408 | 409 | 429 | 500.. => true,
        401 | 403 => group.deployments > 1,
        _ => false,
    };
    // This is where a rate limit leaves for a fallback at once: nobody is left to ask.
    retried && !in_vain && group.healthy > 0
}

#[cfg(test)]
mod tests {
    use super::super::{Failure, Fallbacks, Group};
    use super::{ByClass, Rules};
    use crate::facts::{Cause, Fault};
    use http::StatusCode;

    const PAIR: Group = Group { deployments: 2, healthy: 2, ..Group::single() };

    #[test]
    fn what_may_pass_is_tried_again() {
        for status in [408, 409, 429, 500, 501, 502, 503, 504, 520, 529] {
            assert_eq!(retries(status, &Group::single()), 2, "{status}");
        }
    }

    #[test]
    fn what_would_fail_again_is_not() {
        for status in [400, 402, 404, 405, 410, 413, 415, 422, 424, 451] {
            assert_eq!(retries(status, &PAIR), 0, "{status}");
        }
    }

    #[test]
    fn a_refused_credential_is_tried_again_where_there_is_another_one() {
        for status in [401, 403] {
            assert_eq!(retries(status, &Group::single()), 0, "{status}");
            assert_eq!(retries(status, &PAIR), 2, "{status}");
        }
    }

    #[test]
    fn a_failure_with_fallbacks_of_its_own_is_left_to_them() {
        let context = Fallbacks { context: true, content: false };
        let content = Fallbacks { context: false, content: true };
        for (cause, fallbacks, expected) in [
            (Cause::ContextTooLong, Fallbacks::default(), 2),
            (Cause::ContextTooLong, content, 2),
            (Cause::ContextTooLong, context, 0),
            (Cause::ContentFilter, Fallbacks::default(), 2),
            (Cause::ContentFilter, context, 2),
            (Cause::ContentFilter, content, 0),
            (Cause::Outage, Fallbacks { context: true, content: true }, 2),
        ] {
            let failure = failure(cause, 500);
            let group = Group { fallbacks, ..PAIR };
            let count = Rules::default().count(None, &failure, &group);
            assert_eq!(count, expected, "{cause:?} with {fallbacks:?}");
        }
    }

    #[test]
    fn nothing_is_tried_where_nothing_is_healthy() {
        for status in [408, 429, 500] {
            assert_eq!(retries(status, &Group { healthy: 0, ..PAIR }), 0, "{status}");
        }
    }

    #[test]
    fn each_kind_of_failure_has_its_own_count() {
        let by_class = ByClass {
            bad_request: Some(1),
            authentication: Some(2),
            timeout: Some(3),
            rate_limit: Some(4),
            content_policy: Some(5),
            internal_server: Some(6),
        };
        for (cause, status, count) in [
            (Cause::Invalid, 400, Some(1)),
            (Cause::ContextTooLong, 400, Some(1)),
            (Cause::BadCredential, 401, Some(2)),
            (Cause::Timeout, 408, Some(3)),
            (Cause::RateLimit, 429, Some(4)),
            (Cause::Quota, 429, Some(4)),
            (Cause::ContentFilter, 400, Some(5)),
            (Cause::Outage, 500, Some(6)),
            (Cause::Overload, 529, Some(6)),
            (Cause::Network, 500, Some(6)),
            (Cause::Quota, 402, None),
            (Cause::Permission, 403, None),
            (Cause::NotFound, 404, None),
        ] {
            assert_eq!(by_class.count(&failure(cause, status).fault), count, "{cause:?} {status}");
        }
        let without = ByClass { content_policy: None, ..by_class };
        assert_eq!(without.count(&failure(Cause::ContentFilter, 400).fault), Some(1));
    }

    #[test]
    fn a_kind_with_a_count_is_tried_whatever_is_usual() {
        let by_class = ByClass { bad_request: Some(3), rate_limit: Some(0), ..ByClass::default() };
        let rules = Rules { by_class, ..Rules::default() };
        let nobody = Group { healthy: 0, ..Group::single() };
        assert_eq!(rules.count(None, &failure(Cause::Invalid, 400), &nobody), 3);
        assert_eq!(rules.count(None, &failure(Cause::RateLimit, 429), &PAIR), 0);
        assert_eq!(rules.count(None, &failure(Cause::Outage, 500), &PAIR), 2);
    }

    #[test]
    fn the_request_counts_before_the_deployment_that_before_the_kind_and_that_before_the_rest() {
        let by_class = ByClass { internal_server: Some(4), ..ByClass::default() };
        let rules = Rules { by_class, deployments: 9, ..Rules::default() };
        let plain = Rules::default();
        let outage = failure(Cause::Outage, 500);
        let own = Failure { retries: Some(3), ..outage.clone() };
        assert_eq!(rules.count(Some(7), &own, &PAIR), 7);
        assert_eq!(rules.count(None, &own, &PAIR), 3);
        assert_eq!(rules.count(None, &outage, &PAIR), 4);
        assert_eq!(plain.count(None, &outage, &PAIR), 2);
        assert_eq!((rules.most(Some(7)), rules.most(None), plain.most(None)), (7, 9, 2));
        assert_eq!(plain.count(None, &own, &PAIR), 2, "more than any rule grants");
    }

    #[test]
    fn what_must_not_happen_twice_is_repeated_only_if_it_was_never_sent() {
        let rules = Rules { only_unsent: true, ..Rules::default() };
        let mut lost = failure(Cause::Network, 500);
        assert_eq!(rules.count(None, &lost, &PAIR), 0);
        lost.fault.unsent = true;
        assert_eq!(rules.count(None, &lost, &PAIR), 2);
    }

    #[test]
    fn what_this_side_refused_is_tried_elsewhere_or_not_at_all() {
        let by_class = ByClass { internal_server: Some(4), ..ByClass::default() };
        for rules in [Rules::default(), Rules { by_class, ..Rules::default() }] {
            let refused = Failure { fault: Fault::REFUSED, deployment: None, retries: None };
            assert_eq!(rules.count(None, &refused, &Group::single()), 0);
            assert_eq!(rules.count(Some(7), &refused, &Group::single()), 0);
            assert_eq!(rules.count(None, &refused, &PAIR), rules.most(None));
        }
    }

    fn retries(status: u16, group: &Group) -> u32 {
        let cause = Cause::of(StatusCode::from_u16(status).unwrap());
        Rules::default().count(None, &failure(cause, status), group)
    }

    fn failure(cause: Cause, status: u16) -> Failure {
        let fault = Fault::new(cause, StatusCode::from_u16(status).unwrap());
        Failure { fault, deployment: None, retries: None }
    }
}
