use super::{Exceeded, LimitHeaders, MemoryLimiter, RateLimit, RateLimitError, RateLimitLayer};
use super::{Grant, Limiter, MemoryGrant, Settle};
use crate::BoxError;
use crate::end::EndBody;
use crate::facts::{Amount, Bill, CacheStatus, Estimate, Limit, Measure, Scope, Usage, UsageCell};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::advance;
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<Full<Bytes>>;
type Memory = MemoryLimiter<Arc<[Limit]>>;

#[tokio::test(start_paused = true)]
async fn calls_are_refused_until_the_window_is_over() {
    let limiter = limiter([requests(2)]);
    assert_eq!(limiter.reached(&requests(2)), None);
    for left in ["1", "0"] {
        let headers = answered(&limiter, Req::default()).await.unwrap().headers().clone();
        assert_eq!(headers["x-ratelimit-api_key-limit-requests"], "2");
        assert_eq!(headers["x-ratelimit-api_key-remaining-requests"], left);
        advance(Duration::from_millis(20_250)).await;
    }
    let error = refused(&limiter, Req::default()).await;
    assert_eq!(limiter.reached(&requests(2)), Some(error.reset));
    assert_eq!(limiter.reached(&requests(3)), None);
    assert_eq!(
        error.to_string(),
        "Rate limit exceeded for api_key: alice. Limit type: requests. \
         Current limit: 2, Remaining: 0"
    );
    let mut headers = HeaderMap::new();
    error.headers(&mut headers);
    assert_eq!(headers["retry-after"], "20");
    assert_eq!(headers["rate_limit_type"], "requests");
    assert_eq!(headers["x-ratelimit-api_key-remaining-requests"], "0");
    advance(Duration::from_millis(19_500)).await;
    assert_eq!(limiter.reached(&requests(2)), None);
    answered(&limiter, Req::default()).await.unwrap();
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_upstream_and_counts_nowhere() {
    let limits = [requests(9), tokens(9), parallel(9)];
    let [first, second, third] = limits.clone();
    let limiter = limiter([first, second, third, of(Scope::User, 0)]);
    let (service, mut upstream) = service(&limiter);
    let error = service.oneshot(estimated(5)).await.unwrap_err();
    assert!(upstream.next_request().await.is_none());
    let RateLimitError::Exceeded(exceeded) = *error.downcast().unwrap() else { panic!() };
    assert_eq!(exceeded.limit, of(Scope::User, 0));
    for limit in limits {
        assert_eq!(limiter.remaining(&limit), 9, "{limit:?}");
    }
}

#[tokio::test]
async fn a_call_is_open_until_its_body_ends() {
    let limiter = limiter([parallel(1)]);
    let rsp = answered(&limiter, Req::default()).await.unwrap();
    assert_eq!(refused(&limiter, Req::default()).await.retry_after(), 1);
    rsp.into_body().collect().await.unwrap();
    drop(answered(&limiter, Req::default()).await.unwrap());
    assert_eq!(limiter.remaining(&parallel(1)), 1);
}

#[tokio::test]
async fn likely_tokens_are_replaced_by_those_of_all_attempts() {
    let limiter = limiter([tokens(1000)]);
    let rsp = billed(&limiter, &[Some(30), None, Some(12)], Rsp::new("hi".into())).await;
    assert_eq!(rsp.headers()["x-ratelimit-api_key-remaining-tokens"], "900");
    assert_eq!(limiter.remaining(&tokens(1000)), 900);
    rsp.into_body().collect().await.unwrap();
    assert_eq!(limiter.remaining(&tokens(1000)), 958);
}

#[tokio::test]
async fn a_client_that_leaves_pays_what_was_used_and_is_no_longer_open() {
    let limiter = limiter([tokens(1000), parallel(5)]);
    drop(billed(&limiter, &[Some(30)], Rsp::new("hi".into())).await);
    assert_eq!((limiter.remaining(&tokens(1000)), limiter.remaining(&parallel(5))), (970, 5));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_is_counted_as_a_call_only() {
    let limiter = limiter([requests(5), tokens(1000), parallel(5)]);
    let (service, mut upstream) = service(&limiter);
    let mut call = Box::pin(service.oneshot(estimated(100)));
    let _open = tokio::select! {
        biased;
        _ = &mut call => panic!("nobody answered"),
        open = upstream.next_request() => open.unwrap(),
    };
    assert_eq!(limiter.remaining(&tokens(1000)), 900);
    drop(call);
    for (limit, left) in [(requests(5), 4), (tokens(1000), 1000), (parallel(5), 5)] {
        assert_eq!(limiter.remaining(&limit), left, "{limit:?}");
    }
}

#[tokio::test]
async fn an_upstream_failure_passes_through_and_gives_its_tokens_back() {
    let limiter = limiter([requests(5), tokens(1000), parallel(5)]);
    let (service, mut upstream) = service(&limiter);
    let fail = async {
        upstream.next_request().await.unwrap().1.send_error(BoxError::from("reset"));
    };
    let (rsp, ()) = tokio::join!(service.oneshot(estimated(100)), fail);
    assert_eq!(rsp.unwrap_err().to_string(), "reset");
    assert_eq!((limiter.remaining(&requests(5)), limiter.remaining(&tokens(1000))), (4, 1000));
    assert_eq!(limiter.remaining(&parallel(5)), 5);
}

#[tokio::test]
async fn the_estimate_stands_where_an_answer_tells_no_usage_and_is_given_back_where_it_failed() {
    for (status, left_then) in [(StatusCode::OK, 900), (StatusCode::BAD_GATEWAY, 1000)] {
        let limiter = limiter([tokens(1000)]);
        let mut rsp = Rsp::new("hi".into());
        *rsp.status_mut() = status;
        drop(billed(&limiter, &[None], rsp).await);
        assert_eq!(limiter.remaining(&tokens(1000)), left_then, "{status}");
    }
}

#[tokio::test]
async fn a_hit_counts_as_a_call_but_not_in_tokens() {
    let limiter = limiter([requests(5), tokens(1000)]);
    let mut rsp = Rsp::new("hi".into());
    let cell = UsageCell::default();
    cell.set(Usage::tokens(30, 0));
    rsp.extensions_mut().insert(cell);
    rsp.extensions_mut().insert(CacheStatus::Hit);
    drop(billed(&limiter, &[], rsp).await);
    assert_eq!((limiter.remaining(&requests(5)), limiter.remaining(&tokens(1000))), (4, 1000));
}

#[tokio::test]
async fn limits_of_a_deployment_settle_by_their_own_attempt() {
    let limiter = limiter([tokens(1000)]);
    let (upstream, mut handle) = pair::<Req, Rsp>();
    let service = RateLimitLayer::new(limiter.clone()).one_attempt().layer(upstream);
    let mut req = estimated(100);
    Bill::of(req.extensions_mut()).add(used(500));
    let mut rsp = Rsp::new("hi".into());
    rsp.extensions_mut().insert(used(30));
    let answer = async { handle.next_request().await.unwrap().1.send_response(rsp) };
    let (rsp, ()) = tokio::join!(service.oneshot(req), answer);
    drop(rsp);
    assert_eq!(limiter.remaining(&tokens(1000)), 970);
}

#[tokio::test]
async fn without_an_estimate_calls_pass_while_any_token_is_left() {
    let limiter = limiter([tokens(50)]);
    for (used, then) in [(40, 10), (30, 0)] {
        let rsp = Rsp::new("hi".into());
        drop(exchange(&limiter, Req::default(), &[Some(used)], rsp).await);
        assert_eq!(limiter.remaining(&tokens(50)), then);
    }
    assert_eq!(refused(&limiter, Req::default()).await.limit, tokens(50));
}

#[tokio::test(start_paused = true)]
async fn only_what_goes_beyond_the_estimate_counts_in_a_later_window() {
    let limiter = limiter([tokens(1000)]);
    for (used, then) in [(30, 990), (130, 960)] {
        let rsp = billed(&limiter, &[Some(used)], Rsp::new("hi".into())).await;
        advance(Duration::from_secs(60)).await;
        let other = limiter.admit(estimated(10).extensions()).await.unwrap();
        drop(rsp);
        assert_eq!(limiter.remaining(&tokens(1000)), then);
        drop(other);
    }
}

#[tokio::test]
async fn a_dry_run_refuses_nothing_and_tells() {
    let limiter = limiter([requests(1)]);
    let dry = RateLimitLayer::new(limiter).dry_run();
    let inner = tower::service_fn(async |_: Req| Ok::<_, BoxError>(Rsp::default()));
    for refused in [false, true, true] {
        let rsp = dry.layer(inner).oneshot(Req::default()).await.unwrap();
        let exceeded = rsp.extensions().get::<Exceeded>();
        assert_eq!(exceeded.is_some(), refused);
    }
}

#[tokio::test]
async fn headers_can_be_left_to_another_layer() {
    let layer = RateLimitLayer::new(limiter([requests(1)])).without_headers();
    let inner = tower::service_fn(async |_: Req| Ok::<_, BoxError>(Rsp::default()));
    assert!(layer.layer(inner).oneshot(Req::default()).await.unwrap().headers().is_empty());
}

#[tokio::test]
async fn headers_may_be_set_by_who_makes_the_answer() {
    const NAME: &str = "x-ratelimit-api_key-remaining-requests";
    for sets in [true, false] {
        let inner = tower::service_fn(|req: Req| {
            let told: &LimitHeaders = req.extensions().get().unwrap();
            assert_eq!(told.iter().find(|(name, _)| *name == NAME).unwrap().1, "1");
            let mut rsp = Rsp::default();
            let told = told.iter().filter(|_| sets);
            rsp.headers_mut().extend(told.map(|(name, value)| (name.clone(), value.clone())));
            ready(Ok::<_, BoxError>(rsp))
        });
        let service = RateLimitLayer::new(limiter([requests(2)])).tell_early().layer(inner);
        let rsp = service.oneshot(Req::default()).await.unwrap();
        assert_eq!(rsp.headers().get_all(NAME).iter().collect::<Vec<_>>(), ["1"]);
    }
}

#[tokio::test]
async fn an_outage_refuses_unless_told_otherwise() {
    let inner = tower::service_fn(async |_: Req| Ok::<_, BoxError>(Rsp::default()));
    let error = RateLimitLayer::new(Away).layer(inner).oneshot(Req::default()).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(RateLimitError::Outage(_))));
    let lenient = RateLimitLayer::new(Away).admit_on_outage();
    lenient.layer(inner).oneshot(Req::default()).await.unwrap();
}

