//! What becomes of a request whose body is read.
use crate::BoxError;
use crate::wire::text::Pieces;
use bytes::Bytes;
use http::request::Parts;
use std::fmt::Debug;

/// Which requests are read, how much of them, and what becomes of those that were.
/// [`Notes`](super::Notes) is the one of [`IngestLayer::new`](super::IngestLayer::new).
pub trait Policy: Send + Sync + 'static {
    /// What is known of a request while its body comes, such as its share of the memory.
    type Reading: Debug;
    /// The body that the inner service takes.
    type Body;
    /// Why a request is refused.
    type Error: Into<BoxError>;

    /// Looks at a request before its body is read.
    fn begin<B>(&self, parts: &Parts, body: B) -> Begin<Self::Reading, B, Self::Body>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>;

    /// Asked before so many `bytes` of a body are held in all, or announced.
    ///
    /// # Errors
    /// When they are too many.
    fn admit(&self, reading: &mut Self::Reading, bytes: usize) -> Result<(), Self::Error>;

    /// Why a request is refused whose body broke off.
    fn broken(&self, error: BoxError) -> Self::Error;

    /// Makes the inner service's body of the one that has come.
    ///
    /// # Errors
    /// When it is not what it should be.
    fn read(
        &self,
        reading: Self::Reading,
        parts: &mut Parts,
        body: Pieces,
    ) -> Result<Self::Body, Self::Error>;
}

/// Whether a body is read.
#[derive(Debug)]
pub enum Begin<R, B, T> {
    /// It is, from here on.
    Read(R, B),
    /// It passes as it is.
    Pass(T),
}
