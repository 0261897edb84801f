//! Why a command had no answer.
use crate::BoxError;
use ::redis::{FromRedisValue, Value};

/// Redis did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Outage {
    /// It is away, or not yet connected.
    #[error("redis is away")]
    Away,
    /// It did not answer in time.
    #[error("redis did not answer in time")]
    Late,
    /// It does not know the script: told again with it, it will.
    #[error("redis does not know the script")]
    NoScript,
    /// It answered with an error.
    #[error("redis refused a command")]
    Failed(#[source] BoxError),
}

/// Reads an answer as what it should be.
pub(super) fn read<T: FromRedisValue>(answer: Value) -> Result<T, Outage> {
    T::from_redis_value(answer).map_err(|error| Outage::Failed(error.to_string().into()))
}
