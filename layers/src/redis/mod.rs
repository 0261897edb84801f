//! State that several processes share: limits, budgets, cooldowns and answers in one Redis.
//!
//! [`Redis`] is a handle on one connection; [`RedisLimiter`], [`RedisLedger`], [`Gate::shared`] and
//! [`RedisStore`] are the policies that take it. Beside it stands the [`Settler`]: a future that
//! its owner drives. It connects, settles what has ended, renews what is open, and listens to
//! other nodes; nothing here spawns a task (the client library runs one for each connection).
//!
//! Before a call, one script admits it on all its levels or on none: windows of requests and
//! tokens, permits, and money. After it, what it took is settled in a pipeline with all else that
//! ended meanwhile. A limiter that is told of the [ledger](crate::cost::RedisLedger::joining) below it makes the
//! hold in its own round trip, and both are settled together. Time is Redis' own. In a Cluster
//! there is one script for each hash tag, in the order of their names; when a later one refuses,
//! what the earlier ones took is given back.
//!
//! It needs Redis 7.0 or later.
//!
//! # Keys
//!
//! All begin with the [prefix](Settings::prefix), `bartizan:`, and one in braces lies in one slot
//! with all others of the same braces. `<scope>` is a limit's or budget's
//! [scope](crate::facts::Scope::name), `<budget>` is `budget` or `budget:<window>`.
//!
//! | key | type | lives | what |
//! |---|---|---|---|
//! | `{<scope>:<subject>}:requests`, `:tokens` | hash | the window | `n` counted, since `t` in milliseconds |
//! | `{<scope>:<subject>}:parallel` | sorted set | twice the hold's life | permits by when they expire |
//! | `{<scope>:<subject>}:<budget>:spent` | integer | the window | billionths of a dollar |
//! | `{<scope>:<subject>}:<budget>:held` | integer | while any is held | the sum of the holds |
//! | `{<scope>:<subject>}:<budget>:holds` | sorted set | while any is held | `id:amount:mode` by when it expires |
//! | `{<scope>:<subject>}:<budget>:suspects` | sorted set | the window | strict holds by when they expired |
//! | `{<scope>:<subject>}:<budget>:settled` | sorted set | [`Settings::remember`] | ids by when they were settled |
//! | `{nodes}:alive` | sorted set | 10 s | nodes by when they were last heard of |
//! | `{deployment:<id>}:cooldown` | string | the cooldown | the status that caused it, and the node |
//! | `{<board>}:board` | set | a week after the last | texts that nodes [leave](Redis::leave) for each other |
//! | `cache:<key>` | string | the answer's `ttl` | [`Entry::to_bytes`](crate::cache::Entry::to_bytes) |
//!
//! Money is added and subtracted by Redis' integers. Where the script compares it, its numbers are
//! doubles: exact up to 2^53 billionths, some nine million dollars in one budget. Budgets and holds
//! beyond are taken for that much. Redis should not evict these keys: `noeviction` or
//! `volatile-*`, with the cache elsewhere or its answers given a time to live.
//!
//! # Settling
//!
//! A hold has an id, and is settled once for it: what was sent without an answer is sent again.
//! Windows, where that could count twice, are not; what is missed there is over within a minute.
//! The queue is [bounded](Settings::queue): beyond it costs are merged into one sum for each
//! budget, while permits and holds expire by themselves.
//!
//! A hold or permit lives for [`Settings::hold_ttl`] and is renewed three times as often. When its
//! process dies it expires. A permit and a hold of [`Admission::Likely`] are then given back; one
//! of [`Admission::Most`] counts as spent, as a [`Suspect`], until it is resolved.
//!
//! # Outages
//!
//! A command that is not answered within [`Settings::response_timeout`] makes Redis count as away.
//! While it is, commands fail at once, and the settler looks for it once a second; when it answers,
//! everything goes on without a restart. Meanwhile
//! - limits count locally, and each node grants its share by the nodes that were last seen,
//! - budgets refuse with [`Outage`], or admit and charge later, as they are told,
//! - breakers learn by themselves,
//! - the cache misses.
//!
//! A budget that Redis has lost begins with what the store or this process last knew, never with
//! zero, and what open calls hold is held again.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::cost::{Admission, CostLayer, RedisLedger};
//! use bartizan_layers::facts::NanoUsd;
//! use bartizan_layers::ratelimit::{PrincipalLimits, RateLimitLayer, RedisLimiter};
//! use bartizan_layers::redis::{Redis, Settings};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let (redis, settler) = Redis::connect(Settings::from_url("redis://localhost:6379")?);
//! let ledger = RedisLedger::new(&redis, NanoUsd::from_dollars(5.0)).admit_on_outage();
//! let limiter = RedisLimiter::new(&redis, PrincipalLimits)
//!     .with_ledger(ledger.joining(Admission::Likely));
//! let service = ServiceBuilder::new()
//!     .layer(RateLimitLayer::new(limiter))
//!     .layer(CostLayer::new(ledger))
//!     .service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
//!
//! let calls = async { service.oneshot(Request::new(())).await.map(drop) };
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! // A server spawns the settler, and stops it when the last call has ended.
//! let settling = settler.run_until(async { drop(stopped.await) });
//! let (answered, ()) = tokio::join!(async { (calls.await, drop(stop)).0 }, settling);
//! answered
//! # }
//! ```
//!
//! [`Admission::Likely`]: crate::cost::Admission::Likely
//! [`Admission::Most`]: crate::cost::Admission::Most
//! [`Gate::shared`]: crate::breaker::Gate::shared
//! [`RedisLedger`]: crate::cost::RedisLedger
//! [`RedisLimiter`]: crate::ratelimit::RedisLimiter
//! [`RedisStore`]: crate::cache::RedisStore
//! [`Suspect`]: crate::cost::Suspect
mod admit;
mod answers;
mod board;
mod handle;
mod joint;
mod level;
mod link;
mod money;
mod outage;
mod queue;
mod rests;
mod runs;
mod script;
#[cfg(test)]
mod server;
mod settings;
mod settler;
#[cfg(test)]
mod tests;
mod ticket;
mod write;

pub use self::handle::Redis;
pub use self::joint::Joining;
pub use self::outage::Outage;
pub use self::settings::{Settings, UrlError};
pub use self::settler::Settler;

pub(crate) use self::admit::Verdict;
pub(crate) use self::joint::{Joins, Joint, Left};
pub(crate) use self::level::{Count, Level, Lost, Mode, Money, Take, Window, tag};
pub(crate) use self::ticket::Ticket;
pub(crate) use self::write::Write;
