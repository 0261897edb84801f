//! The exact account of all calls: each that has ended is in it once, also when the process is
//! killed.
//!
//! A finished call is one line in the journal, a file of this process, before its client sees the
//! end of the answer. From there it is taken over into the store: its row, the sums of its day, and
//! the accounts that pay. The life of a record is told in `docs/ledger.md`.
mod chain;
mod days;
mod drain;
mod journal;
mod members;
mod query;
mod reader;
mod record;
mod reprice;
mod rows;
mod segment;
mod standing;
#[cfg(test)]
mod tests;
mod told;
mod verify;
mod words;
mod writing;

pub use self::days::{By, Days, Totals};
pub use self::drain::DrainError;
pub use self::query::{Booked, Calls, Order, Part};
pub use self::record::{Attempt, Charge, PriceRow, Record};
pub use self::reprice::{Repriced, reprice};
pub use self::standing::Standing;
pub use self::verify::{Verified, verify};

use self::drain::{BATCH, Drain, sweep};
use self::journal::{Journal, Sizes};
use crate::alerts::Alerts;
use crate::clock;
use crate::config::LedgerSettings;
use crate::identity::Directory;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::telemetry::{Book, Outcome, Trail};
use http::HeaderValue;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// How often journals of processes that are gone are looked for.
const LOOK: Duration = Duration::from_secs(30);
/// The longest pause after a failure of the store.
const PAUSE: Duration = Duration::from_secs(15);
/// So long may it take until all is taken over, for those who wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ledger. Clones are one.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: LedgerSettings,
    directory: Directory,
    alerts: Alerts,
    store: Store,
    journal: Arc<Journal>,
    standing: Arc<Standing>,
    drain: Mutex<Drain>,
    /// Of the last call that has begun.
    number: AtomicU64,
    /// Records that were not taken over yet.
    pending: AtomicUsize,
    some: Notify,
    many: Notify,
}

impl Ledger {
    /// Opens the ledger with its journal in that place, or in memory alone; and takes records over
    /// into `store` until `stop` is cancelled.
    pub fn open(
        settings: LedgerSettings,
        place: Option<PathBuf>,
        store: Store,
        (directory, alerts): (Directory, Alerts),
        standing: Standing,
        (tasks, stop): (&Tasks, &CancellationToken),
    ) -> Self {
        let place = place.filter(|place| match segment::place(place) {
            Ok(()) => true,
            Err(error) => {
                let path = place.display();
                tracing::warn!(%error, "The journal cannot be kept in {path}: it is in memory");
                false
            }
        });
        let standing = Arc::new(standing);
        let sizes = Sizes::default();
        let journal = Arc::new(Journal::new(place, settings.fsync, sizes, standing.clone()));
        let drain = Drain::new(store.clone(), journal.clone(), standing.clone(), settings.rows);
        let ledger = Self(Arc::new(Shared {
            settings,
            directory,
            alerts,
            store,
            journal,
            standing,
            drain: Mutex::new(drain),
            number: AtomicU64::new(0),
            pending: AtomicUsize::new(0),
            some: Notify::new(),
            many: Notify::new(),
        }));
        let (running, stop) = (ledger.clone(), stop.clone());
        tasks.spawn(async move {
            stop.run_until_cancelled(running.run()).await;
        });
        ledger
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.0.standing
    }

    /// Waits until every call that has ended by now is in the store.
    ///
    /// # Errors
    ///
    /// While the store cannot take anything.
    pub async fn flush(&self) -> Result<(), DrainError> {
        // Another process may have ended a moment ago.
        self.0.drain.lock().await.look();
        self.0.drain(false).await
    }

    /// The same at the end: no call may end after it. What the store cannot take stays in the
    /// journal, for the next process.
    pub async fn close(&self) {
        match timeout(PATIENCE, self.0.drain(true)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "Records of calls stay in the journal"),
            Err(_) => tracing::warn!("Records of calls stay in the journal: the store is slow"),
        }
    }

    async fn run(self) {
        let shared = &*self.0;
        shared.drain.lock().await.look();
        let (mut look, mut sweep) = (Instant::now() + LOOK, Instant::now());
        let mut pause = Duration::ZERO;
        loop {
            match shared.drain(false).await {
                Ok(()) => pause = Duration::ZERO,
                Err(error) => {
                    tracing::debug!(%error, "Records stay in the journal");
                    pause = (pause * 2).clamp(shared.settings.batch, PAUSE);
                }
            }
            sleep(pause).await;
            if Instant::now() >= sweep {
                sweep = Instant::now() + shared.settings.sweep;
                shared.sweep().await;
            }
            if Instant::now() >= look {
                shared.drain.lock().await.look();
                look = Instant::now() + LOOK;
            }
            if pause.is_zero() {
                shared.more(look.min(sweep)).await;
            }
        }
    }
}

impl Shared {
    async fn drain(&self, ending: bool) -> Result<(), DrainError> {
        let mut drain = self.drain.lock().await;
        self.pending.store(0, Relaxed);
        drain.drain(ending).await
    }

    /// Waits until there is something to take over, and then for more of it, but not for long.
    async fn more(&self, until: Instant) {
        let some = self.some.notified();
        if self.pending.load(Relaxed) == 0 {
            tokio::select! {
                () = some => {}
                () = sleep_until(until) => return,
            }
        }
        timeout_at(Instant::now() + self.settings.batch, self.many.notified()).await.ok();
    }

    async fn sweep(&self) {
        let Some(keep) = self.settings.keep else { return };
        let before = clock::now() - i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        match sweep(&self.store, before).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "Rows of old calls were removed"),
            Err(error) => tracing::warn!(%error, "Rows of old calls cannot be removed"),
        }
    }
}

thread_local! {
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Book for Ledger {
    fn reserve(&self) -> u64 {
        self.0.number.fetch_add(1, Relaxed) + 1
    }

    fn receipt(&self, number: u64) -> HeaderValue {
        let id = format!("{}-{number}", self.0.journal.instance);
        HeaderValue::from_str(&id).expect("hexadecimal digits, a dash and a number")
    }

    fn book(&self, trail: &Trail, outcome: &Outcome<'_>) {
        let shared = &*self.0;
        if !shared.settings.errors && outcome.failure().is_some() && outcome.served().is_none() {
            return;
        }
        RECORD.with_borrow_mut(|out| {
            out.clear();
            let (instance, now) = (&*shared.journal.instance, clock::now());
            let payers = (&shared.directory, &shared.alerts);
            writing::write(out, (instance, now), payers, trail, outcome);
            shared.journal.append(out);
        });
        match shared.pending.fetch_add(1, Relaxed) + 1 {
            1 => shared.some.notify_one(),
            BATCH => shared.many.notify_one(),
            _ => {}
        }
    }
}
