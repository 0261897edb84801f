//! Tower layers for LLM traffic: HTTP-level, stream-aware, byte-preserving.
//!
//! They know HTTP, tokens and money; they know no provider, no configuration file and no server. So
//! they fit around a hyper or axum server, and as well around an outgoing client inside an
//! application. A call ends with its body, not with its headers: what a layer accounts for is settled
//! when the answer's body is complete, has failed, or was abandoned ([`end`]).
//!
//! # A stack
//!
//! All of them, in the order in which they belong. Any of them may be left out; `usage_tap` is what
//! learns usage, and `ingest` what reads requests, so that most others have something to go by.
//!
#![cfg_attr(feature = "full", doc = "```")]
#![cfg_attr(not(feature = "full"), doc = "```ignore")]
//! use bartizan_layers::auth::{AuthLayer, MemoryKeys};
//! use bartizan_layers::breaker::{BreakerLayer, Gate, Policy, Rule};
//! use bartizan_layers::cache::{CacheLayer, MemoryStore};
//! use bartizan_layers::cost::{CostLayer, MemoryLedger};
//! use bartizan_layers::facts::{NanoUsd, Price, Principal, Rates};
//! use bartizan_layers::fallback::{FallbackLayer, Plan, Target};
//! use bartizan_layers::ratelimit::{MemoryLimiter, PrincipalLimits, RateLimitLayer};
//! use bartizan_layers::respond::RespondLayer;
//! use bartizan_layers::retold::Retold;
//! use bartizan_layers::retry::{RetryLayer, Rules};
//! use bartizan_layers::wire::{ingest::IngestLayer, usage_tap::UsageTapLayer};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::{BodyExt, Full}};
//! use std::sync::Arc;
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # let client = tower::service_fn(async |_| {
//! #     let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
//! #     let json = Response::builder().header("content-type", "application/json");
//! #     Ok::<_, BoxError>(json.body(Full::new(Bytes::from(answer)))?)
//! # });
//! let price = Arc::new(Price::flat(Rates::per_million(0.15, 0.60)));
//! let budget = MemoryLedger::daily(NanoUsd::from_dollars(5.0));
//! let alice = Principal::new("alice", "alice");
//! let plan = Plan::default().general("large", [Target::new("small")]);
//! let stack = ServiceBuilder::new()
//!     // Makes answers of all errors below.
//!     .layer(RespondLayer::new())
//!     // Who calls? It needs headers only: a stranger cannot make us read a body.
//!     .layer(AuthLayer::new(MemoryKeys::new().with(b"sk-alice", alice)))
//!     // Reads the body: which model, how much may it take, is there an equal call?
//!     .layer(IngestLayer::new(price.clone()).cache_keys())
//!     // A hit is a call, too, but gives its tokens back.
//!     .layer(RateLimitLayer::new(MemoryLimiter::new(PrincipalLimits)))
//!     // A hit needs no money and no upstream.
//!     .layer(CacheLayer::new(MemoryStore::new()).replay(Retold))
//!     // One hold for each call, however many attempts it takes.
//!     .layer(CostLayer::new(budget.clone()))
//!     // Another group, then another attempt in the same one.
//!     .layer(FallbackLayer::new(Arc::new(plan)))
//!     .layer(RetryLayer::new(Rules::default()))
//!     // Each attempt counts for its deployment, and is a line on the bill.
//!     .layer(BreakerLayer::new(Gate::new(Policy::new(Rule::Consecutive(5)))))
//!     .layer(UsageTapLayer::new(price))
//!     .service(client);
//!
//! let chat = Full::new(Bytes::from(r#"{"model":"large","messages":[]}"#));
//! let call = Request::post("/v1/chat/completions").header("authorization", "Bearer sk-alice");
//! let Ok(answer) = stack.oneshot(call.body(chat)?).await;
//! assert_eq!(answer.status(), 200);
//! answer.into_body().collect().await?;
//! // Three tokens in at 150 billionths of a dollar, one out at 600.
//! assert_eq!(NanoUsd::from_dollars(5.0) - budget.left(), NanoUsd(1_050));
//! # Ok(())
//! # }
//! ```
//!
//! Between a client and a budget, three layers are enough: `ingest`, `cost`, `usage_tap`. The
//! repository's `layers/examples` have that, a gateway on hyper, and a route in axum; its
//! `docs/layers.md` is a guide.
//!
//! # Modules and features
//!
//! No feature is on by default. `full` is all of them.
//!
//! | module | feature | what it is |
//! |---|---|---|
//! | `adaptive` | `adaptive` | how many calls an upstream bears at once, learned |
//! | `auth` | `auth` | a key becomes a principal; `auth::access`: may it use this model |
//! | `breaker` | `breaker` | rests a deployment that fails, and probes it |
//! | `cache` | `cache` | answers equal calls once |
//! | `cost` | `cost` | budgets, and a record of each call |
//! | `fallback` | `fallback` | another model group for a call that failed |
//! | `ratelimit` | `ratelimit` | calls, tokens and open calls, per whoever it is |
//! | `redis` | `redis` | the policies of four layers in one Redis, for several processes; brings `breaker`, `cache`, `cost`, `ratelimit` |
//! | `retry` | `retry` | another attempt, by cause and budget |
//! | `wire` | `wire` | what the OpenAI, Anthropic and Gemini wires say: `ingest`, `usage_tap`, and their parts |
//! | `retold` | `cache` and `wire` | kept streams as whole answers, and the other way round |
//! | [`facts`] | | what layers tell each other: usage, prices, money, faults |
//! | [`body`], [`end`] | | the body that layers share, and how it ended |
//! | [`respond`], [`upstream`] | | both ends of a stack: errors become answers, calls get an address |
//! | [`cause`], [`query`] | | what is in a chain of errors; parts of a query |
//!
//! # How they fit together
//!
//! - **Policies.** Each layer asks a trait for what it decides, with a default in memory: `Keys`,
//!   `Limiter`, `Store`, `Ledger`, and so on. Policies are cheap to clone and share their state.
//! - **Facts.** What layers tell each other is one type per fact in [`http::Extensions`], with one
//!   writer and a meaning where it is absent. Where nobody writes a fact, the layers that read it go
//!   by less. So one of them can be replaced, also by code that knows nothing of the others.
//! - **Errors.** A small enum for each layer, inside a [`BoxError`]; [`cause::cause_ref`] finds it.
//!   How an attempt failed is a [`facts::Fault`], of an answer or in an error's chain: retry,
//!   fallback and breaker go by it alone.
//! - **Nothing is spawned.** Layers are futures and bodies. What has to run beside them, as the
//!   settler of `redis`, is a future that its owner drives.
#[cfg(feature = "adaptive")]
pub mod adaptive;
#[cfg(feature = "auth")]
pub mod auth;
pub mod body;
#[cfg(feature = "breaker")]
pub mod breaker;
#[cfg(feature = "cache")]
pub mod cache;
pub mod cause;
#[cfg(feature = "cost")]
pub mod cost;
pub mod end;
pub mod facts;
#[cfg(feature = "fallback")]
pub mod fallback;
pub mod query;
#[cfg(feature = "ratelimit")]
pub mod ratelimit;
#[cfg(feature = "redis")]
pub mod redis;
pub mod respond;
#[cfg(all(feature = "cache", feature = "wire"))]
pub mod retold;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(any(feature = "adaptive", feature = "breaker", feature = "cache", feature = "ratelimit"))]
mod sync;
pub mod upstream;
#[cfg(feature = "wire")]
pub mod wire;

/// A type-erased error, as in `tower`.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
