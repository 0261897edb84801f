//! An HTTP/1.1 connection that is driven by the call that uses it.
//!
//! There is no task per connection: whoever waits for the answer also reads and writes the
//! socket. A frame then wakes one task once, and dropping the call closes the socket at once.
use super::connect::Stream;
use super::origin::Open;
use super::timeouts::Timer;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::task::coop::unconstrained;
use tokio::time::Instant;
use tokio_util::sync::ReusableBoxFuture;

/// The largest response head in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// The most that is read ahead of the client, and the least that is written at once of a body
/// that has so much, in bytes. A large body comes in many frames, and each write has its price.
const MAX_BUFFER: usize = 256 * 1024;
/// Turns in one poll before other tasks get theirs.
const MAX_TURNS: usize = 16;

/// What a connection answers to a request.
pub(super) type Reply = Result<Response<Incoming>, TrySendError<Request<Body>>>;

/// One connection with its current exchange.
pub(super) struct Exchange {
    sender: SendRequest<Body>,
    wire: Wire,
    /// Its allocation is used again for each request.
    reply: Option<ReusableBoxFuture<'static, Reply>>,
    timer: Timer,
    _open: Open,
}

struct Wire {
    /// `None` once the connection has ended.
    connection: Option<Connection<TokioIo<Stream>, Body>>,
    relay: Arc<Relay>,
    waker: Waker,
    /// There was nothing left to do: nothing will be, until the relay is woken.
    asleep: bool,
}

impl Exchange {
    pub(super) async fn open(stream: Stream, open: Open) -> Result<Box<Self>, hyper::Error> {
        let mut builder = Builder::new();
        builder.max_header_size(MAX_HEAD).max_buf_size(MAX_BUFFER);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        let relay = Arc::<Relay>::default();
        let waker = Waker::from(Arc::clone(&relay));
        let wire = Wire { connection: Some(connection), relay, waker, asleep: false };
        Ok(Box::new(Self { sender, wire, reply: None, timer: Timer::default(), _open: open }))
    }

    pub(super) fn send(&mut self, request: Request<Body>) {
        self.wire.asleep = false;
        let reply = self.sender.try_send_request(request);
        match &mut self.reply {
            Some(slot) => slot.set(reply),
            slot => *slot = Some(ReusableBoxFuture::new(reply)),
        }
    }

    pub(super) fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        let reply = &mut self.reply;
        self.wire.drive(cx, |cx| match reply {
            Some(reply) => reply.poll(cx),
            None => Poll::Pending,
        })
    }

    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.wire.drive(cx, |cx| Pin::new(&mut *body).poll_frame(cx))
    }

    /// Whether `due` has passed; if not, the task of the last poll is woken by then.
    pub(super) fn is_overdue(&mut self, due: Instant) -> bool {
        self.timer.passed_with_same_waker(due, &mut Context::from_waker(&self.wire.waker))
    }

    /// Lets go of the task that used the connection. Whether it can take another request.
    pub(super) fn rest(&mut self) -> bool {
        self.wire.relay.rest();
        // Mostly it has noticed the end of the exchange already.
        self.is_ready() || self.look()
    }

    /// Whether a connection that was at rest can still take a request. It looks at its socket only
    /// if something is known to have happened there: a connection that was closed unnoticed sends
    /// the request back.
    pub(super) fn is_usable(&mut self) -> bool {
        if self.wire.relay.is_woken() { self.look() } else { self.is_ready() }
    }

    fn is_ready(&self) -> bool {
        self.wire.connection.is_some() && self.sender.is_ready()
    }

    /// Reads and writes without a task. Whether the connection can take a request then.
    fn look(&mut self) -> bool {
        // The caller's budget may be used up; then the connection would not look at its socket.
        let wire = &mut self.wire;
        let step = pin!(unconstrained(poll_fn(|_| {
            wire.relay.begin();
            wire.advance();
            wire.relay.leave();
            Poll::Ready(())
        })));
        let polled = step.poll(&mut Context::from_waker(Waker::noop()));
        debug_assert!(polled.is_ready());
        self.is_ready()
    }
}

impl Wire {
    /// Moves bytes, then asks `step`, until neither has anything to do.
    fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut step: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.relay.attach(cx.waker());
        // hyper's server asks a call again whenever its connection does something.
        if self.asleep && !self.relay.is_woken() {
            return Poll::Pending;
        }
        for _ in 0..MAX_TURNS {
            self.relay.begin();
            self.advance();
            let stepped = step(&mut Context::from_waker(&self.waker));
            let is_woken = self.relay.end();
            self.asleep = stepped.is_pending() && !is_woken;
            if stepped.is_ready() || self.asleep {
                return stepped;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Reads and writes what can be read and written.
    fn advance(&mut self) {
        if let Some(connection) = &mut self.connection {
            // An error has been handed to the call that was waiting, if there was one.
            if Pin::new(connection).poll(&mut Context::from_waker(&self.waker)).is_ready() {
                self.connection = None;
            }
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("is_open", &self.wire.connection.is_some()).finish()
    }
}

const POLLING: u8 = 1;
const WOKEN: u8 = 2;

/// Passes wakes on to the task that polls the connection now. While that task is inside the poll,
/// a wake is only noted: the connection and its channels wake each other for every frame, and
/// none of that needs another run of the whole task.
#[derive(Debug, Default)]
struct Relay {
    state: AtomicU8,
    task: Mutex<Option<Waker>>,
}

impl Relay {
    fn attach(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    fn begin(&self) {
        self.state.store(POLLING, Ordering::SeqCst);
    }

    /// Whether something was woken since [`Relay::begin`].
    fn end(&self) -> bool {
        self.state.swap(0, Ordering::SeqCst) & WOKEN != 0
    }

    /// As [`Relay::end`], but keeps in mind that something was woken.
    fn leave(&self) {
        self.state.fetch_and(WOKEN, Ordering::SeqCst);
    }

    /// Whether something was woken since the last [`Relay::end`], or before [`Relay::leave`].
    fn is_woken(&self) -> bool {
        self.state.load(Ordering::SeqCst) & WOKEN != 0
    }

    /// Forgets the task: an idle connection must not keep a finished one in memory.
    fn rest(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(task);
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::SeqCst) == 0 {
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(task) = task {
                task.wake();
            }
        }
    }
}
