//! The layers around one route of an axum router, beside routes of its own.
//! `OPENAI_BASE_URL` is `http`, unless you give hyper's client a connector that speaks TLS.
#![expect(clippy::disallowed_methods, reason = "a program of its own")]
use axum::{Router, routing::get};
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::cost::{CostLayer, MemoryLedger};
use bartizan_layers::facts::{Limit, Measure, NanoUsd, Price, Principal, Rates, Scope};
use bartizan_layers::ratelimit::{MemoryLimiter, PrincipalLimits, RateLimitLayer};
use bartizan_layers::wire::{ingest::IngestLayer, usage_tap::UsageTapLayer};
use bartizan_layers::{BoxError, respond::RespondLayer, upstream::Upstream};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{env, sync::Arc};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

/// A route for chats, which `budget` pays for, and one that tells what is left of it.
pub(crate) fn router(upstream: Upstream, budget: MemoryLedger) -> Router {
    let price = Arc::new(Price::flat(Rates::per_million(0.15, 0.60)));
    let (scope, subject, measure) = (Scope::Key, "alice".into(), Measure::Tokens);
    let limits = [Limit { scope, subject, measure, most: 10_000 }].into();
    let alice = Principal { limits, ..Principal::new("alice", "alice") };
    let left = budget.clone();
    let chat = ServiceBuilder::new()
        .layer(RespondLayer::new())
        .layer(AuthLayer::new(MemoryKeys::new().with(b"sk-alice", alice)))
        .layer(IngestLayer::new(price.clone()))
        .layer(RateLimitLayer::new(MemoryLimiter::new(PrincipalLimits)))
        .layer(CostLayer::new(budget))
        .layer(UsageTapLayer::new(price))
        .map_request(move |req| upstream.direct(req))
        .service(Client::builder(TokioExecutor::new()).build_http());
    Router::new()
        .route_service("/v1/chat/completions", chat)
        .route("/left", get(async move || left.left().to_string()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let base = env::var("OPENAI_BASE_URL").unwrap_or("http://127.0.0.1:4000/v1".into());
    let key = env::var("OPENAI_API_KEY").unwrap_or_default();
    let five_dollars_a_day = MemoryLedger::daily(NanoUsd::from_dollars(5.0));
    let router = router(Upstream::new(&base)?.bearer(&key)?, five_dollars_a_day);
    axum::serve(TcpListener::bind("127.0.0.1:8080").await?, router).await?;
    Ok(())
}
