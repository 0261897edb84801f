//! The one body that erased services share.
use crate::BoxError;
use bytes::{Buf, Bytes};
use http::Request;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use pin_project::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body: bytes in memory, or a boxed stream. Only the stream pays for a box.
#[pin_project(project = BodyProj)]
#[derive(Debug)]
pub enum Body {
    /// All of it, in memory.
    Full(Bytes),
    /// All of it, in memory, in more than one piece.
    Parts(Parts),
    /// Frames as they arrive.
    Stream(#[pin] Frames),
}

/// A boxed stream of frames. Made by [`Body::stream`].
#[pin_project]
#[derive(Debug)]
pub struct Frames(#[pin] UnsyncBoxBody<Bytes, BoxError>);

/// Pieces of a body in memory. Clones share them.
#[derive(Clone, Debug)]
pub struct Parts {
    pieces: Arc<[Bytes]>,
    next: usize,
}

impl Parts {
    /// Puts `pieces` one after the other.
    #[must_use]
    pub fn new(pieces: Vec<Bytes>) -> Self {
        Self { pieces: pieces.into(), next: 0 }
    }

    fn rest(&self) -> &[Bytes] {
        self.pieces.get(self.next..).unwrap_or_default()
    }

    fn pop(&mut self) -> Option<Bytes> {
        let piece = self.rest().iter().position(Buf::has_remaining)?;
        self.next += piece + 1;
        self.pieces.get(self.next - 1).cloned()
    }

    fn remaining(&self) -> u64 {
        self.rest().iter().map(|piece| piece.len() as u64).sum()
    }
}

impl Body {
    /// No bytes at all.
    #[must_use]
    pub const fn empty() -> Self {
        Self::Full(Bytes::new())
    }

    /// Boxes a stream of frames.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self::Stream(Frames(body.map_err(Into::into).boxed_unsync()))
    }

    /// A second body with the same bytes, by reference counts. `None` for a stream.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        match self {
            Self::Full(bytes) => Some(Self::Full(bytes.clone())),
            Self::Parts(parts) => Some(Self::Parts(parts.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// A second request with the same body, head and facts, for another attempt. `None` where the body
/// is a stream, which can be sent once.
#[must_use]
pub fn repeat(req: &Request<Body>) -> Option<Request<Body>> {
    let mut again = Request::new(req.body().try_clone()?);
    *again.method_mut() = req.method().clone();
    *again.uri_mut() = req.uri().clone();
    *again.version_mut() = req.version();
    *again.headers_mut() = req.headers().clone();
    *again.extensions_mut() = req.extensions().clone();
    Some(again)
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let piece = match self.project() {
            BodyProj::Full(bytes) => Some(std::mem::take(bytes)).filter(Buf::has_remaining),
            BodyProj::Parts(parts) => parts.pop(),
            BodyProj::Stream(frames) => return frames.project().0.poll_frame(cx),
        };
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Parts(parts) => parts.remaining() == 0,
            Self::Stream(frames) => frames.0.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Parts(parts) => SizeHint::with_exact(parts.remaining()),
            Self::Stream(frames) => frames.0.size_hint(),
        }
    }
}
