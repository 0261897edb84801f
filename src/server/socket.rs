//! The socket as hyper sees it: it notes that bytes have come, and closes so that the client can
//! read the last answer.
use super::conn::State;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may be silent before we take it that it sends nothing more.
const QUIET: Duration = Duration::from_millis(500);

/// How long we read what nobody wants, in all.
const LONGEST: Duration = Duration::from_secs(5);

/// How many bytes of it: twice the default limit on bodies.
const MOST: usize = 64 * 1024 * 1024;

/// A client's socket that closes in two steps.
///
/// A socket that is closed while bytes of its client are unread answers with RST, and the client
/// may lose the answer that it has not read yet (RFC 9112 9.6): a 413 or 401 given before the body
/// was read would be lost. So the write side is closed first, and what still comes is read and
/// dropped: until the client closes, is quiet for half a second, or has sent for 5 s or 64 MiB.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    state: Arc<State>,
    /// The client has closed its side.
    eof: bool,
    linger: Option<Box<Linger>>,
}

#[derive(Debug)]
struct Linger {
    quiet: Pin<Box<Sleep>>,
    end: Instant,
    left: usize,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, state: Arc<State>) -> Self {
        Self { stream, state, eof: false, linger: None }
    }
}

impl Socket {
    /// Prepares for a tunnel, where silence is no sign of the end: a peer that is gone is noticed.
    pub(super) fn keep_alive(&self) -> io::Result<()> {
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(60))
            .with_interval(Duration::from_secs(15))
            .with_retries(4);
        SockRef::from(&self.stream).set_tcp_keepalive(&keepalive)
    }
}

impl Linger {
    fn new() -> Box<Self> {
        let end = Instant::now() + LONGEST;
        Box::new(Self { quiet: Box::pin(sleep(QUIET)), end, left: MOST })
    }

    /// Ready when the socket may be closed.
    fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        let mut scrap = [0; 8 * 1024];
        loop {
            let mut buf = ReadBuf::new(&mut scrap);
            match Pin::new(&mut *stream).poll_read(cx, &mut buf) {
                Poll::Pending => return self.quiet.as_mut().poll(cx),
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            let now = Instant::now();
            self.left = self.left.saturating_sub(buf.filled().len());
            if buf.filled().is_empty() || self.left == 0 || now >= self.end {
                return Poll::Ready(());
            }
            self.quiet.as_mut().reset((now + QUIET).min(self.end));
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.state.received();
        } else if buf.remaining() > 0 {
            self.eof = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.eof || this.state.between_calls.load(Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        this.linger.get_or_insert_with(Linger::new).poll(&mut this.stream, cx).map(Ok)
    }
}
