//! From a client's dialect to a provider's, and back.
//!
//! A call is translated where its deployment does not speak its client's dialect: the request once
//! ([`Translation::read`], [`Draft::write`]), the answer by the [`Reply`] that this leaves.
mod count;
mod draft;
mod embeddings;
mod fit;
mod protocol;
mod reply;
mod stream;
#[cfg(test)]
mod tests;
mod words;

pub use self::count::Count;
pub use self::draft::{Draft, Edits, Translated};
pub use self::protocol::{Protocol, native};
pub use self::reply::{Reply, Whole};
pub use self::stream::Stream;

/// Whose words a call is asked in, and whose it is answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// What the client speaks.
    pub client: Protocol,
    /// What the provider speaks.
    pub provider: Protocol,
}
