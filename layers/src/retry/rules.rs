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
    /// ([`DeploymentRetries`](super::DeploymentRetries)); none by default, and no more than this
    /// is granted.
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
        let own = failure.retries.map(|own| own.min(self.deployments));
        let unless_by_class = asked.or(own);
        if self.only_unsent && !failure.fault.unsent {
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
