//! Answers that go on as a tunnel: a 101 after which the connection carries bytes both ways.
//!
//! Who makes such an answer leaves a [`Tunnel`] among the response's facts. Who records calls asks
//! it to tell its end, as the body of a 101 has none. The listener takes it out, and runs it on the
//! client's connection once the 101 was written.
use bartizan_layers::end::{End, OnEnd};
use bytes::Bytes;
use http_body::Frame;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// The client's end of a tunnel.
pub struct Client<'a> {
    /// Its connection, behind the 101. Whoever lent it closes it.
    pub io: &'a mut dyn Duplex,
    /// What it sent before it had read the 101.
    pub early: Bytes,
    /// Fires when the tunnel has to end now.
    pub cut: &'a CancellationToken,
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("early", &self.early.len()).finish_non_exhaustive()
    }
}

/// A tunnel at work.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = End> + Send + 'a>>;

/// The other end of a tunnel.
pub trait Carry: Send + 'static {
    /// Carries bytes until one of both ends has left.
    fn carry<'a>(self: Box<Self>, client: Client<'a>) -> Carrying<'a>;
}

/// A tunnel that waits for the client's connection. A response fact; clones are one tunnel.
#[derive(Clone)]
pub struct Tunnel(Arc<Mutex<Option<Waiting>>>);

struct Waiting {
    carry: Box<dyn Carry>,
    told: Told,
}

impl Tunnel {
    /// A tunnel to `carry`.
    pub fn new(carry: impl Carry) -> Self {
        let waiting = Waiting { carry: Box::new(carry), told: Told(None) };
        Self(Arc::new(Mutex::new(Some(waiting))))
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `hear` told how the tunnel ends: once, and as cancelled if it never begins.
    pub fn on_end(&self, hear: impl OnEnd) {
        if let Some(waiting) = self.waiting().as_mut() {
            waiting.told = Told(Some(Box::new(|end| hear.on_end(end))));
        }
    }

    /// Carries bytes to and from `client` until one of both ends has left.
    pub async fn run(self, client: Client<'_>) {
        let Some(Waiting { carry, mut told }) = self.waiting().take() else { return };
        let end = carry.carry(client).await;
        told.tell(end);
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}

/// The body of a 101, which has none: it lasts as long as the tunnel, so that whoever waits for
/// the end of the answer waits for that.
#[derive(Clone, Copy, Debug)]
pub struct Open;

impl http_body::Body for Open {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Tells an end once, even if nobody came to one.
struct Told(Option<Box<dyn FnOnce(End) + Send>>);

impl Told {
    fn tell(&mut self, end: End) {
        if let Some(hear) = self.0.take() {
            hear(end);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.tell(End::Cancelled);
    }
}

#[cfg(test)]
mod tests {
    use super::{Carry, Carrying, Client, Tunnel};
    use bartizan_layers::end::End;
    use bytes::Bytes;
    use std::sync::mpsc::{Receiver, channel};
    use tokio_util::sync::CancellationToken;

    struct Ends(End);

    impl Carry for Ends {
        fn carry<'a>(self: Box<Self>, _client: Client<'a>) -> Carrying<'a> {
            Box::pin(async move { self.0 })
        }
    }

    fn heard(tunnel: &Tunnel) -> Receiver<End> {
        let (tell, ends) = channel();
        tunnel.on_end(move |end| tell.send(end).unwrap());
        ends
    }

    #[tokio::test]
    async fn the_end_of_a_tunnel_is_told_once() {
        let tunnel = Tunnel::new(Ends(End::Failed));
        let ends = heard(&tunnel);
        let (mut io, _other) = tokio::io::duplex(1);
        let cut = CancellationToken::new();
        tunnel.run(Client { io: &mut io, early: Bytes::new(), cut: &cut }).await;
        assert_eq!(ends.iter().collect::<Vec<_>>(), [End::Failed]);
    }

    #[test]
    fn a_tunnel_that_never_begins_is_cancelled() {
        let tunnel = Tunnel::new(Ends(End::Complete));
        let ends = heard(&tunnel);
        drop(tunnel);
        assert_eq!(ends.iter().collect::<Vec<_>>(), [End::Cancelled]);
    }
}
