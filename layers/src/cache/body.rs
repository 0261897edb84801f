//! The body of an answer that passes and is collected, or that was kept.
use super::Store;
use super::fill::Fill;
use crate::end::End;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Passes frames through untouched and collects them by reference, or hands out a kept answer.
/// What was collected is kept when the last frame was delivered, and dropped on any other end.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
pub struct CacheBody<B, T: Store> {
    #[pin]
    state: State<B>,
    fill: Option<Box<Fill<T>>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<B> {
    Passing(#[pin] B),
    Kept(Bytes),
}

impl<B, T: Store> CacheBody<B, T> {
    pub(super) const fn kept(bytes: Bytes) -> Self {
        Self { state: State::Kept(bytes), fill: None }
    }

    pub(super) const fn passing(inner: B, fill: Option<Box<Fill<T>>>) -> Self {
        Self { state: State::Passing(inner), fill }
    }
}

/// What was kept, and what nobody collects, stays as it is.
impl<T: Store + Send + 'static> From<CacheBody<Self, T>> for crate::body::Body {
    fn from(mut body: CacheBody<Self, T>) -> Self {
        if body.fill.is_some() {
            return Self::stream(body);
        }
        match std::mem::replace(&mut body.state, State::Kept(Bytes::new())) {
            State::Passing(inner) => inner,
            State::Kept(bytes) => bytes.into(),
        }
    }
}

impl<B: Body<Data = Bytes>, T: Store> Body for CacheBody<B, T> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let mut inner = match this.state.project() {
            StateProj::Passing(inner) => inner,
            StateProj::Kept(bytes) => {
                let bytes = Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty());
                return Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))));
            }
        };
        let frame = ready!(inner.as_mut().poll_frame(cx));
        match &frame {
            None => end(this.fill, End::Complete),
            Some(Err(_)) => end(this.fill, End::Failed),
            Some(Ok(frame)) => {
                collect(this.fill, frame);
                // With a content length, hyper stops polling at the last byte and never sees `None`.
                if inner.is_end_stream() {
                    end(this.fill, End::Complete);
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Passing(inner) => inner.is_end_stream(),
            State::Kept(bytes) => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.state {
            State::Passing(inner) => inner.size_hint(),
            State::Kept(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

#[pinned_drop]
impl<B, T: Store> PinnedDrop for CacheBody<B, T> {
    fn drop(self: Pin<&mut Self>) {
        end(self.project().fill, End::Cancelled);
    }
}

fn collect<T: Store>(fill: &mut Option<Box<Fill<T>>>, frame: &Frame<Bytes>) {
    let Some(data) = frame.data_ref() else { return };
    if let Some(full) = fill.take_if(|fill| !fill.push(data)) {
        full.give_up();
    }
}

fn end<T: Store>(fill: &mut Option<Box<Fill<T>>>, end: End) {
    if let Some(fill) = fill.take() {
        fill.end(end);
    }
}
