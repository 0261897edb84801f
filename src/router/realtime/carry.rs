//! Carries the frames of a WebSocket between a client and an upstream, and reads what they cost.
use crate::forward::Line;
use crate::telemetry::{Observed, Trail};
use crate::tunnel::{Carry, Carrying, Client};
use bartizan_layers::end::End;
use bartizan_layers::facts::UsageCell;
use bartizan_layers::wire::tap::{Session, realtime_usage};
use bartizan_layers::wire::websocket::Messages;
use bytes::Bytes;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// What is read ahead of a slow reader, in each direction.
const BUFFER: usize = 16 * 1024;

/// The longest message that is searched for usage.
const LONGEST: usize = 1 << 20;

/// How long an upstream may go on after its client has left.
const GRACE: Duration = Duration::from_secs(1);

/// Close frames with the code 1001, "going away" (RFC 6455, 7.4.1): as a server sends it, and as a
/// client does, masked with zeros.
const AWAY_TO_CLIENT: [u8; 4] = [0x88, 2, 0x03, 0xe9];
const AWAY_TO_UPSTREAM: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9];

/// The upstream's end of a realtime call.
#[derive(Debug)]
pub(super) struct Realtime {
    pub(super) line: Line,
    pub(super) session: Session,
    pub(super) usage: UsageCell,
    pub(super) trail: Option<Trail>,
    pub(super) observed: Observed,
}

/// Which way the tunnel came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    ClientLeft,
    UpstreamLeft,
    Cut,
}

impl Carry for Realtime {
    fn carry<'a>(self: Box<Self>, client: Client<'a>) -> Carrying<'a> {
        Box::pin(self.run(client))
    }
}

impl Realtime {
    async fn run(self, client: Client<'_>) -> End {
        let Self { mut line, session, usage, trail, observed } = self;
        let _open = Opened::new(observed);
        let early = line.take_early();
        let count = |add: fn(&Trail, u64), bytes: &[u8]| {
            trail.iter().for_each(|trail| add(trail, bytes.len() as u64));
        };
        let (mut up, mut down) = (Way::new(0), Way::new(LONGEST));
        let (from_client, mut to_client) = tokio::io::split(client.io);
        let (from_upstream, mut to_upstream) = tokio::io::split(line);
        let asking = async {
            let asked = up.pump(client.early, from_client, &mut to_upstream, |way, bytes| {
                count(Trail::add_received, bytes);
                way.push(bytes, |_| {});
            });
            let side = asked.await;
            if side == Side::Ended {
                // An upstream that is gone already needs no end.
                timeout(GRACE, to_upstream.shutdown()).await.ok();
            }
            side
        };
        let answering = down.pump(early, from_upstream, &mut to_client, |way, bytes| {
            count(Trail::add_written, bytes);
            way.push(bytes, |text| {
                realtime_usage(session, text).into_iter().for_each(|it| usage.add(it));
            });
        });
        let over = over(asking, answering, client.cut).await;
        if over == Over::Cut {
            down.say(&mut to_client, &AWAY_TO_CLIENT).await;
            up.say(&mut to_upstream, &AWAY_TO_UPSTREAM).await;
        }
        match over {
            Over::Cut => End::Cancelled,
            _ if up.messages.is_closed() || down.messages.is_closed() => End::Complete,
            Over::ClientLeft => End::Cancelled,
            Over::UpstreamLeft => End::Failed,
        }
    }
}

/// Waits for the end: `asking` carries the client's frames, `answering` the upstream's.
async fn over(
    asking: impl Future<Output = Side>,
    answering: impl Future<Output = Side>,
    cut: &CancellationToken,
) -> Over {
    let mut answering = pin!(answering);
    tokio::select! {
        side = &mut answering => side.over(Over::UpstreamLeft, Over::ClientLeft),
        side = asking => {
            // The upstream may still answer to a close frame, or finish what nobody reads.
            if side == Side::Ended {
                timeout(GRACE, answering).await.ok();
            }
            side.over(Over::ClientLeft, Over::UpstreamLeft)
        }
        () = cut.cancelled() => Over::Cut,
    }
}

/// One direction.
#[derive(Debug)]
struct Way {
    messages: Messages,
    /// What was read last is not written yet.
    is_writing: bool,
}

/// Who ended a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// It sends nothing more, in good order.
    Ended,
    /// It broke off.
    Sender,
    /// It takes nothing more.
    Reader,
}

impl Side {
    const fn over(self, sender: Over, reader: Over) -> Over {
        match self {
            Self::Ended | Self::Sender => sender,
            Self::Reader => reader,
        }
    }
}

impl Way {
    const fn new(longest: usize) -> Self {
        Self { messages: Messages::new(longest), is_writing: false }
    }

    /// Carries bytes, `early` ones first, until one side has left. Nothing more is read before the
    /// last was written.
    async fn pump(
        &mut self,
        early: Bytes,
        mut from: impl AsyncRead + Unpin,
        to: &mut (impl AsyncWrite + Unpin),
        mut seen: impl FnMut(&mut Messages, &[u8]),
    ) -> Side {
        let mut buffer = vec![0; BUFFER];
        let mut early = Some(early).filter(|early| !early.is_empty());
        loop {
            let first = early.take();
            let bytes = match &first {
                Some(early) => early,
                None => match from.read(&mut buffer).await {
                    Ok(0) => break,
                    Ok(len) => buffer.get(..len).unwrap_or_default(),
                    Err(_) => return Side::Sender,
                },
            };
            self.is_writing = true;
            seen(&mut self.messages, bytes);
            if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
                return Side::Reader;
            }
            self.is_writing = false;
        }
        Side::Ended
    }

    /// Puts in a frame of our own, if it can stand there and is taken at once.
    async fn say(&self, to: &mut (impl AsyncWrite + Unpin), frame: &[u8]) {
        if self.is_writing || self.messages.is_closed() || !self.messages.is_between_frames() {
            return;
        }
        let said = async {
            to.write_all(frame).await?;
            to.flush().await
        };
        if !matches!(timeout(Duration::from_millis(100), said).await, Ok(Ok(()))) {
            tracing::debug!("a tunnel was cut without a close frame");
        }
    }
}

/// Counts an open stream for as long as it lives.
struct Opened(Observed);

impl Opened {
    fn new(observed: Observed) -> Self {
        observed.opened();
        Self(observed)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.closed();
    }
}
