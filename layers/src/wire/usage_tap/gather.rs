//! Reads the begin of an error's body.
use crate::BoxError;
use crate::body::{Body, Parts};
use crate::wire::peek::Replay;
use bytes::Bytes;
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// So many bytes of an error are read: 64 KiB.
const MOST_READ: usize = 64 * 1024;

/// The future of a body's begin, and of the whole body again.
#[pin_project]
#[derive(Debug)]
pub(super) struct Gather<B> {
    body: Option<B>,
    held: Vec<Bytes>,
    len: usize,
    longest: Duration,
    /// Made at the first wait: most errors come with their headers.
    #[pin]
    timeout: Option<Sleep>,
}

/// What was read, and the body with it in front.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) begin: Bytes,
    pub(super) body: Body,
    /// It broke: its length is not the one that was announced.
    pub(super) is_cut: bool,
}

impl<B> Gather<B> {
    pub(super) fn new(body: B, longest: Duration) -> Self {
        Self { body: Some(body), held: Vec::new(), len: 0, longest, timeout: None }
    }
}

impl<B> Future for Gather<B>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Gathered;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Gathered> {
        let mut this = self.project();
        let mut is_cut = false;
        while *this.len < MOST_READ {
            let Some(body) = this.body.as_mut() else { break };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        *this.len += data.len();
                        this.held.push(data);
                    }
                }
                Poll::Ready(ended) => {
                    is_cut = ended.is_some();
                    *this.body = None;
                }
                Poll::Pending => {
                    if this.timeout.is_none() {
                        this.timeout.set(Some(sleep(*this.longest)));
                    }
                    let timeout = this.timeout.as_mut().as_pin_mut().expect("it was set above");
                    if timeout.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    break;
                }
            }
        }
        let held = std::mem::take(this.held);
        let begin = match &*held {
            [only] => only.clone(),
            held => held.concat().into(),
        };
        let body = match this.body.take() {
            Some(rest) => Body::stream(Replay::new(held, rest)),
            None if held.len() > 1 => Body::Parts(Parts::new(held)),
            None => Body::Full(begin.clone()),
        };
        Poll::Ready(Gathered { begin, body, is_cut })
    }
}
