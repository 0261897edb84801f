//! An HTTP/2 connection that calls share, each with a stream of its own.
use super::connect::Stream as Bytes;
use super::origin::Open;
use super::timeouts::Timer;
use crate::tasks::Tasks;
use bartizan_layers::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use pin_project::pin_project;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::ReusableBoxFuture;

/// Streams before the peer has said how many it takes (RFC 9113, 6.5.2 recommends 100 or more).
const PRESUMED_LIMIT: usize = 101;
/// What one stream may hold for a slow reader, in bytes.
const STREAM_WINDOW: u32 = 128 * 1024;
/// Wide enough that slow readers of some streams do not stop the others.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
const PING_AFTER: Duration = Duration::from_secs(30);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// A connection that the pool keeps.
#[derive(Debug)]
pub(super) struct Shared {
    sender: SendRequest<Body>,
    load: Arc<Load>,
    made: Instant,
}

/// How many streams are open, and how many may be.
#[derive(Debug)]
struct Load {
    open: AtomicUsize,
    limit: AtomicUsize,
    /// When the last stream ended.
    since: Mutex<Instant>,
    /// Wakes the connection's task until the peer's limit is known.
    driver: Mutex<Option<Waker>>,
    is_watched: AtomicBool,
}

/// The right to one stream, and the way to open it.
#[derive(Debug)]
pub(super) struct Stream {
    sender: SendRequest<Body>,
    load: Arc<Load>,
}

impl Shared {
    pub(super) async fn open(
        stream: Bytes,
        open: Open,
        tasks: &Tasks,
    ) -> Result<Self, hyper::Error> {
        let load = Arc::new(Load {
            open: AtomicUsize::new(0),
            limit: AtomicUsize::new(PRESUMED_LIMIT),
            since: Mutex::new(Instant::now()),
            driver: Mutex::default(),
            is_watched: AtomicBool::new(false),
        });
        let executor = Executor { tasks: tasks.clone(), load: Arc::clone(&load) };
        let (sender, connection) = Builder::new(executor)
            .timer(TokioTimer::new())
            .initial_max_send_streams(PRESUMED_LIMIT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PONG_WITHIN)
            .handshake(TokioIo::new(stream))
            .await?;
        tasks.spawn(Driver { connection, load: Arc::clone(&load), _open: open });
        Ok(Self { sender, load, made: Instant::now() })
    }

    /// A stream, if the peer takes one more.
    pub(super) fn stream(&self) -> Option<Stream> {
        let limit = self.load.limit.load(Ordering::Relaxed);
        let room = |open| (open < limit).then_some(open + 1);
        self.load.open.fetch_update(Ordering::AcqRel, Ordering::Relaxed, room).ok()?;
        Some(Stream { sender: self.sender.clone(), load: Arc::clone(&self.load) })
    }

    /// The stream for the call that the connection was made for.
    pub(super) fn first_stream(&self) -> Stream {
        self.load.open.fetch_add(1, Ordering::AcqRel);
        Stream { sender: self.sender.clone(), load: Arc::clone(&self.load) }
    }

    pub(super) fn is_newer_than(&self, time: Instant) -> bool {
        self.made >= time
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.load.open.load(Ordering::Acquire) == 0
    }

    /// Closed, or idle for longer than `keep`.
    pub(super) fn is_done(&self, now: Instant, keep: Duration) -> bool {
        let since = *self.load.since.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_closed() || (self.is_idle() && now.saturating_duration_since(since) >= keep)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.load.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.load.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }
}

type Reply = Result<Response<Incoming>, TrySendError<Request<Body>>>;

/// The error and, when nothing was done with it, the request.
type Failed = (hyper::Error, Option<Request<Body>>);

/// One call on a stream, before its response headers.
#[derive(Debug)]
pub(super) struct Call {
    reply: Option<ReusableBoxFuture<'static, Reply>>,
    /// A copy of the request, for a server that refuses the stream unseen.
    spare: Option<Request<Body>>,
    stream: Stream,
    timer: Timer,
}

impl Call {
    pub(super) fn new(stream: Stream) -> Box<Self> {
        Box::new(Self { reply: None, spare: None, stream, timer: Timer::default() })
    }

    pub(super) fn send(&mut self, request: Request<Body>) {
        self.spare = copy(&request);
        let reply = self.stream.sender.try_send_request(request);
        self.reply = Some(ReusableBoxFuture::new(reply));
    }

    /// Waits for the response headers.
    pub(super) fn poll_reply(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Incoming>, Failed>> {
        let Some(reply) = &mut self.reply else {
            return Poll::Pending;
        };
        let spare = &mut self.spare;
        reply.poll(cx).map_err(|mut failed| {
            let request = failed.take_message();
            let error = failed.into_error();
            let request = request.or_else(|| spare.take().filter(|_| was_refused_unseen(&error)));
            (error, request)
        })
    }

    pub(super) fn is_overdue(&mut self, due: Instant, cx: &mut Context<'_>) -> bool {
        self.timer.passed(due, cx)
    }

    pub(super) fn into_stream(self) -> (Stream, Timer) {
        (self.stream, self.timer)
    }
}

/// The same request, if its body is in memory. Its facts have been read and stay behind.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    Some(copy)
}

/// RFC 9113, 8.7: the server vouches that it did nothing, by `REFUSED_STREAM` or by a `GOAWAY`
/// whose last stream is older than this one.
fn was_refused_unseen(error: &hyper::Error) -> bool {
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        let is_refused = cause.is_reset() && cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_remote() && (is_refused || cause.is_go_away())
    })
}

/// Starts hyper's tasks. The first one reads the socket: until the peer's limit on streams is
/// known, each of its turns also wakes the [`Driver`], which can see it.
#[derive(Clone, Debug)]
struct Executor {
    tasks: Tasks,
    load: Arc<Load>,
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, task: F) {
        if self.load.is_watched.swap(true, Ordering::Relaxed) {
            self.tasks.spawn(task);
        } else {
            self.tasks.spawn(Watched { task, load: Arc::clone(&self.load) });
        }
    }
}

#[pin_project]
struct Watched<F> {
    #[pin]
    task: F,
    load: Arc<Load>,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let polled = this.task.poll(cx);
        if this.load.limit.load(Ordering::Relaxed) == PRESUMED_LIMIT {
            let driver = this.load.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
            driver.into_iter().for_each(Waker::wake);
        }
        polled
    }
}

/// The connection's own task. It ends when the pool and all calls have let go of it.
struct Driver {
    connection: Connection<TokioIo<Bytes>, Body, Executor>,
    load: Arc<Load>,
    _open: Open,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = Pin::new(&mut self.connection).poll(cx);
        let limit = self.connection.current_max_send_streams();
        self.load.limit.store(limit, Ordering::Relaxed);
        if limit == PRESUMED_LIMIT {
            let waker = cx.waker().clone();
            *self.load.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
        }
        polled.map(drop)
    }
}
