//! A budget around an application's own client: three layers, no gateway.
//!
//! `OPENAI_BASE_URL` is an `http` address, by default that of a proxy on this machine; for
//! providers' own `https` addresses, give hyper's client a connector that speaks TLS.
#![expect(clippy::disallowed_methods, reason = "a program of its own")]
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cost::{CostLayer, MemoryLedger};
use bartizan_layers::facts::{NanoUsd, Price, Rates};
use bartizan_layers::wire::{ingest::IngestLayer, usage_tap::UsageTapLayer};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{env, io::Write, sync::Arc};
use tower::{ServiceBuilder, ServiceExt};

/// Asks for a stream, hands out its events as they come, and charges `budget`.
pub(crate) async fn ask(
    base: &str,
    key: &str,
    budget: MemoryLedger,
    mut out: impl Write,
) -> Result<(), BoxError> {
    let price = Arc::new(Price::flat(Rates::per_million(0.15, 0.60)));
    let client = ServiceBuilder::new()
        .layer(IngestLayer::new(price.clone()))
        .layer(CostLayer::new(budget))
        .layer(UsageTapLayer::new(price))
        .service(Client::builder(TokioExecutor::new()).build_http::<Body>());

    let chat = r#"{"model":"gpt-4o-mini","stream":true,"max_tokens":50,
        "messages":[{"role":"user","content":"What is a bartizan?"}]}"#;
    let request = Request::post(format!("{base}/chat/completions"))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(chat)))?;
    let mut answer = client.oneshot(request).await?.into_body();
    while let Some(frame) = answer.frame().await {
        if let Ok(data) = frame?.into_data() {
            out.write_all(&data)?;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let base = env::var("OPENAI_BASE_URL").unwrap_or("http://127.0.0.1:4000/v1".into());
    let key = env::var("OPENAI_API_KEY").unwrap_or_default();
    let five_dollars_a_day = MemoryLedger::daily(NanoUsd::from_dollars(5.0));
    ask(&base, &key, five_dollars_a_day.clone(), std::io::stdout()).await?;
    let cost = NanoUsd::from_dollars(5.0) - five_dollars_a_day.left();
    writeln!(std::io::stdout(), "cost: {cost}")?;
    Ok(())
}