#[derive(Clone)]
struct Away;

#[derive(Debug)]
struct Nothing;

impl Limiter for Away {
    type Grant = Nothing;
    type Future = Ready<Result<Nothing, RateLimitError>>;

    fn admit(&self, _facts: &Extensions) -> Self::Future {
        ready(Err(RateLimitError::Outage("connection refused".into())))
    }
}

impl Grant for Nothing {
    fn headers(&self, _set: &mut dyn FnMut(&HeaderName, HeaderValue)) {}

    fn settle(self, _used: Option<&Usage>) {}
}

fn limiter(limits: impl Into<Arc<[Limit]>>) -> Memory {
    MemoryLimiter::new(limits.into())
}

fn of(scope: Scope, most: u64) -> Limit {
    Limit { scope, subject: "alice".into(), measure: Measure::Requests, most }
}

fn requests(most: u64) -> Limit {
    of(Scope::Key, most)
}

fn tokens(most: u64) -> Limit {
    Limit { measure: Measure::Tokens, ..requests(most) }
}

fn parallel(most: u64) -> Limit {
    Limit { measure: Measure::Parallel, ..requests(most) }
}

fn estimated(tokens: i64) -> Req {
    let mut req = Req::default();
    let likely = Amount { tokens, ..Amount::default() };
    req.extensions_mut().insert(Estimate { likely, most: None });
    req
}

