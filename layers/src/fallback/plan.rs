//! Which groups may answer in the place of which (contract 5.4).
use crate::facts::Cause;
use foldhash::fast::RandomState;
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
    lists: HashMap<Arc<str>, Lists, RandomState>,
    has_context: bool,
    has_content: bool,
    default: Arc<[Target]>,
    depth: usize,
}

/// Those of one group.
#[derive(Clone, Debug, Default)]
struct Lists {
    general: Option<Arc<[Target]>>,
    context: Option<Arc<[Target]>>,
    content: Option<Arc<[Target]>>,
}

impl Default for Plan {
    /// No fallbacks, and a depth of 5.
    fn default() -> Self {
        let (lists, default) = (HashMap::default(), Arc::new([]));
        Self { lists, has_context: false, has_content: false, default, depth: 5 }
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
        self.of(group).general = Some(targets.into());
        self
    }

    /// What may answer for `group` where a prompt is too long (`context_window_fallbacks`); `*` is
    /// any group without a list of its own. Once there is any such list, groups that none is for
    /// have no fallback for long prompts.
    #[must_use]
    pub fn context(
        mut self,
        group: impl Into<Arc<str>>,
        targets: impl Into<Arc<[Target]>>,
    ) -> Self {
        self.of(group).context = Some(targets.into());
        self.has_context = true;
        self
    }

    /// What may answer for `group` where a provider's policy refuses
    /// (`content_policy_fallbacks`); `*` is any group without a list of its own. Once there is any
    /// such list, groups that none is for have no fallback for refusals.
    #[must_use]
    pub fn content(
        mut self,
        group: impl Into<Arc<str>>,
        targets: impl Into<Arc<[Target]>>,
    ) -> Self {
        self.of(group).content = Some(targets.into());
        self.has_content = true;
        self
    }

    fn of(&mut self, group: impl Into<Arc<str>>) -> &mut Lists {
        self.lists.entry(group.into()).or_default()
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
        self.any_cause(group, self.lists.get(group))
    }

    /// What may answer for `group` where a prompt is too long.
    #[must_use]
    pub fn for_long_prompts(&self, group: &str) -> Option<&Arc<[Target]>> {
        self.long_prompts(group, self.lists.get(group))
    }

    /// What may answer for `group` where a provider's policy refuses.
    #[must_use]
    pub fn for_refusals(&self, group: &str) -> Option<&Arc<[Target]>> {
        self.refusals(group, self.lists.get(group))
    }

    fn any_cause<'a>(&'a self, group: &str, own: Option<&'a Lists>) -> &'a Arc<[Target]> {
        let stripped = || {
            let slash = group.bytes().position(|byte| byte == b'/')?;
            self.lists.get(group.get(slash + 1..)?)?.general.as_ref()
        };
        own.and_then(|own| own.general.as_ref()).or_else(stripped).unwrap_or(&self.default)
    }

    fn long_prompts<'a>(
        &'a self,
        group: &str,
        own: Option<&'a Lists>,
    ) -> Option<&'a Arc<[Target]>> {
        match self.has_context {
            true => self.special(own, |lists| lists.context.as_ref()),
            false => Some(self.any_cause(group, own)),
        }
    }

    fn refusals<'a>(&'a self, group: &str, own: Option<&'a Lists>) -> Option<&'a Arc<[Target]>> {
        match self.has_content {
            true => self.special(own, |lists| lists.content.as_ref()),
            false => Some(self.any_cause(group, own)),
        }
    }

    /// A group's own list for one cause, or that of `*`.
    fn special<'a>(
        &'a self,
        own: Option<&'a Lists>,
        list: fn(&Lists) -> Option<&Arc<[Target]>>,
    ) -> Option<&'a Arc<[Target]>> {
        own.and_then(list).or_else(|| self.lists.get("*").and_then(list))
    }

    /// Whether any group has a list for long prompts.
    #[must_use]
    pub const fn has_context(&self) -> bool {
        self.has_context
    }

    /// Whether any group has a list for refusals.
    #[must_use]
    pub const fn has_content(&self) -> bool {
        self.has_content
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
        let leads = |targets: &Arc<[Target]>| !targets.is_empty();
        if self.depth == 0 || asked.is_some_and(|asked| asked.disabled) {
            return false;
        }
        if asked.is_some() {
            let causes = [Cause::Outage, Cause::ContextTooLong, Cause::ContentFilter];
            return causes.into_iter().any(|it| self.targets(group, it, asked).is_some_and(leads));
        }
        // One look for all causes: most calls come here.
        let own = self.lists.get(group);
        leads(self.any_cause(group, own))
            || self.has_context && self.long_prompts(group, own).is_some_and(leads)
            || self.has_content && self.refusals(group, own).is_some_and(leads)
    }
}

/// The fallbacks that a request asks for (LiteLLM's `fallbacks`, `context_window_fallbacks` and
/// `disable_fallbacks` in a body). A request fact, written by ingest; absent means that the
/// [`Plan`] holds. Its lists hold for the groups too that they lead to.
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

