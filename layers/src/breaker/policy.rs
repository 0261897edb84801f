//! When a deployment is rested, and for how long.
use crate::facts::{Cause, Fault};
use http::StatusCode;
use std::time::Duration;
use std::{error, fmt};
use tokio::time::Instant;

/// Why a call did not reach the deployment. Its source is [`Fault::REFUSED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerError {
    /// The deployment is cooling down.
    Resting {
        /// The end of the cooldown.
        until: Instant,
    },
    /// The cooldown is over, and another call finds out whether the deployment is well.
    Probing,
}

impl fmt::Display for BreakerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resting { .. } => "the deployment is cooling down",
            Self::Probing => "the deployment is being probed",
        })
    }
}

impl error::Error for BreakerError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&Fault::REFUSED)
    }
}

/// When a deployment is rested, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// When.
    pub rule: Rule,
    /// The deployment's own cooldown (`cooldown_time`), which counts more than the provider's
    /// `Retry-After`. Zero: this deployment never rests.
    pub cooldown: Option<Duration>,
    /// The cooldown where neither says one. Zero: it never rests.
    pub default_cooldown: Duration,
    /// Whether failures of the network count under [`Rule::LiteLlm`] and [`Rule::AllowedFails`],
    /// too. LiteLLM's do not (contract 5.3), so that is the default.
    pub network: bool,
}

impl Default for Policy {
    /// LiteLLM's rule, five seconds.
    fn default() -> Self {
        Self::new(Rule::default())
    }
}

impl Policy {
    /// This rule; cooldowns are those of the provider, else five seconds.
    #[must_use]
    pub const fn new(rule: Rule) -> Self {
        let default_cooldown = Duration::from_secs(5);
        Self { rule, cooldown: None, default_cooldown, network: false }
    }

    /// How long to rest after `fault`; `None` means not at all.
    #[must_use]
    pub fn cooldown(&self, fault: &Fault) -> Option<Duration> {
        let told = fault.retry_after.filter(|wait| !wait.is_zero());
        let told = self.cooldown.or_else(|| told.filter(|_| !self.default_cooldown.is_zero()));
        Some(told.unwrap_or(self.default_cooldown)).filter(|time| !time.is_zero())
    }

    /// Whether `fault` speaks against the deployment at all. What this side
    /// [refused](Fault::refused) does not, nor what the client did wrong, unless the rule counts it
    /// by name. A model that there is not is the deployment's fault under LiteLLM's rules alone,
    /// where it has one model; elsewhere the client may have named it.
    #[must_use]
    pub fn counts(&self, fault: &Fault) -> bool {
        match &self.rule {
            Rule::Never => false,
            _ if fault.refused => false,
            Rule::LiteLlm => self.is_eligible(fault),
            Rule::AllowedFails(fails) => fails.named(fault).is_some() || self.is_eligible(fault),
            Rule::Rate { .. } | Rule::Consecutive(_) => {
                !is_clients(fault) && fault.cause != Cause::NotFound
            }
        }
    }

    fn is_eligible(&self, fault: &Fault) -> bool {
        if fault.cause == Cause::Network {
            return self.network;
        }
        let status = fault.status.as_u16();
        !is_clients(fault) && (matches!(status, 401 | 402 | 404 | 408 | 429) || status >= 500)
    }
}

/// The failures after which a deployment is rested.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// None (`disable_cooldowns`).
    Never,
    /// LiteLLM's own (contract 5.3), by statuses 401, 402, 404, 408, 429 and from 500: at once
    /// after 401, 402 and 404, and after 429 if there are others in the group; by more than half of
    /// at least five calls in this minute if there are others; by all of at least a thousand.
    #[default]
    LiteLlm,
    /// More failures than allowed, within one cooldown.
    AllowedFails(AllowedFails),
    /// A share of the calls of the last seconds.
    Rate {
        /// How far back, to a tenth of it.
        window: Duration,
        /// With fewer calls than that, nothing is said.
        min_calls: u32,
        /// More than this share fails: 0.5 is half.
        share: f32,
    },
    /// So many in a row.
    Consecutive(u32),
}

/// How many failures are allowed within one cooldown (`allowed_fails`, `allowed_fails_policy`).
/// All are counted together; the class of the last one says how many are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllowedFails {
    /// Where the class has no number of its own. LiteLLM's default is 3.
    pub any: u32,
    /// `BadRequestErrorAllowedFails`.
    pub bad_request: Option<u32>,
    /// `AuthenticationErrorAllowedFails`.
    pub authentication: Option<u32>,
    /// `TimeoutErrorAllowedFails`.
    pub timeout: Option<u32>,
    /// `RateLimitErrorAllowedFails`.
    pub rate_limit: Option<u32>,
    /// `ContentPolicyViolationErrorAllowedFails`.
    pub content_policy: Option<u32>,
    /// `InternalServerErrorAllowedFails`.
    pub internal_server: Option<u32>,
}

impl Default for AllowedFails {
    fn default() -> Self {
        Self::any(3)
    }
}

impl AllowedFails {
    /// So many of any class.
    #[must_use]
    pub const fn any(any: u32) -> Self {
        Self {
            any,
            bad_request: None,
            authentication: None,
            timeout: None,
            rate_limit: None,
            content_policy: None,
            internal_server: None,
        }
    }

    /// How many are allowed, now that this one came.
    pub(super) fn allowed(&self, fault: &Fault) -> u32 {
        self.named(fault).unwrap_or(self.any)
    }

    /// The number for the class of `fault`, where it has one.
    fn named(&self, fault: &Fault) -> Option<u32> {
        match fault.cause {
            Cause::Network => None,
            Cause::ContentFilter => self.content_policy,
            Cause::Invalid | Cause::ContextTooLong => self.bad_request,
            Cause::BadCredential => self.authentication,
            Cause::Timeout => self.timeout,
            _ if fault.status == StatusCode::TOO_MANY_REQUESTS => self.rate_limit,
            _ if fault.status == StatusCode::INTERNAL_SERVER_ERROR => self.internal_server,
            _ => None,
        }
    }
}

/// Whether the client made the mistake: any deployment would say the same.
pub(super) const fn is_clients(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::Invalid | Cause::ContextTooLong | Cause::ContentFilter)
}
