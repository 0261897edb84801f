//! Equal values, held once: most keys have the rules and the names of many others.
use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// The values that somebody has.
#[derive(Debug)]
pub(super) struct Interned<T: ?Sized> {
    all: HashSet<Arc<T>, RandomState>,
    /// How many may be held before those that nobody has any more are looked for.
    enough: usize,
}

impl<T: ?Sized> Default for Interned<T> {
    fn default() -> Self {
        Self { all: HashSet::default(), enough: 0 }
    }
}

impl<T: ?Sized + Eq + Hash> Interned<T> {
    /// The one that is equal to `value`, which it becomes if there is none yet.
    pub(super) fn one(&mut self, value: Arc<T>) -> Arc<T> {
        if let Some(one) = self.all.get(&value) {
            return one.clone();
        }
        if self.all.len() >= self.enough {
            self.all.retain(|held| Arc::strong_count(held) > 1);
            self.enough = 2 * self.all.len() + 64;
        }
        self.all.insert(value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::Interned;
    use crate::identity::Rules;
    use std::sync::Arc;

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
