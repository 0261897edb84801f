//! A limit on how long a client may pause while it sends a body.
//!
//! A body that is there already, or that comes in time, costs no timer: one is armed only when
//! there is something to wait for, and from then on moved, which takes no lock.
use crate::providers::Problem;
use bartizan_layers::BoxError;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

/// Nothing more of a body came within this time.
#[derive(Debug, thiserror::Error)]
#[error("nothing more of the body came within {0:?}")]
pub struct Paused(pub Duration);

impl Paused {
    /// What a client gets to see of it (RFC 9110 15.5.9).
    #[must_use]
    pub fn problem(&self) -> Problem {
        let seconds = self.0.as_secs_f64();
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "Nothing more of the request body came within {seconds} seconds. Send it without \
                 pauses, or raise `general_settings.body_timeout`."
            ),
        )
    }
}

/// Wraps services in [`PauseLimit`].
#[derive(Clone, Copy, Debug)]
pub struct PauseLayer(Duration);

impl PauseLayer {
    /// Lets clients pause for up to `longest`.
    #[must_use]
    pub const fn new(longest: Duration) -> Self {
        Self(longest)
    }
}

impl<S> Layer<S> for PauseLayer {
    type Service = PauseLimit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        PauseLimit { inner, longest: self.0 }
    }
}

/// Middleware whose requests have an [`Unpaused`] body. Made by [`PauseLayer`].
#[derive(Clone, Debug)]
pub struct PauseLimit<S> {
    inner: S,
    longest: Duration,
}

impl<S, B> Service<Request<B>> for PauseLimit<S>
where
    S: Service<Request<Unpaused<B>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> S::Future {
        let longest = self.longest;
        self.inner.call(req.map(|body| Unpaused { body, longest, clock: Clock::default() }))
    }
}

/// A body that fails with [`Paused`] when nothing more of it comes in time.
#[derive(Debug)]
pub struct Unpaused<B> {
    body: B,
    longest: Duration,
    clock: Clock,
}

/// Boxed: most bodies never need one.
#[derive(Debug, Default)]
struct Clock {
    timer: Option<Pin<Box<Sleep>>>,
    /// Something came since it was set.
    is_stale: bool,
}

impl<B> Body for Unpaused<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.clock.is_stale = true;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        // All of it has come: only the word that it has ended is on its way.
        if this.body.is_end_stream() {
            return Poll::Pending;
        }
        this.clock.wait(this.longest, cx).map(|()| Some(Err(Paused(this.longest).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Clock {
    fn wait(&mut self, longest: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(longest)));
        if std::mem::take(&mut self.is_stale) {
            timer.as_mut().reset(Instant::now() + longest);
        }
        timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Paused, Unpaused};
    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::{BodyExt, Full, StreamBody};
    use std::convert::Infallible;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    const LONGEST: Duration = Duration::from_secs(60);

    fn unpaused<B>(body: B) -> Unpaused<B> {
        Unpaused { body, longest: LONGEST, clock: Clock::default() }
    }

    /// A body with a byte after each of these pauses, in seconds.
    fn after(pauses: &[u64]) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin {
        let steps = futures_util::stream::iter(pauses.to_vec());
        StreamBody::new(Box::pin(futures_util::StreamExt::then(steps, |pause| async move {
            sleep(Duration::from_secs(pause)).await;
            Ok(Frame::data(Bytes::from_static(b"x")))
        })))
    }

    #[tokio::test]
    async fn a_body_that_is_there_arms_no_timer() {
        let mut body = unpaused(Full::new(Bytes::from_static(b"{}")));
        assert_eq!((&mut body).collect().await.unwrap().to_bytes(), "{}");
        assert!(body.clock.timer.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_long_if_no_pause_is_too_long() {
        let body = unpaused(after(&[59, 0, 59, 1, 59]));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_too_long_ends_the_body() {
        for (pauses, whole) in [(&[61][..], 60), (&[0, 0, 500], 60), (&[59, 500], 119)] {
            let start = Instant::now();
            let error = unpaused(after(pauses)).collect().await.unwrap_err();
            assert_eq!(error.downcast_ref::<Paused>().unwrap().0, LONGEST);
            assert_eq!(start.elapsed().as_secs(), whole, "{pauses:?}");
        }
    }
}
