//! One connection: hyper drives it, and a single timer beside it keeps the limits on idle time
//! and on header time.
//!
//! The timer is armed when the connection begins and when it fires, not per request: between two
//! requests it only notes when the connection became idle. It is moved only for a request whose
//! headers came in pieces. Timer and drain are polled once per arming, since their wakers stay;
//! per event they cost two loads.
use super::Limits;
use super::switch::Switch;
use hyper_util::server::graceful::GracefulConnection;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

/// What the socket, the service and the clock of one connection know together.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Calls that are open: called, and the answer's body not dropped yet.
    active: AtomicU32,
    /// Calls so far; wraps.
    calls: AtomicU32,
    /// Bytes have come since the last call began, while none was open: a head has begun.
    head: AtomicBool,
    /// It is HTTP/2, where bytes without a call mean nothing.
    h2: AtomicBool,
    /// What the connection becomes after its call, if that is more than the end.
    pub(super) switch: Switch,
    /// It is closed between two calls: nobody is sending anything that must be waited for.
    pub(super) between_calls: AtomicBool,
}

/// One open call.
#[derive(Debug)]
pub(super) struct Open(Arc<State>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Relaxed);
    }
}

impl State {
    /// Notes that a call has begun.
    pub(super) fn open(self: &Arc<Self>, is_h2: bool) -> Open {
        self.active.fetch_add(1, Relaxed);
        // Only the connection's own task begins calls, so a load and a store do.
        self.calls.store(self.calls.load(Relaxed).wrapping_add(1), Relaxed);
        self.head.store(false, Relaxed);
        self.h2.store(is_h2, Relaxed);
        Open(Arc::clone(self))
    }

    /// Notes that bytes have come.
    pub(super) fn received(&self) {
        if !self.is_calling() {
            self.head.store(true, Relaxed);
        }
    }

    /// Whether a call is open.
    pub(super) fn is_calling(&self) -> bool {
        self.active.load(Relaxed) > 0
    }

    fn doing(&self) -> Doing {
        if self.is_calling() {
            Doing::Calls
        } else if self.head.load(Relaxed) && !self.h2.load(Relaxed) {
            Doing::Head
        } else {
            Doing::Nothing
        }
    }
}

/// What a connection is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    Head,
    Calls,
}

/// How far the drain is, for all connections of one server.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// 0, `CLOSING` or `CUT`: what connections look at, since a token would take a lock.
    now: AtomicU8,
    closing: CancellationToken,
    pub(super) cut: CancellationToken,
    pub(super) calls_cut: AtomicUsize,
}

/// Accepting stops, idle connections close, others after their calls.
const CLOSING: u8 = 1;
/// Everything ends.
const CUT: u8 = 2;

/// How long the steps of closing may take: our GOAWAY and its answer, or the socket's lingering.
const CLOSE_GRACE: Duration = Duration::from_secs(6);

impl Phases {
    /// Stops accepting and lets connections end after their calls.
    pub(super) fn close(&self) {
        self.now.fetch_max(CLOSING, AcqRel);
        self.closing.cancel();
    }

    /// Ends all connections.
    pub(super) fn cut(&self) {
        self.now.fetch_max(CUT, AcqRel);
        self.cut.cancel();
    }

    /// Waits until accepting stops.
    pub(super) async fn closed(&self) {
        self.closing.cancelled().await;
    }

    /// How many calls were open when they were cut.
    pub(super) fn calls_cut(&self) -> usize {
        self.calls_cut.load(Relaxed)
    }
}

/// Drives a connection to its end, under its limits and the drain. `timer` is set for the end of
/// the header timeout.
///
/// # Errors
/// hyper's, when the connection did not end in good order.
pub(super) async fn run<C: GracefulConnection>(
    connection: Pin<&mut C>,
    timer: Pin<&mut Sleep>,
    limits: Limits,
    state: Arc<State>,
    phases: Arc<Phases>,
) -> Result<(), C::Error> {
    // The first head may take so long from the moment of connecting, not from its first byte.
    let began = timer.deadline() - limits.header_timeout;
    let drain = pin!(phases.closing.cancelled());
    let mut driver = Driver {
        connection,
        timer,
        drain,
        armed: false,
        phase: 0,
        closing: false,
        span: Span { limits, doing: Doing::Nothing, since: began, calls: 0 },
        state: &state,
        phases: &phases,
    };
    poll_fn(|cx| driver.poll(cx)).await
}

