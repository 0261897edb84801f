//! Equal rules, held once: most keys have those of many others.
use super::Rules;
use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::sync::Arc;

/// The rules that somebody has.
#[derive(Debug, Default)]
pub(super) struct Interned {
    all: HashSet<Arc<Rules>, RandomState>,
    /// How many may be held before those that nobody has any more are looked for.
    enough: usize,
}

impl Interned {
    /// The ones that are equal to `rules`, which they become if there are none yet.
    pub(super) fn one(&mut self, rules: Arc<Rules>) -> Arc<Rules> {
        if let Some(one) = self.all.get(&rules) {
            return one.clone();
        }
        if self.all.len() >= self.enough {
            self.all.retain(|rules| Arc::strong_count(rules) > 1);
            self.enough = 2 * self.all.len() + 64;
        }
        self.all.insert(rules.clone());
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rpm: u64) -> Arc<Rules> {
        Arc::new(Rules { rpm: Some(rpm), ..Rules::default() })
    }

    #[test]
    fn equal_rules_are_one_and_those_of_nobody_go() {
        let mut interned = Interned::default();
        let (one, other) = (interned.one(rules(0)), interned.one(rules(0)));
        assert!(Arc::ptr_eq(&one, &other));
        for rpm in 1..10_000 {
            drop(interned.one(rules(rpm)));
        }
        assert!(interned.all.len() <= 66, "{}", interned.all.len());
        assert!(Arc::ptr_eq(&one, &interned.one(rules(0))));
    }
}
