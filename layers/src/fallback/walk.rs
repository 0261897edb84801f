//! The way of one call through a plan.
use super::{FallbackOverride, Plan, Target};
use crate::facts::Cause;
use std::sync::Arc;

/// Where a call is in its plan. Each group that fails leads to its own targets first, then to
/// what is left of those that led to it.
#[derive(Debug)]
pub(super) struct Walk {
    plan: Arc<Plan>,
    /// The first group that was tried, and those after it, the present one last.
    first: Arc<str>,
    more: Vec<Arc<str>>,
    /// The targets of each group on the way here, and how many of them were looked at.
    levels: Vec<(Arc<[Target]>, usize)>,
}

impl Walk {
    pub(super) const fn new(plan: Arc<Plan>, first: Arc<str>) -> Self {
        Self { plan, first, more: Vec::new(), levels: Vec::new() }
    }

    /// The group that is tried now.
    pub(super) fn here(&self) -> &Arc<str> {
        self.more.last().unwrap_or(&self.first)
    }

    /// Where to go after the group that is tried now failed for `cause`.
    pub(super) fn fail(
        &mut self,
        cause: Cause,
        asked: Option<&FallbackOverride>,
    ) -> Option<Target> {
        if self.levels.len() < self.plan.max_depth()
            && let Some(targets) = self.plan.targets(self.here(), cause, asked)
        {
            self.levels.push((targets.clone(), 0));
        }
        self.skip()
    }

    /// Where to go instead of a target that cannot be gone to.
    pub(super) fn skip(&mut self) -> Option<Target> {
        loop {
            let (targets, looked_at) = self.levels.last_mut()?;
            let Some(target) = targets.get(*looked_at) else {
                self.levels.pop();
                continue;
            };
            *looked_at += 1;
            if self.first != target.group && !self.more.contains(&target.group) {
                return Some(target.clone());
            }
        }
    }

    /// Goes to `target`.
    pub(super) fn go(&mut self, target: &Target) {
        self.more.push(target.group.clone());
    }

    /// How many groups were tried after the first.
    pub(super) fn fallbacks(&self) -> u32 {
        u32::try_from(self.more.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, Target};
    use super::Walk;
    use crate::facts::Cause;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::sync::Arc;

    #[test]
    fn a_group_has_its_own_fallbacks_before_its_neighbours() {
        let plan = plan(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["e"])]);
        assert_eq!(visited(plan, "a"), ["b", "d", "c", "e"]);
    }

    #[test]
    fn a_cycle_ends() {
        let cycle = &[("a", &["a", "b"] as &[_]), ("b", &["a", "c"]), ("c", &["b", "a"])];
        assert_eq!(visited(plan(cycle), "a"), ["b", "c"]);
    }

    #[test]
    fn a_chain_is_followed_so_deep() {
        let chain: &[(_, &[_])] =
            &[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["e"]), ("e", &["f"])];
        let deeper = plan(chain).general("f", [Target::new("g")]);
        assert_eq!(visited(deeper.clone(), "a"), ["b", "c", "d", "e", "f"]);
        assert_eq!(visited(deeper.clone().depth(2), "a"), ["b", "c"]);
        assert!(visited(deeper.depth(0), "a").is_empty());
    }

    proptest! {
        #[test]
        fn no_group_is_tried_twice_nor_too_deep(
            lists in proptest::collection::vec(proptest::collection::vec(0_u8..8, 0..5), 8),
            depth in 0_usize..4,
        ) {
            let mut plan = Plan::default().depth(depth).any([Target::new("0")]);
            for (group, list) in lists.iter().enumerate() {
                let targets: Vec<_> = list.iter().map(|to| Target::new(to.to_string())).collect();
                plan = plan.general(group.to_string(), targets);
            }
            let mut walk = Walk::new(Arc::new(plan), "0".into());
            let mut tried = HashSet::from([Arc::<str>::from("0")]);
            while let Some(target) = walk.fail(Cause::Outage, None) {
                walk.go(&target);
                prop_assert!(walk.levels.len() <= depth);
                prop_assert!(tried.insert(target.group), "twice");
            }
            prop_assert!(tried.len() <= lists.len());
        }
    }

    fn plan(lists: &[(&str, &[&str])]) -> Plan {
        lists.iter().fold(Plan::default(), |plan, (group, list)| {
            plan.general(*group, list.iter().map(|to| Target::new(*to)).collect::<Vec<_>>())
        })
    }

    fn visited(plan: Plan, group: &str) -> Vec<String> {
        let mut walk = Walk::new(Arc::new(plan), group.into());
        let next = || {
            let target = walk.fail(Cause::Outage, None)?;
            walk.go(&target);
            Some(target.group.to_string())
        };
        std::iter::from_fn(next).collect()
    }
}
