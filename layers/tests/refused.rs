//! What a breaker or a full queue refuses, among retries and fallbacks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
use bartizan_layers::BoxError;
use bartizan_layers::adaptive::{AdaptiveLayer, Bounds, Crowded, Group, Waiting};
use bartizan_layers::breaker::{BreakerError, BreakerLayer, Gate, Policy, Rule, State};
use bartizan_layers::cause::cause_ref;
use bartizan_layers::facts::Call;
use bartizan_layers::fallback::{FallbackLayer, FellBack, Plan, Target};
use bartizan_layers::retry::{RetryLayer, Rules};
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

type Answer = Response<Empty<&'static [u8]>>;

#[tokio::test(start_paused = true)]
async fn a_deployment_that_rests_is_not_waited_for() {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Rules::default()))
        .layer(BreakerLayer::new(resting()))
        .service(well());
    let begin = Instant::now();
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert!(matches!(cause_ref(&*error), Some(BreakerError::Resting { .. })), "{error}");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn another_group_answers_at_once_while_one_rests() {
    let large = BreakerLayer::new(resting()).layer(well());
    let groups = service_fn(move |req: Request<()>| {
        let (mut large, mut small) = (large.clone(), BreakerLayer::new(closed()).layer(well()));
        let is_large = &*req.extensions().get::<Call>().unwrap().group == "large";
        async move { if is_large { large.call(req).await } else { small.call(req).await } }
    });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(Arc::new(
            Plan::default().general("large", [Target::new("small")]),
        )))
        .layer(RetryLayer::new(Rules::default()))
        .service(groups);
    let call = Call { group: "large".into(), stream: false, end_user: None };
    let begin = Instant::now();
    let rsp = service.oneshot(Request::builder().extension(call).body(()).unwrap()).await.unwrap();
    assert_eq!(&*rsp.extensions().get::<FellBack>().unwrap().group, "small");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_opens_no_breaker() {
    let group = Group::new(Waiting::new(0, Duration::from_secs(1)));
    let limit = group.limit(Bounds::between(1, 1));
    let _held = limit.try_acquire().unwrap();
    let gate = closed();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(Rules::default()))
        .layer(BreakerLayer::new(gate.clone()))
        .layer(AdaptiveLayer::new(group, limit))
        .service(well());
    let begin = Instant::now();
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(cause_ref(&*error), Some(&Crowded::Full));
    assert_eq!((gate.state(), begin.elapsed()), (State::Closed, Duration::ZERO));
}

fn closed() -> Gate {
    Gate::new(Policy::new(Rule::Consecutive(1)))
}

fn resting() -> Gate {
    let gate = closed();
    gate.trip(Duration::from_secs(5), StatusCode::BAD_GATEWAY);
    gate
}

fn well() -> impl Service<Request<()>, Response = Answer, Error = BoxError, Future: Send> + Clone {
    service_fn(async |_: Request<()>| Ok::<_, BoxError>(Answer::default()))
}
