//! Which groups may answer in the place of which (contract 5.4).
use crate::facts::Cause;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where a call may go instead.
#[derive(Clone)]
pub struct Target {
    /// The model group.
    pub group: Arc<str>,
    /// Parameters that the request gets for it, in the terms of the
    /// [`Policy`](super::Policy) that redirects it; `None` leaves them as they are.
    pub params: Option<Arc<dyn Any + Send + Sync>>,
}

impl Target {
    /// A group, with the request's own parameters.
    pub fn new(group: impl Into<Arc<str>>) -> Self {
        Self { group: group.into(), params: None }
    }

    /// With other parameters.
    #[must_use]
    pub fn with_params(self, params: impl Any + Send + Sync) -> Self {
        Self { params: Some(Arc::new(params)), ..self }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.params.is_some() { " with parameters" } else { "" };
        write!(f, "{}{more}", self.group)
    }
}

/// The fallbacks of all groups, by cause and in order.
#[derive(Clone, Debug)]
pub struct Plan {
    general: Lists,
    context: Lists,
    content: Lists,
    default: Arc<[Target]>,
    depth: usize,
}

type Lists = HashMap<Arc<str>, Arc<[Target]>>;

impl Default for Plan {
    /// No fallbacks, and a depth of 5.
    fn default() -> Self {
        let [general, context, content] = [Lists::new(), Lists::new(), Lists::new()];
        Self { general, context, content, default: Arc::new([]), depth: 5 }
    }
}

impl Plan {
    /// What may answer for `group` whatever the failure (`fallbacks`).
    #[must_use]
    pub fn general(
        mut self,
        group: impl Into<Arc<str>>,
        targets: impl Into<Arc<[Target]>>,
    ) -> Self {
        self.general.insert(group.into(), targets.into());
        self
    }

    /// What may answer for `group` where a prompt is too long (`context_window_fallbacks`). Once
    /// any group has such a list, those without one have no fallback for long prompts.
    #[must_use]
    pub fn context(
        mut self,
        group: impl Into<Arc<str>>,
        targets: impl Into<Arc<[Target]>>,
    ) -> Self {
        self.context.insert(group.into(), targets.into());
        self
    }

    /// What may answer for `group` where a provider's policy refuses
    /// (`content_policy_fallbacks`). Once any group has such a list, those without one have no
    /// fallback for refusals.
    #[must_use]
    pub fn content(
        mut self,
        group: impl Into<Arc<str>>,
        targets: impl Into<Arc<[Target]>>,
    ) -> Self {
        self.content.insert(group.into(), targets.into());
        self
    }

    /// What may answer for any group that has no list of its own (`default_fallbacks`, `"*"`).
    #[must_use]
    pub fn any(self, targets: impl Into<Arc<[Target]>>) -> Self {
        Self { default: targets.into(), ..self }
    }

    /// How many fallbacks may follow from one another (`max_fallbacks`): 5 by default, 0 for none
    /// at all.
    #[must_use]
    pub const fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    pub(super) const fn max_depth(&self) -> usize {
        self.depth
    }

    /// What may answer for `group` whatever the failure: its list, that of its name without the
    /// provider, or what may answer for any.
    #[must_use]
    pub fn for_any_cause(&self, group: &str) -> &Arc<[Target]> {
        let stripped = || self.general.get(group.split_once('/')?.1);
        self.general.get(group).or_else(stripped).unwrap_or(&self.default)
    }

    /// What may answer for `group` where a prompt is too long.
    #[must_use]
    pub fn for_long_prompts(&self, group: &str) -> Option<&Arc<[Target]>> {
        special(&self.context, group).unwrap_or_else(|| Some(self.for_any_cause(group)))
    }

    /// What may answer for `group` where a provider's policy refuses.
    #[must_use]
    pub fn for_refusals(&self, group: &str) -> Option<&Arc<[Target]>> {
        special(&self.content, group).unwrap_or_else(|| Some(self.for_any_cause(group)))
    }

    /// Whether any group has a list for long prompts.
    #[must_use]
    pub fn has_context(&self) -> bool {
        !self.context.is_empty()
    }

    /// Whether any group has a list for refusals.
    #[must_use]
    pub fn has_content(&self) -> bool {
        !self.content.is_empty()
    }

    /// What may answer for `group` where it failed for `cause`; what the request asks for goes
    /// before the plan.
    pub(super) fn targets<'a>(
        &'a self,
        group: &str,
        cause: Cause,
        asked: Option<&'a FallbackOverride>,
    ) -> Option<&'a Arc<[Target]>> {
        let asked = |list: fn(&FallbackOverride) -> &Option<Arc<[Target]>>| list(asked?).as_ref();
        let special = match cause {
            Cause::ContextTooLong => asked(|asked| &asked.context),
            Cause::ContentFilter => asked(|asked| &asked.content),
            _ => None,
        };
        special.or_else(|| asked(|asked| &asked.general)).or_else(|| match cause {
            Cause::ContextTooLong => self.for_long_prompts(group),
            Cause::ContentFilter => self.for_refusals(group),
            _ => Some(self.for_any_cause(group)),
        })
    }

    /// Whether any failure of `group` leads elsewhere.
    pub(super) fn applies(&self, group: &str, asked: Option<&FallbackOverride>) -> bool {
        if self.depth == 0 || asked.is_some_and(|asked| asked.disabled) {
            return false;
        }
        [Cause::Outage, Cause::ContextTooLong, Cause::ContentFilter].into_iter().any(|cause| {
            self.targets(group, cause, asked).is_some_and(|targets| !targets.is_empty())
        })
    }
}

/// The list of `group` among lists for one cause; `None` where there are no such lists at all.
fn special<'a>(lists: &'a Lists, group: &str) -> Option<Option<&'a Arc<[Target]>>> {
    (!lists.is_empty()).then(|| lists.get(group))
}

/// The fallbacks that a request asks for (LiteLLM's `fallbacks`, `context_window_fallbacks` and
/// `disable_fallbacks` in a body). A request fact, written by ingest; absent means that the
/// [`Plan`] holds. Its lists hold for the groups of the plan too that it leads to.
#[derive(Clone, Debug, Default)]
pub struct FallbackOverride {
    /// Whatever the failure, before any list of the plan.
    pub general: Option<Arc<[Target]>>,
    /// Where the prompt is too long, before `general`.
    pub context: Option<Arc<[Target]>>,
    /// Where a provider's policy refuses, before `general`.
    pub content: Option<Arc<[Target]>>,
    /// No fallbacks at all.
    pub disabled: bool,
}
