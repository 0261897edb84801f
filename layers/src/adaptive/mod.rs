//! Learns how many calls a deployment can have in flight, and lets no more through.
//!
//! An [`AdaptiveLimit`] watches the time to first byte. While its gradient, that of an upstream at
//! ease over that of now, stays near one, the limit grows as far as it is used; where it falls
//! below `1 / tolerance` the limit is cut by a tenth, as it is after a 429, an overload or a run
//! of errors. (TCP Vegas reads congestion from delays like that, and Netflix's Gradient2 limit
//! made a gradient of it; the memory for a limit that was too high, with a plateau before it, is
//! that of CUBIC, RFC 9438.) An upstream that turns bad above some number of calls is kept just
//! below it, with a short look above it every few seconds.
//!
//! Waiting belongs to the [`Group`]: a call tries the limits of its deployments in order and, if
//! none has room, waits for the first that has.
//!
//! # Errors
//!
//! [`Crowded`], where too many wait or none had room in time.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::adaptive::{Bounds, Group, Waiting};
//! # use {bartizan_layers::{BoxError, end::EndBody}, bytes::Bytes, http::Response};
//! # use http_body_util::Empty;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let group = Group::new(Waiting::default());
//! let limits = [group.limit(Bounds::default()), group.limit(Bounds::default())];
//!
//! let (place, mut permit) = group.acquire(&limits).await?;
//! # let call = async |_: usize| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()));
//! let result = call(place).await;
//! permit.judge(result.as_ref());
//! // The permit is free again when the body has ended.
//! let response = result?.map(|body| EndBody::new(body, permit));
//! # let _ = response;
//! # Ok(())
//! # }
//! ```
mod control;
mod group;
mod limit;
mod seen;
mod slots;
#[cfg(test)]
mod tests;

pub use self::control::Outcome;
pub use self::group::{Acquire, Crowded, Group, Waiting};
pub use self::limit::{AdaptiveLimit, Permit};

/// Between what a limit is sought, and where the search begins.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bounds {
    /// Calls in flight that are always allowed; 1 unless told.
    pub min: u32,
    /// Never more than that; 1000 unless told.
    pub max: u32,
    /// Where it begins; 10 unless told.
    pub initial: u32,
    /// How many times the time to first byte of an upstream at ease is still well; 1.5 unless
    /// told. Above it the limit is too high.
    pub tolerance: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min: 1, max: 1000, initial: 10, tolerance: 1.5 }
    }
}

impl Bounds {
    /// From `min` to `max`; `min` is at least one.
    #[must_use]
    pub fn between(min: u32, max: u32) -> Self {
        Self { min: min.max(1), max: max.max(min.max(1)), ..Self::default() }
    }

    /// Begins the search at `initial`.
    #[must_use]
    pub const fn starting_at(self, initial: u32) -> Self {
        Self { initial, ..self }
    }
}
