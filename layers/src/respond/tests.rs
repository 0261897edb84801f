//! Of all layers.
#![cfg(feature = "full")]
use super::{RespondLayer, respond};
use crate::BoxError;
use crate::adaptive::Crowded;
use crate::auth::AuthError;
use crate::breaker::BreakerError;
use crate::cost::{Budget, CostError, Exhausted};
use crate::facts::{Cause, Fault, Limit, Measure, NanoUsd, Scope};
use crate::ratelimit::{Exceeded, RateLimitError};
use crate::wire::ingest::IngestError;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use std::time::Duration;
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test]
async fn each_known_error_has_its_status_and_its_text() {
    let rows: [(BoxError, u16, &str); 7] = [
        (AuthError::Missing.into(), 401, "no key was presented"),
        (AuthError::Outage("10.0.0.1".into()).into(), 503, "keys are unreachable"),
        (IngestError::TooLarge(9).into(), 413, "the body has more than 9 bytes"),
        (CostError::Unbounded.into(), 400, "nothing bounds what the call may cost"),
        (BreakerError::Probing.into(), 503, "the deployment is being probed"),
        (Crowded::Late.into(), 503, "no deployment had room in time"),
        ("connect to 10.0.0.1".into(), 502, "the upstream could not be asked"),
    ];
    for (error, status, text) in rows {
        let rsp = respond(&error);
        assert_eq!(rsp.status(), status, "{text}");
        assert_eq!(rsp.into_body().collect().await.unwrap().to_bytes(), text);
    }
}

#[test]
fn whoever_is_to_wait_is_told_how_long() {
    let budget = Budget::new(NanoUsd(1));
    let (spent, held) = (NanoUsd(1), NanoUsd(0));
    let resets_in = Some(Duration::from_millis(1_500));
    let exhausted = Exhausted { budget, spent, held, resets_in };
    let (scope, measure) = (Scope::Key, Measure::Requests);
    let limit = Limit { scope, measure, subject: "alice".into(), most: 1 };
    let exceeded = Exceeded { limit, remaining: 0, reset: Duration::from_secs(2) };
    let mut overload = Fault::new(Cause::Overload, StatusCode::TOO_MANY_REQUESTS);
    overload.retry_after = Some(Duration::from_secs(2));
    let errors: [(BoxError, u16); 3] = [
        (CostError::BudgetExhausted(Box::new(exhausted)).into(), 422),
        (RateLimitError::Exceeded(Box::new(exceeded)).into(), 429),
        (overload.into(), 429),
    ];
    for (error, status) in errors {
        let rsp = respond(&error);
        assert_eq!(rsp.status(), status, "{error}");
        assert_eq!(rsp.headers()["retry-after"], "2", "{error}");
    }
}

#[tokio::test]
async fn an_answer_passes_as_it_is() {
    let inner = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::builder().status(418).body(Empty::<Bytes>::new())?)
    });
    let Ok(rsp) = RespondLayer::new().layer(inner).oneshot(Request::new(())).await;
    assert_eq!(rsp.status(), 418);
}
