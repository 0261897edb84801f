//! Who sees what of the spend.
use crate::ledger::{Calls, Record};
use crate::manage::{Refusal, Who};

/// What somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Everything.
    All,
    /// What a user's keys have spent.
    User(String),
    /// What one key has spent, which belongs to no user.
    Key(String),
}

impl Seen {
    pub(super) fn by(who: &Who) -> Self {
        if who.role().sees_all() {
            Self::All
        } else if who.0.user.is_empty() {
            Self::Key(who.0.key.to_string())
        } else {
            Self::User(who.0.user.to_string())
        }
    }

    /// Leaves of `calls` what is seen.
    pub(super) fn narrow(&self, calls: &mut Calls) -> Result<(), Refusal> {
        let own = |wanted: &Option<String>, own: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == own).then_some(()).ok_or_else(foreign)
        };
        match self {
            Self::All => {}
            Self::User(user) => {
                own(&calls.user, user)?;
                calls.user = Some(user.clone());
            }
            Self::Key(key) => {
                own(&calls.key, key)?;
                calls.key = Some(key.clone());
            }
        }
        Ok(())
    }

    /// Whether a call is seen.
    pub(super) fn sees(&self, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::User(user) => **user == *record.user,
            Self::Key(key) => **key == *record.key,
        }
    }
}

/// Something of another one's was asked for.
pub(super) fn foreign() -> Refusal {
    Refusal::forbidden("You see what your own keys and your own user have spent, and nothing else.")
}
