//! A value that expires, fetched once for all who want it.
use super::error::CredentialError;
use crate::tasks::Tasks;
use futures_util::FutureExt;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long before its end a value is fetched anew at the latest; of short ones it is a fifth of
/// their life.
const AHEAD: Duration = Duration::from_secs(300);
/// After the first failure; each further one waits twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// After many failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a source may ask not to be asked.
const LONGEST_WISH: Duration = Duration::from_secs(300);

/// What a source gave.
#[derive(Clone)]
pub struct Fresh<T> {
    /// The value.
    pub value: T,
    /// How long it is good, from when it was asked for; `None` is for ever. A duration, so that
    /// it does not matter whether the source's clock is right.
    pub lifetime: Option<Duration>,
}

/// Work that ends with what a source gave.
type Fetch<T> = Pin<Box<dyn Future<Output = Result<Fresh<T>, CredentialError>> + Send>>;

/// A value that expires. It is fetched when it is first wanted, once for all who wait, and anew
/// before it expires: in the background, while the old one serves. A caller that leaves cancels
/// nothing. After a failure the source is left alone for 1 s, then 2 s, up to 30 s, or as long as
/// it asks for; who wants the value meanwhile gets the old one, or once that has expired the error.
pub struct Kept<T> {
    fetch: Box<dyn Fn() -> Fetch<T> + Send + Sync>,
    tasks: Tasks,
    stop: CancellationToken,
    state: Mutex<State<T>>,
}

struct State<T> {
    held: Option<Held<T>>,
    flight: Option<Flight<T>>,
    failed: Option<Failed>,
}

struct Held<T> {
    value: T,
    /// When it is to be fetched anew, and when it is over; `None` is never.
    ends: Option<(Instant, Instant)>,
}

struct Failed {
    error: CredentialError,
    times: u32,
    until: Instant,
}

/// What a fetch that is under way will end with.
type Flight<T> = watch::Receiver<Option<Result<T, CredentialError>>>;

/// What there is for someone who wants the value.
enum Now<T> {
    Held(T),
    Failed(CredentialError),
    Flight(Flight<T>),
}

impl<T: Clone + Send + Sync + 'static> Kept<T> {
    /// A value that `fetch` gets, on `tasks`, until `stop` is cancelled.
    pub fn new<F>(
        tasks: Tasks,
        stop: CancellationToken,
        fetch: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Fresh<T>, CredentialError>> + Send + 'static,
    {
        let state = State { held: None, flight: None, failed: None };
        let fetch = Box::new(move || -> Fetch<T> { Box::pin(fetch()) });
        Self { fetch, tasks, stop, state: Mutex::new(state) }
    }

    /// The value, if there is one. Where it soon expires, another one is fetched beside.
    pub fn held(self: &Arc<Self>) -> Option<T> {
        let now = Instant::now();
        let mut state = self.state();
        let (value, due) = state.held(now)?;
        if due && !state.rests(now) {
            self.flight(&mut state);
        }
        Some(value)
    }

    /// The value, fetched if there is none.
    ///
    /// # Errors
    /// When it could not be fetched, or not long ago.
    pub async fn get(self: &Arc<Self>) -> Result<T, CredentialError> {
        let mut flight = match self.now() {
            Now::Held(value) => return Ok(value),
            Now::Failed(error) => return Err(error),
            Now::Flight(flight) => flight,
        };
        let landed = flight.wait_for(Option::is_some).await;
        let told = landed.ok().and_then(|told| told.clone());
        told.unwrap_or_else(|| Err(CredentialError::stopped()))
    }

    fn now(self: &Arc<Self>) -> Now<T> {
        if let Some(value) = self.held() {
            return Now::Held(value);
        }
        let now = Instant::now();
        let mut state = self.state();
        match (state.held(now), &state.failed) {
            // It came between the two looks.
            (Some((value, _)), _) => Now::Held(value),
            (None, Some(failed)) if now < failed.until => Now::Failed(failed.error.clone()),
            _ => Now::Flight(self.flight(&mut state)),
        }
    }

    /// The fetch that is under way, or a new one.
    fn flight(self: &Arc<Self>, state: &mut State<T>) -> Flight<T> {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (told, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        let kept = self.clone();
        self.tasks.spawn(async move {
            let asked = Instant::now();
            let fetching = AssertUnwindSafe(async { (kept.fetch)().await }).catch_unwind();
            let fetched = kept.stop.run_until_cancelled(fetching).await;
            let fetched = fetched.unwrap_or_else(|| Ok(Err(CredentialError::stopped())));
            let fetched = fetched.unwrap_or_else(|_| Err(CredentialError::broken()));
            told.send_replace(Some(kept.landed(asked, fetched)));
        });
        flight
    }

    /// Keeps what was fetched, or for how long nothing will be.
    fn landed(
        &self,
        asked: Instant,
        fetched: Result<Fresh<T>, CredentialError>,
    ) -> Result<T, CredentialError> {
        let mut state = self.state();
        state.flight = None;
        match fetched {
            Ok(Fresh { value, lifetime }) => {
                let ends = lifetime.and_then(|lifetime| ends(asked, lifetime));
                state.held = Some(Held { value: value.clone(), ends });
                state.failed = None;
                Ok(value)
            }
            Err(error) => {
                let times = state.failed.as_ref().map_or(0, |failed| failed.times);
                let until = Instant::now() + pause(times, error.retry_after());
                let failed = Failed { error: error.clone(), times: times.saturating_add(1), until };
                state.failed = Some(failed);
                let serves = state.held(Instant::now()).is_some();
                drop(state);
                self.tell(&error, serves);
                Err(error)
            }
        }
    }

    fn tell(&self, error: &CredentialError, serves: bool) {
        if self.stop.is_cancelled() {
            return;
        }
        let meanwhile = if serves { "; the one before serves on" } else { "" };
        tracing::warn!("A credential could not be fetched{meanwhile}: {error}");
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> State<T> {
    /// The value that serves at `now`, and whether it is to be fetched anew.
    fn held(&self, now: Instant) -> Option<(T, bool)> {
        let held = self.held.as_ref()?;
        match held.ends {
            Some((_, over)) if over <= now => None,
            ends => Some((held.value.clone(), ends.is_some_and(|(due, _)| due <= now))),
        }
    }

    fn rests(&self, now: Instant) -> bool {
        self.failed.as_ref().is_some_and(|failed| now < failed.until)
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept([secret])")
    }
}

impl<T> fmt::Debug for Fresh<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// When a value that was asked for at `asked` is to be fetched anew, and when it is over. Many
/// processes that began together do not ask together: the first is up to a fifth earlier.
fn ends(asked: Instant, lifetime: Duration) -> Option<(Instant, Instant)> {
    let ahead = AHEAD.min(lifetime / 5).mul_f64(1.0 + 0.2 * fastrand::f64());
    Some((asked.checked_add(lifetime.saturating_sub(ahead))?, asked.checked_add(lifetime)?))
}

/// How long a source that failed `times` before is left alone. It may have a wish.
fn pause(times: u32, wish: Option<Duration>) -> Duration {
    let longest = PAUSE.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_PAUSE);
    let own = longest.mul_f64(1.0 - 0.2 * fastrand::f64());
    wish.map_or(own, |wish| wish.min(LONGEST_WISH).max(own))
}
