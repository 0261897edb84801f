//! Where answers are kept, and how a stream becomes a whole answer: the seams of the layer.
use super::{Entry, Key};
use crate::BoxError;
use bytes::Bytes;
use http::Extensions;
use std::time::Duration;

/// Keeps answers. Clones share them.
///
/// An implementation that cannot reach its store says so, and the layer takes that for a miss: a
/// cache that is away costs money, but no call.
pub trait Store: Clone {
    /// The future of [`Store::get`].
    type Get: Future<Output = Result<Option<Entry>, BoxError>>;
    /// The future of [`Store::remove`] and [`Store::clear`].
    type Done: Future<Output = Result<(), BoxError>>;

    /// Finds an answer that has not expired.
    fn get(&self, key: &Key) -> Self::Get;

    /// Keeps an answer for `ttl`, or as long as this store keeps answers. Called when a body ends,
    /// possibly from `Drop`: it must not block, and what it cannot keep it forgets.
    fn put(&self, key: Key, entry: Entry, ttl: Option<Duration>);

    /// Forgets an answer.
    fn remove(&self, key: &Key) -> Self::Done;

    /// Forgets all answers.
    fn clear(&self) -> Self::Done;
}

/// Gives a kept answer the form that a request asks for. `None` where it has no such form: then
/// the upstream is asked. Where the facts say which API a call uses, `wire::replay` (feature
/// `wire`) has the forms of OpenAI's and Anthropic's.
pub trait Replay: Clone {
    /// The whole answer for the call with these `facts`, of one that was kept as a stream.
    fn whole(&self, facts: &Extensions, kept: &Entry) -> Option<Bytes>;

    /// A stream for the call with these `facts`, of an answer that was kept whole.
    fn stream(&self, facts: &Extensions, kept: &Entry) -> Option<Bytes>;

    /// A stream for the call with these `facts`, of one that was kept as a stream. The default
    /// is the same bytes.
    fn again(&self, _facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        Some(kept.body.clone())
    }
}

/// Replays streams as streams and whole answers as whole answers, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsKept;

impl Replay for AsKept {
    fn whole(&self, _facts: &Extensions, _kept: &Entry) -> Option<Bytes> {
        None
    }

    fn stream(&self, _facts: &Extensions, _kept: &Entry) -> Option<Bytes> {
        None
    }
}
