//! How often a failed call is tried again, and how long is waited before that.
use super::fields::Check;
use super::load::Sections;
use super::yaml::{Kind, Node};
use std::collections::BTreeMap;
use std::time::Duration;

/// Numbers by class of error, in LiteLLM's classes. What is `None` was not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByError {
    /// The request was wrong (400, 404, 422).
    pub bad_request: Option<u32>,
    /// The credential was refused (401, 403).
    pub authentication: Option<u32>,
    /// Time ran out (408).
    pub timeout: Option<u32>,
    /// Too many calls or tokens (429).
    pub rate_limit: Option<u32>,
    /// The provider's policy refused.
    pub content_policy: Option<u32>,
    /// The provider failed (500 and above).
    pub internal_server: Option<u32>,
}

/// Retries by class of error.
pub type RetryPolicy = ByError;

/// Retries inside one model group (contract 2.5, 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often a failed call is tried again: `router_settings.num_retries`, else that of
    /// `litellm_settings`. Default 2.
    pub num_retries: u32,
    /// How long is waited at least. Default 0.
    pub retry_after: Duration,
    /// `retry_policy`: comes before `num_retries`.
    pub policy: RetryPolicy,
    /// `model_group_retry_policy`: comes before `policy`, for one group each.
    pub groups: BTreeMap<String, RetryPolicy>,
    /// How long is waited before the first retry; each later one waits twice as long as the one
    /// before it. Default 0.5 s.
    pub base_delay: Duration,
    /// The most that doubling leads to. Default 8 s.
    pub max_delay: Duration,
    /// A longer `Retry-After` of an upstream is not waited for. Default 60 s.
    pub max_retry_after: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            num_retries: 2,
            retry_after: Duration::ZERO,
            policy: RetryPolicy::default(),
            groups: BTreeMap::new(),
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
        }
    }
}

/// The keys of a retry policy, by class.
const RETRIES: [&str; 6] = [
    "BadRequestErrorRetries",
    "AuthenticationErrorRetries",
    "TimeoutErrorRetries",
    "RateLimitErrorRetries",
    "ContentPolicyViolationErrorRetries",
    "InternalServerErrorRetries",
];

impl Check<'_> {
    pub(super) fn retries(&mut self, sections: &Sections<'_>) -> Retries {
        let Sections { litellm, router, .. } = *sections;
        let plain = Retries::default();
        let told = self.count(router, "num_retries");
        let nothing = Node { kind: Kind::Map(Vec::new()), place: router.place };
        let policy = self.section(router, "retry_policy").unwrap_or(&nothing);
        Retries {
            num_retries: told
                .or_else(|| self.count(litellm, "num_retries"))
                .unwrap_or(plain.num_retries),
            retry_after: self.wait(router, "retry_after").unwrap_or(plain.retry_after),
            policy: self.by_error(policy, RETRIES),
            groups: self.group_policies(router),
            base_delay: self.wait(policy, "base_delay").unwrap_or(plain.base_delay),
            max_delay: self.wait(policy, "max_delay").unwrap_or(plain.max_delay),
            max_retry_after: self.wait(router, "max_retry_after").unwrap_or(plain.max_retry_after),
        }
    }

    /// `max_retries` in a group's policy stands for the classes that it does not name.
    fn group_policies(&mut self, router: &Node) -> BTreeMap<String, RetryPolicy> {
        let mut groups = BTreeMap::new();
        let maps = self.section(router, "model_group_retry_policy");
        for (group, policy) in maps.into_iter().flat_map(Node::entries) {
            let Some(group) = group.as_text() else { continue };
            let told = self.by_error(policy, RETRIES);
            let rest = self.count(policy, "max_retries");
            groups.insert(group, told.or(rest));
            for key in ["base_delay", "max_delay"] {
                let Some(node) = policy.get(key).filter(|node| !node.is_null()) else { continue };
                let message = format!("`{key}` has no effect for one group");
                self.warn(node, message, "write it below `router_settings.retry_policy`, for all");
            }
        }
        groups
    }

    /// The numbers of a map with one of these keys for each class.
    pub(super) fn by_error(&mut self, map: &Node, keys: [&str; 6]) -> ByError {
        let [bad_request, authentication, timeout, rate_limit, content_policy, internal_server] =
            keys.map(|key| self.count(map, key));
        ByError {
            bad_request,
            authentication,
            timeout,
            rate_limit,
            content_policy,
            internal_server,
        }
    }
}

impl ByError {
    /// With one number for all classes that have none.
    fn or(self, rest: Option<u32>) -> Self {
        Self {
            bad_request: self.bad_request.or(rest),
            authentication: self.authentication.or(rest),
            timeout: self.timeout.or(rest),
            rate_limit: self.rate_limit.or(rest),
            content_policy: self.content_policy.or(rest),
            internal_server: self.internal_server.or(rest),
        }
    }
}