fn used(tokens: i64) -> UsageCell {
    let cell = UsageCell::default();
    cell.set(Usage::tokens(tokens, 0));
    cell
}

fn service(limiter: &Memory) -> (RateLimit<Memory, Mock<Req, Rsp>>, Handle<Req, Rsp>) {
    let (upstream, handle) = pair();
    (RateLimitLayer::new(limiter.clone()).layer(upstream), handle)
}

type Answer = Response<EndBody<Full<Bytes>, Settle<MemoryGrant>>>;

async fn answered(limiter: &Memory, req: Req) -> Result<Answer, BoxError> {
    let inner = tower::service_fn(async |_: Req| Ok::<_, BoxError>(Rsp::new("hi".into())));
    RateLimitLayer::new(limiter.clone()).layer(inner).oneshot(req).await
}

async fn refused(limiter: &Memory, req: Req) -> Exceeded {
    match *answered(limiter, req).await.unwrap_err().downcast().unwrap() {
        RateLimitError::Exceeded(exceeded) => *exceeded,
        error => panic!("{error}"),
    }
}

/// A call of likely 100 tokens with these attempts, answered by `rsp`.
async fn billed(limiter: &Memory, attempts: &[Option<i64>], rsp: Rsp) -> Answer {
    exchange(limiter, estimated(100), attempts, rsp).await
}

async fn exchange(limiter: &Memory, req: Req, attempts: &[Option<i64>], rsp: Rsp) -> Answer {
    let (service, mut upstream) = service(limiter);
    let answer = async {
        let (mut req, respond) = upstream.next_request().await.unwrap();
        let bill = Bill::of(req.extensions_mut());
        for tokens in attempts {
            bill.add(tokens.map_or_else(UsageCell::default, used));
        }
        respond.send_response(rsp);
    };
    tokio::join!(service.oneshot(req), answer).0.unwrap()
}
