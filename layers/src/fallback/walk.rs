//! The way of one call through a plan.
use super::{FallbackOverride, Plan, Target};
use crate::facts::Cause;
use std::sync::Arc;

/// Where a call is in its plan. Each group that fails leads to its own targets first, then to
/// what is left of those that led to it.
#[derive(Debug)]
pub(super) struct Walk {
    plan: Arc<Plan>,
    /// The groups that were tried, the present one last.
    tried: Vec<Arc<str>>,
    /// The targets of each group on the way here, and how many of them were looked at.
    levels: Vec<(Arc<[Target]>, usize)>,
}

impl Walk {
    pub(super) fn new(plan: Arc<Plan>, group: Arc<str>) -> Self {
        Self { plan, tried: vec![group], levels: Vec::new() }
    }

    /// The group that is tried now.
    pub(super) fn here(&self) -> &Arc<str> {
        self.tried.last().expect("the first group is tried from the start")
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
            if !self.tried.contains(&target.group) {
                return Some(target.clone());
            }
        }
    }

    /// Goes to `target`.
    pub(super) fn go(&mut self, target: &Target) {
        self.tried.push(target.group.clone());
    }

    /// How many groups were tried after the first.
    pub(super) fn fallbacks(&self) -> u32 {
        u32::try_from(self.tried.len() - 1).unwrap_or(u32::MAX)
    }
}
