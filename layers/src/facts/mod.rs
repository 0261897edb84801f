//! Facts about one call that layers hand to each other through [`http::Extensions`].
//!
//! One type per fact, one writer, any readers, and a stated meaning where it is absent.
mod answered;
mod bill;
mod call;
mod fault;
mod limit;
mod money;
mod principal;
mod usage;

pub use self::answered::{Answered, LookUp};
pub use self::bill::{Bill, Finish, UsageCell};
pub use self::call::{
    Amount, Attempt, CacheControl, CacheKey, CacheStatus, Call, Deadline, Estimate, ServedBy,
};
pub use self::fault::{Cause, Fault, retry_after};
pub use self::limit::{Limit, Measure, Scope};
pub use self::money::NanoUsd;
pub use self::principal::{About, Peer, Principal};
pub use self::usage::{Price, Rates, Unit, Usage};