impl FallbackOverride {
    /// All groups that the request names.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let lists = [&self.general, &self.context, &self.content];
        lists.into_iter().flatten().flat_map(|list| list.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::{FallbackOverride, Plan, Target};
    use crate::facts::Cause;
    use std::sync::Arc;

    #[test]
    fn a_groups_own_list_goes_before_the_one_for_any() {
        let plan = plan();
        assert_eq!(names(&plan, "gpt-4o", Cause::Outage, None), ["general"]);
        assert_eq!(names(&plan, "other", Cause::Outage, None), ["any"]);
    }

    #[test]
    fn a_name_is_also_looked_for_without_its_provider() {
        let plan = plan().general("groq/gpt-4o", [Target::new("own")]);
        assert_eq!(names(&plan, "openai/gpt-4o", Cause::Outage, None), ["general"]);
        assert_eq!(names(&plan, "groq/gpt-4o", Cause::Outage, None), ["own"]);
        assert_eq!(names(&plan, "openai/other", Cause::Outage, None), ["any"]);
    }

    #[test]
    fn any_failure_leads_to_the_general_list() {
        for cause in [
            Cause::BadCredential,
            Cause::Permission,
            Cause::Quota,
            Cause::RateLimit,
            Cause::Overload,
            Cause::ContextTooLong,
            Cause::ContentFilter,
            Cause::Invalid,
            Cause::NotFound,
            Cause::Timeout,
            Cause::Outage,
            Cause::Network,
        ] {
            assert_eq!(names(&plan(), "gpt-4o", cause, None), ["general"], "{cause:?}");
        }
    }

    #[test]
    fn a_failure_with_lists_of_its_own_goes_by_them_alone() {
        let plan = plan().context("gpt-4o", [Target::new("long")]);
        let plan = plan.content("gpt-4o", [Target::new("lenient")]);
        assert!(plan.has_context() && plan.has_content());
        assert_eq!(names(&plan, "gpt-4o", Cause::ContextTooLong, None), ["long"]);
        assert_eq!(names(&plan, "gpt-4o", Cause::ContentFilter, None), ["lenient"]);
        assert_eq!(names(&plan, "gpt-4o", Cause::Outage, None), ["general"]);
        // There are lists for it, but none for this group: the error is returned.
        assert!(names(&plan, "other", Cause::ContextTooLong, None).is_empty());
        assert!(names(&plan, "other", Cause::ContentFilter, None).is_empty());
        let plan = plan.context("*", [Target::new("longest")]);
        assert_eq!(names(&plan, "gpt-4o", Cause::ContextTooLong, None), ["long"]);
        assert_eq!(names(&plan, "other", Cause::ContextTooLong, None), ["longest"]);
    }

    #[test]
    fn what_the_request_asks_for_goes_first() {
        let plan = plan().context("gpt-4o", [Target::new("long")]);
        let list = |name: &str| Some(Arc::from([Target::new(name)]));
        let general = FallbackOverride { general: list("asked"), ..Default::default() };
        let both = FallbackOverride { context: list("asked-long"), ..general.clone() };
        for (cause, asked, expected) in [
            (Cause::Outage, &general, "asked"),
            (Cause::ContextTooLong, &general, "asked"),
            (Cause::ContextTooLong, &both, "asked-long"),
            (Cause::ContentFilter, &both, "asked"),
        ] {
            assert_eq!(names(&plan, "gpt-4o", cause, Some(asked)), [expected], "{cause:?}");
        }
        let lenient = FallbackOverride { content: list("asked"), ..Default::default() };
        assert_eq!(names(&plan, "gpt-4o", Cause::ContentFilter, Some(&lenient)), ["asked"]);
        assert_eq!(names(&plan, "gpt-4o", Cause::Outage, Some(&lenient)), ["general"]);
    }

    #[test]
    fn a_plan_applies_where_any_failure_leads_elsewhere() {
        let plan = Plan::default().general("a", [Target::new("b")]);
        let asked = FallbackOverride {
            general: Some([Target::new("c")].into()),
            disabled: false,
            ..Default::default()
        };
        let disabled = FallbackOverride { disabled: true, ..asked.clone() };
        assert!(plan.applies("a", None) && !plan.applies("b", None));
        assert!(plan.applies("b", Some(&asked)) && !plan.applies("a", Some(&disabled)));
        assert!(Plan::default().context("a", [Target::new("b")]).applies("a", None));
        assert!(Plan::default().content("a", [Target::new("b")]).applies("a", None));
        assert!(!plan.depth(0).applies("a", Some(&asked)));
    }

    fn plan() -> Plan {
        Plan::default().general("gpt-4o", [Target::new("general")]).any([Target::new("any")])
    }

    fn names<'a>(
        plan: &'a Plan,
        group: &str,
        cause: Cause,
        asked: Option<&'a FallbackOverride>,
    ) -> Vec<&'a str> {
        let targets = plan.targets(group, cause, asked).into_iter().flat_map(|list| list.iter());
        targets.map(|target| &*target.group).collect()
    }
}
