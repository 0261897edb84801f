//! Who waits, while no deployment of a group has room.
use super::{AdaptiveLimit, Bounds, Permit};
use crate::facts::Fault;
use crate::sync::atomic::Ordering::{Release, SeqCst};
use crate::sync::atomic::{AtomicUsize, fence};
use crate::sync::{Mutex, MutexGuard};
use pin_project::{pin_project, pinned_drop};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{error, fmt};
use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::time::{Sleep, sleep};

/// How many calls may wait, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// At most so many, by default 1000.
    pub most: usize,
    /// At most so long, by default ten seconds.
    pub time: Duration,
}

impl Default for Waiting {
    fn default() -> Self {
        Self::new(1000, Duration::from_secs(10))
    }
}

impl Waiting {
    /// At most so many, so long.
    #[must_use]
    pub const fn new(most: usize, time: Duration) -> Self {
        Self { most, time }
    }
}

/// Why a call got no permit. Its source is [`Fault::REFUSED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crowded {
    /// Too many wait already.
    Full,
    /// No permit was free in time.
    Late,
}

impl fmt::Display for Crowded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many calls wait for this group",
            Self::Late => "no deployment had room in time",
        })
    }
}

impl error::Error for Crowded {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&Fault::REFUSED)
    }
}

/// The deployments that can stand in for each other, as far as waiting is concerned. A call waits
/// for the first permit of any that it wants, first come, first served; a permit is handed from
/// one call to the next, so none is free that a waiting call wants. Clones share it.
#[derive(Clone)]
pub struct Group(Arc<Inner>);

struct Inner {
    waiting: Waiting,
    /// As many as are in the queue, to be read without the lock.
    count: AtomicUsize,
    queue: Mutex<VecDeque<Waiter>>,
}

struct Waiter {
    wants: Box<[AdaptiveLimit]>,
    tell: Sender<Granted>,
}

/// Which of the wanted limits it is of, and the permit.
type Granted = (usize, Permit);

impl Group {
    /// A group in which nobody waits.
    #[must_use]
    pub fn new(waiting: Waiting) -> Self {
        let (count, queue) = (AtomicUsize::new(0), Mutex::new(VecDeque::new()));
        Self(Arc::new(Inner { waiting, count, queue }))
    }

    /// The limit of one more deployment of this group.
    #[must_use]
    pub fn limit(&self, bounds: Bounds) -> AdaptiveLimit {
        AdaptiveLimit::new(bounds, self.clone())
    }

    /// How many calls wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.count.load(SeqCst)
    }

    /// A permit of the first of these that has room, or of any of them as soon as one has. The
    /// future gives the place of its limit among `wants`, too; dropped, it leaves the queue.
    pub fn acquire<'a, I>(&self, wants: I) -> Acquire
    where
        I: IntoIterator<Item = &'a AdaptiveLimit>,
        I::IntoIter: Clone,
    {
        let wants = wants.into_iter();
        Acquire { state: first(wants.clone()).map_or_else(|| self.wait(wants), State::granted) }
    }

    fn wait<'a>(&self, wants: impl Iterator<Item = &'a AdaptiveLimit>) -> State {
        let wants: Box<[_]> = wants.cloned().collect();
        let mut queue = self.queue();
        if queue.len() >= self.0.waiting.most || wants.is_empty() {
            return State::Refused(Crowded::Full);
        }
        // It is counted, then it looks once more; who frees a permit does so, then looks whether
        // anyone is counted. Between the two stands a fence on either side, so one sees the other.
        self.0.count.store(queue.len() + 1, Release);
        fence(SeqCst);
        if let Some(granted) = first(wants.iter()) {
            self.0.count.store(queue.len(), Release);
            return State::granted(granted);
        }
        let (tell, told) = oneshot::channel();
        queue.push_back(Waiter { wants, tell });
        drop(queue);
        State::Waiting(self.clone(), told, sleep(self.0.waiting.time))
    }

    /// Hands the free permits of `limit` to those who wait for it.
    pub(super) fn serve(&self, limit: &AdaptiveLimit) {
        fence(SeqCst);
        while self.waiting() > 0 && self.serve_one(limit) {}
    }

    /// Whether another may be served.
    fn serve_one(&self, limit: &AdaptiveLimit) -> bool {
        let wanted = |waiter: &Waiter| waiter.wants.iter().position(|one| one.is(limit));
        let mut queue = self.queue();
        let mut found = queue.iter().enumerate();
        let Some((place, which)) = found.find_map(|(n, one)| Some((n, wanted(one)?))) else {
            return false;
        };
        let Some(permit) = limit.try_acquire() else { return false };
        let waiter = queue.remove(place);
        self.0.count.store(queue.len(), Release);
        drop(queue);
        // One that left in the meantime drops the permit, which serves the next.
        waiter.is_some_and(|waiter| waiter.tell.send((which, permit)).is_ok())
    }

    /// Takes those out who left.
    fn forget(&self) {
        let mut queue = self.queue();
        queue.retain(|waiter| !waiter.tell.is_closed());
        self.0.count.store(queue.len(), Release);
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Waiter>> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

fn first<'a>(wants: impl Iterator<Item = &'a AdaptiveLimit>) -> Option<Granted> {
    wants.enumerate().find_map(|(place, limit)| Some((place, limit.try_acquire()?)))
}

/// Waits for a permit. The future of [`Group::acquire`].
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Acquire {
    #[pin]
    state: State,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State {
    Granted(Option<Granted>),
    Waiting(Group, Receiver<Granted>, #[pin] Sleep),
    Refused(Crowded),
}

impl State {
    const fn granted(granted: Granted) -> Self {
        Self::Granted(Some(granted))
    }
}

impl Future for Acquire {
    type Output = Result<Granted, Crowded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Granted(granted) => {
                Poll::Ready(Ok(granted.take().expect("a permit is granted once")))
            }
            StateProj::Refused(error) => Poll::Ready(Err(*error)),
            StateProj::Waiting(_, told, late) => match Pin::new(told).poll(cx) {
                Poll::Ready(Ok((place, mut permit))) => {
                    permit.start();
                    Poll::Ready(Ok((place, permit)))
                }
                Poll::Ready(Err(_)) => Poll::Ready(Err(Crowded::Late)),
                Poll::Pending => late.poll(cx).map(|()| Err(Crowded::Late)),
            },
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Acquire {
    fn drop(self: Pin<&mut Self>) {
        if let StateProj::Waiting(group, told, _) = self.project().state.project() {
            told.close();
            if !told.is_terminated() {
                group.forget();
            }
        }
    }
}
