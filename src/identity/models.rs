//! Models that were added at run time: who changes them, and who takes them into force.
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// So long may it take until a change is in force.
const PATIENCE: Duration = Duration::from_secs(10);

/// Changes of models are numbered; whoever takes them into force says up to which one it has.
#[derive(Debug, Default)]
pub struct Models {
    changed: watch::Sender<u64>,
    in_force: watch::Sender<u64>,
}

impl Models {
    /// Notes a change.
    pub fn change(&self) {
        self.changed.send_modify(|number| *number += 1);
    }

    /// Waits until everything is in force that has changed by now. Whether it is.
    pub async fn settled(&self) -> bool {
        let wanted = *self.changed.borrow();
        let mut in_force = self.in_force.subscribe();
        matches!(timeout(PATIENCE, in_force.wait_for(|number| *number >= wanted)).await, Ok(Ok(_)))
    }

    /// The number of the last change.
    #[must_use]
    pub fn last(&self) -> u64 {
        *self.changed.borrow()
    }

    /// Whoever takes models into force hears of changes here.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// All changes up to that number are in force.
    pub fn take(&self, number: u64) {
        self.in_force.send_modify(|last| *last = number.max(*last));
    }
}
