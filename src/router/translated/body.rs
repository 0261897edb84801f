//! A stream in its client's words.
use super::NO_ROOM;
use crate::forward::ForwardError;
use crate::providers::Hold;
use crate::providers::translate::Stream;
use crate::router::keeping::Keeping;
use crate::router::leaf::LeafBody;
use bartizan_layers::BoxError;
use bartizan_layers::facts::UsageCell;
use bytes::Bytes;
use http_body::Frame;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// How much a stream may keep that is not counted, in bytes: any stream takes as much.
pub(super) const FREE: usize = 32 * 1024;

/// A stream in the client's words.
#[derive(Debug)]
pub(super) struct TranslatedBody {
    inner: LeafBody,
    stream: Stream,
    usage: UsageCell,
    keeping: Option<Keeping>,
    /// The end, which waits until the answer is kept.
    saving: Option<Saving>,
    over: bool,
    /// The stream's share of memory, and how many of its bytes are held.
    held: Arc<dyn Hold>,
    holds: usize,
}

impl TranslatedBody {
    /// What `stream` makes of `inner`. The answer is kept by `keeping`, and what the stream has to
    /// remember is a part of `held`.
    pub(super) fn new(
        inner: LeafBody,
        stream: Stream,
        usage: UsageCell,
        keeping: Option<Keeping>,
        held: Arc<dyn Hold>,
    ) -> Self {
        Self { inner, stream, usage, keeping, saving: None, over: false, held, holds: FREE }
    }

    /// Holds what the stream keeps; whether there is memory for it.
    fn hold(&mut self) -> bool {
        let more = self.stream.kept().saturating_sub(self.holds);
        self.holds += more;
        more == 0 || self.held.hold_more(more)
    }
}

/// Bytes for the client, and what comes before.
struct Saving {
    done: Pin<Box<dyn Future<Output = ()> + Send>>,
    out: Vec<u8>,
}

impl fmt::Debug for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving").field("out", &self.out.len()).finish_non_exhaustive()
    }
}

impl http_body::Body for TranslatedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(saving) = &mut this.saving {
            ready!(saving.done.as_mut().poll(cx));
            let out = this.saving.take().map(|saving| saving.out).unwrap_or_default();
            return Poll::Ready(Some(Ok(Frame::data(out.into()))));
        }
        while !this.over {
            let mut out = Vec::new();
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    this.stream.push(&data, &mut out);
                    if !this.hold() {
                        return Poll::Ready(Some(Err(
                            ForwardError::AnswerBody(NO_ROOM.into()).into()
                        )));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    this.over = true;
                    this.stream.finish(&mut out);
                }
            }
            if let Some(usage) = this.stream.usage() {
                this.usage.set(usage);
            }
            if let Some(kept) = this.stream.whole()
                && let Some(keeping) = this.keeping.take()
            {
                this.saving = Some(Saving { done: Box::pin(keeping.keep(kept)), out });
                return self.poll_frame(cx);
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over && self.saving.is_none()
    }
}
