//! When a deployment rests after failures, and how long.
use super::fields::Check;
use super::load::Sections;
use super::retries::ByError;
use super::yaml::Node;
use std::time::Duration;

/// Failures by class of error after which a deployment rests.
pub type AllowedFailsPolicy = ByError;

/// Rest after failures, for all deployments (contract 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cooldown {
    /// Failures before a deployment rests; `None` if nobody said so, and the default rules hold.
    pub allowed_fails: Option<u32>,
    /// The same by class of error.
    pub policy: Option<AllowedFailsPolicy>,
    /// How long it rests; zero is never. Default 5 s.
    pub time: Duration,
    /// Whether no deployment ever rests.
    pub disabled: bool,
}

impl Default for Cooldown {
    fn default() -> Self {
        let time = Duration::from_secs(5);
        Self { allowed_fails: None, policy: None, time, disabled: false }
    }
}

/// What a deployment has of its own. It comes before [`Cooldown`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnCooldown {
    /// `cooldown_time`; zero is never.
    pub time: Option<Duration>,
    /// `allowed_fails`.
    pub allowed_fails: Option<u32>,
    /// `allowed_fails_policy`.
    pub policy: Option<AllowedFailsPolicy>,
}

/// The keys of such a policy, by class.
const FAILS: [&str; 6] = [
    "BadRequestErrorAllowedFails",
    "AuthenticationErrorAllowedFails",
    "TimeoutErrorAllowedFails",
    "RateLimitErrorAllowedFails",
    "ContentPolicyViolationErrorAllowedFails",
    "InternalServerErrorAllowedFails",
];

impl Check<'_> {
    pub(super) fn cooldown(&mut self, sections: &Sections<'_>) -> Cooldown {
        let Sections { litellm, router, .. } = *sections;
        let fails = self.count(router, "allowed_fails");
        let time = self.wait(router, "cooldown_time");
        Cooldown {
            allowed_fails: fails.or_else(|| self.count(litellm, "allowed_fails")),
            policy: self.fails_policy(router),
            time: time
                .or_else(|| self.wait(litellm, "cooldown_time"))
                .unwrap_or(Cooldown::default().time),
            disabled: self.flag(router, "disable_cooldowns").unwrap_or(false),
        }
    }

    /// What stands in `litellm_params`, else in `model_info`.
    pub(super) fn own_cooldown(&mut self, params: &Node, info: &Node) -> OwnCooldown {
        let fails = self.count(params, "allowed_fails");
        let time = self.wait(params, "cooldown_time");
        let policy = self.fails_policy(params);
        OwnCooldown {
            time: time.or_else(|| self.wait(info, "cooldown_time")),
            allowed_fails: fails.or_else(|| self.count(info, "allowed_fails")),
            policy: policy.or_else(|| self.fails_policy(info)),
        }
    }

    /// An empty policy is none.
    fn fails_policy(&mut self, map: &Node) -> Option<AllowedFailsPolicy> {
        let policy = self.section(map, "allowed_fails_policy")?;
        Some(self.by_error(policy, FAILS)).filter(|policy| *policy != ByError::default())
    }
}
