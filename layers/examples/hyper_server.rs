//! A small gateway: who calls, how often, for how much, and what if the upstream fails.
//! `OPENAI_BASE_URL` is `http`, unless you give hyper's client a connector that speaks TLS.
#![expect(clippy::disallowed_methods, reason = "a program of its own")]
use bartizan_layers::auth::access::{AccessLayer, Groups};
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::breaker::{BreakerLayer, Gate, Policy, Rule};
use bartizan_layers::cache::{CacheLayer, MemoryStore};
use bartizan_layers::cost::{CallRecord, CostLayer, MemoryLedger};
use bartizan_layers::facts::{Limit, Measure, NanoUsd, Price, Principal, Rates, Scope};
use bartizan_layers::fallback::{FallbackLayer, Plan, Target};
use bartizan_layers::ratelimit::{MemoryLimiter, PrincipalLimits, RateLimitLayer};
use bartizan_layers::wire::{ingest::IngestLayer, usage_tap::UsageTapLayer};
use bartizan_layers::{BoxError, respond::RespondLayer, retold::Retold, retry, upstream::Upstream};
use hyper_util::{client::legacy::Client, rt, service::TowerToHyperService};
use std::{collections::HashMap, env, sync::Arc};
use tokio::net::TcpListener;

/// Answers whoever calls `listener`.
pub(crate) async fn serve(
    listener: TcpListener,
    upstream: Upstream,
    budget: MemoryLedger,
) -> Result<(), BoxError> {
    let price = |input, output| Arc::new(Price::flat(Rates::per_million(input, output)));
    let prices = HashMap::from([("gpt-4o", price(2.5, 10.0)), ("gpt-4o-mini", price(0.15, 0.6))]);
    let (scope, subject, measure) = (Scope::Key, "alice".into(), Measure::Requests);
    let limits = [Limit { scope, subject, measure, most: 60 }].into();
    let alice = Principal { limits, ..Principal::new("alice", "alice") };
    let plan = Plan::default().general("gpt-4o", [Target::new("gpt-4o-mini")]);
    let gateway = tower::ServiceBuilder::new()
        .layer(RespondLayer::new())
        .layer(AuthLayer::new(MemoryKeys::new().with(b"sk-alice", alice)))
        .layer(IngestLayer::new(prices.clone()).cache_keys())
        // A model without a price would cost nothing.
        .layer(AccessLayer::new(Groups::new().only("alice", ["gpt-4o", "gpt-4o-mini"])))
        .layer(RateLimitLayer::new(MemoryLimiter::new(PrincipalLimits)))
        .layer(CacheLayer::new(MemoryStore::new()).replay(Retold))
        .layer(CostLayer::new(budget).sink(|call: CallRecord| eprintln!("cost: {}", call.cost)))
        .layer(FallbackLayer::new(Arc::new(plan)))
        .layer(retry::RetryLayer::new(retry::Rules::default()))
        .layer(BreakerLayer::new(Gate::new(Policy::new(Rule::Consecutive(5)))))
        .layer(UsageTapLayer::new(prices))
        .map_request(move |req| upstream.direct(req))
        .service(Client::builder(rt::TokioExecutor::new()).build_http());
    loop {
        let stream = rt::TokioIo::new(listener.accept().await?.0);
        let gateway = TowerToHyperService::new(gateway.clone());
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(stream, gateway));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let base = env::var("OPENAI_BASE_URL").unwrap_or("http://127.0.0.1:4000/v1".into());
    let key = env::var("OPENAI_API_KEY").unwrap_or_default();
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    let five_dollars_a_day = MemoryLedger::daily(NanoUsd::from_dollars(5.0));
    serve(listener, Upstream::new(&base)?.bearer(&key)?, five_dollars_a_day).await
}