struct Driver<'a, 'p, C> {
    connection: Pin<&'a mut C>,
    timer: Pin<&'a mut Sleep>,
    drain: Pin<&'a mut WaitForCancellationFuture<'p>>,
    /// Whether timer and drain know our waker.
    armed: bool,
    /// The phase that has been acted on.
    phase: u8,
    closing: bool,
    span: Span,
    state: &'a State,
    phases: &'p Phases,
}

impl<C: GracefulConnection> Driver<'_, '_, C> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        loop {
            let phase = self.phases.now.load(Acquire);
            if phase == CUT {
                let open = self.state.active.load(Relaxed) as usize;
                self.phases.calls_cut.fetch_add(open, Relaxed);
                return Poll::Ready(Ok(()));
            }
            // Before a close, so that a request that has arrived is still seen and answered.
            if let Poll::Ready(end) = self.connection.as_mut().poll(cx) {
                return Poll::Ready(end);
            }
            if phase != self.phase {
                self.phase = phase;
                self.drain.set(self.phases.cut.cancelled());
                self.close();
                continue;
            }
            let (fired, set_for) = (self.timer.is_elapsed(), self.timer.deadline());
            match self.span.verdict(self.state, fired, set_for) {
                Verdict::Stay => {}
                Verdict::WakeAt(time) => {
                    self.timer.as_mut().reset(time);
                    self.armed = false;
                }
                Verdict::Close if !self.closing => {
                    self.close();
                    continue;
                }
                Verdict::Close | Verdict::Drop => return Poll::Ready(Ok(())),
            }
            if !self.arm(cx) {
                return Poll::Pending;
            }
        }
    }

    /// Closes as soon as no call is open.
    fn close(&mut self) {
        self.armed = false;
        if std::mem::replace(&mut self.closing, true) {
            return;
        }
        self.timer.as_mut().reset(Instant::now() + CLOSE_GRACE);
        let between_calls = self.state.doing() == Doing::Nothing;
        self.state.between_calls.store(between_calls, Relaxed);
        self.connection.as_mut().graceful_shutdown();
    }

    /// Leaves our waker with timer and drain; whether one of them has fired already.
    fn arm(&mut self, cx: &mut Context<'_>) -> bool {
        if self.armed {
            return false;
        }
        self.armed = true;
        // Unconstrained: with its budget used up, a poll would leave no waker behind.
        let timer = pin!(unconstrained(self.timer.as_mut())).poll(cx).is_ready();
        let drain = pin!(unconstrained(self.drain.as_mut())).poll(cx).is_ready();
        timer || drain
    }
}

/// The limits on time of one connection, and what it has been doing since when.
#[derive(Debug)]
struct Span {
    limits: Limits,
    doing: Doing,
    since: Instant,
    /// `State::calls` at that time.
    calls: u32,
}

/// What is to become of a connection.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Stay,
    WakeAt(Instant),
    Close,
    Drop,
}

impl Span {
    /// Looks at the connection after it has done what it could. `fired` and `set_for` are the
    /// timer's state.
    fn verdict(&mut self, state: &State, fired: bool, set_for: Instant) -> Verdict {
        let doing = state.doing();
        let calls = state.calls.load(Relaxed);
        let changed = doing != self.doing || calls != self.calls;
        if !changed && !fired {
            return Verdict::Stay;
        }
        let now = Instant::now();
        if changed {
            (self.doing, self.calls) = (doing, calls);
            // The first head may take as long as the timer that runs since the connection began.
            if calls > 0 {
                self.since = now;
            }
        }
        let (limit, over) = match doing {
            // A time of rest that has not begun cannot be over any sooner.
            Doing::Calls if fired => return Verdict::WakeAt(now + self.limits.keep_alive),
            Doing::Calls => return Verdict::Stay,
            Doing::Nothing if calls > 0 => (self.limits.keep_alive, Verdict::Close),
            Doing::Nothing | Doing::Head => (self.limits.header_timeout, Verdict::Drop),
        };
        let due = self.since + limit;
        match due <= now {
            true => over,
            false if fired || due < set_for => Verdict::WakeAt(due),
            false => Verdict::Stay,
        }
    }
}
