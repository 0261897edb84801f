use super::{
    AttemptFailed, Backoff, ByClass, DeploymentRetries, Failure, Group, Policy, Retries, Retry,
    RetryBudget, RetryLayer, RetryOverride, Rules, Tried,
};
use crate::BoxError;
use crate::facts::{Attempt, Cause, Deadline, Fault, ServedBy};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use proptest::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceExt, service_fn};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<&'static str>;

#[tokio::test(start_paused = true)]
async fn an_answer_passes_untouched() {
    let pool = Pool::of(2);
    let (rsp, seen) = run(&pool, request(), vec![answer(200, "a")]).await;
    let rsp = rsp.unwrap();
    assert_eq!((rsp.status().as_u16(), rsp.extensions().get::<Retries>()), (200, None));
    assert_eq!(seen, [Seen { attempt: None, tried: vec![], at: Duration::ZERO }]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_attempt_is_followed_by_one_that_knows_of_it() {
    let outcomes = vec![answer(503, "a"), answer(500, "b"), answer(200, "c")];
    let (rsp, seen) = run(&Pool::of(3), request(), outcomes).await;
    let rsp = rsp.unwrap();
    assert_eq!(rsp.status(), 200);
    assert_eq!(rsp.extensions().get(), Some(&Retries { done: 2, most: 2 }));
    let attempts: Vec<_> = seen.iter().map(|seen| (seen.attempt, seen.tried.clone())).collect();
    let retry = |retries| Some(Attempt { retries, fallbacks: 0 });
    let (one, two) = (vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(attempts, [(None, vec![]), (retry(1), one), (retry(2), two)]);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_returned_as_it_came() {
    let outcomes = vec![answer(503, "a"), answer(500, "a"), answer(429, "a")];
    let (rsp, seen) = run(&Pool::of(1), request(), outcomes).await;
    let rsp = rsp.unwrap();
    assert_eq!((rsp.status().as_u16(), seen.len()), (429, 3));
    assert_eq!(rsp.extensions().get(), Some(&Retries { done: 2, most: 2 }));

    let error = run(&Pool::of(1).retries(0), request(), vec![Err("reset".into())]).await.0;
    assert_eq!(error.unwrap_err().to_string(), "reset");
}

#[tokio::test(start_paused = true)]
async fn an_error_says_which_deployment_failed_and_how_often_it_is_tried() {
    let source = Fault::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE).into();
    let failed = AttemptFailed { deployment: "a".into(), retries: Some(1), source };
    let pool = Pool::of(2).retries(0).with(|rules| rules.deployments = 1);
    let (rsp, seen) = run(&pool, request(), vec![Err(failed.into()), answer(503, "b")]).await;
    assert_eq!(rsp.unwrap().status(), 503);
    assert_eq!(seen[1].tried, ["a"]);
}

#[tokio::test]
async fn a_failure_that_no_attempt_mends_is_returned_at_once() {
    for status in [400, 401, 404, 422] {
        let (rsp, seen) = run(&Pool::of(1), request(), vec![answer(status, "a")]).await;
        assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn another_deployment_is_tried_without_a_pause() {
    let outcomes = vec![after(429, 30), answer(500, "b"), answer(200, "a")];
    let (_, seen) = run(&Pool::of(2), request(), outcomes).await;
    assert_eq!(seen[1].at, Duration::ZERO, "whatever the first one asked for");
    let pause = seen[2].at.as_millis();
    assert!((1000..=1752).contains(&pause), "all were tried: {pause} ms");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_nobody_knows_whom_is_followed_by_a_pause() {
    let (_, seen) = run(&Pool::of(2), request(), vec![Err("reset".into()), answer(200, "a")]).await;
    assert!((500..=1252).contains(&seen[1].at.as_millis()), "{:?}", seen[1].at);
}

#[tokio::test(start_paused = true)]
async fn the_same_deployment_gets_pauses_that_double() {
    let (_, seen) = run(&Pool::of(1).retries(3), request(), failing(4)).await;
    let pauses = seen.windows(2).map(|two| (two[1].at - two[0].at).as_millis());
    for (pause, shortest) in pauses.zip([500, 1000, 2000]) {
        assert!((shortest..=shortest + 752).contains(&pause), "{pause} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_again_when_it_wants() {
    let (_, seen) = run(&Pool::of(1), request(), vec![after(429, 7), answer(200, "a")]).await;
    assert!((7000..=7752).contains(&seen[1].at.as_millis()), "{:?}", seen[1].at);
    let (_, seen) = run(&Pool::of(1), request(), vec![after(429, 61), answer(200, "a")]).await;
    assert!((500..=1252).contains(&seen[1].at.as_millis()), "{:?}", seen[1].at);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_deadline() {
    let mut req = request();
    req.extensions_mut().insert(Deadline(Instant::now() + Duration::from_secs(5)));
    let (rsp, seen) = run(&Pool::of(1), req.clone(), vec![after(429, 7)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (429, 1));
    let (rsp, seen) = run(&Pool::of(1), req, vec![answer(500, "a"), answer(200, "a")]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (200, 2));
}

#[tokio::test(start_paused = true)]
async fn without_budget_the_failure_is_returned() {
    let pool = Pool::of(1).with(|rules| rules.budget = Some(RetryBudget::new(100, 0)));
    let (_, seen) = run(&pool, request(), failing(2)).await;
    assert_eq!(seen.len(), 2, "one retry for one call");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_falls_ill_during_the_pause_is_left_alone() {
    let pool = Pool::of(1).healthy_for(1);
    let (rsp, seen) = run(&pool, request(), vec![answer(503, "a")]).await;
    let rsp = rsp.unwrap();
    assert_eq!((rsp.status().as_u16(), seen.len()), (503, 1));
    assert_eq!(rsp.extensions().get::<Retries>(), None, "none was made");
}

#[tokio::test(start_paused = true)]
async fn the_request_says_how_often() {
    for retries in [0, 1, 4] {
        let mut req = request();
        req.extensions_mut().insert(RetryOverride(retries));
        let attempts = retries as usize + 1;
        let (_, seen) = run(&Pool::of(1), req, failing(attempts)).await;
        assert_eq!(seen.len(), attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_says_how_often() {
    let own = |status| {
        let mut rsp = answer(status, "a");
        rsp.as_mut().unwrap().extensions_mut().insert(DeploymentRetries(1));
        rsp
    };
    let pool = Pool::of(1).with(|rules| rules.deployments = 3);
    let (_, seen) = run(&pool, request(), vec![own(500), own(500)]).await;
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kind_of_failure_has_its_own_count() {
    let by_class = ByClass { bad_request: Some(1), ..ByClass::default() };
    let pool = Pool::of(1).with(|rules| rules.by_class = by_class);
    let (_, seen) = run(&pool, request(), vec![answer(400, "a"), answer(400, "a")]).await;
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_copies_are_made_than_attempts_may_follow() {
    for (retries, outcomes, copies) in
        [(0, failing(1), 0), (2, vec![answer(200, "a")], 1), (2, failing(3), 2)]
    {
        let pool = Pool::of(1).retries(retries);
        drop(run(&pool, request(), outcomes).await);
        assert_eq!(pool.copies.load(Ordering::Relaxed), copies);
    }
}

#[tokio::test(start_paused = true)]
async fn the_policy_hears_of_each_further_attempt() {
    let pool = Pool::of(1);
    drop(run(&pool, request(), failing(3)).await);
    assert_eq!(pool.told.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_during_a_pause_ends_the_call() {
    let (retry, mut upstream) = retry(&Pool::of(1));
    let call = timeout(Duration::from_millis(100), retry.oneshot(request()));
    let first = async {
        let (_, respond) = upstream.next_request().await.unwrap();
        respond.send_response(answer(500, "a").unwrap());
    };
    assert!(tokio::join!(call, first).0.is_err());
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_later_is_passed_on_as_it_is() {
    let calls = AtomicUsize::new(0);
    let service = service_fn(|_: Req| {
        calls.fetch_add(1, Ordering::Relaxed);
        let limited = Fault::new(Cause::RateLimit, StatusCode::TOO_MANY_REQUESTS);
        let frames = [Ok(Frame::data(Bytes::from("hi"))), Err(BoxError::from(limited))];
        let body = StreamBody::new(tokio_stream::iter(frames));
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let rsp = RetryLayer::new(Pool::of(1)).layer(service).oneshot(request()).await.unwrap();
    let started = Instant::now();
    let error = rsp.into_body().collect().await.map(drop).unwrap_err();
    assert_eq!(error.downcast_ref::<Fault>().unwrap().cause, Cause::RateLimit);
    assert_eq!((calls.load(Ordering::Relaxed), started.elapsed()), (1, Duration::ZERO));
}

proptest! {
    #[test]
    fn there_are_never_more_attempts_than_one_and_the_retries(
        retries in 0_u32..4,
        asked in proptest::option::of(0_u32..6),
        deployments in 1_usize..4,
        statuses in proptest::collection::vec(200_u16..600, 8),
    ) {
        let mut rt = tokio::runtime::Builder::new_current_thread();
        rt.enable_time().start_paused(true);
        let mut req = request();
        if let Some(asked) = asked {
            req.extensions_mut().insert(RetryOverride(asked));
        }
        let outcomes = statuses.iter().map(|status| answer(*status, "a")).collect();
        let pool = Pool::of(deployments).retries(retries);
        let (rsp, seen) = rt.build().unwrap().block_on(run(&pool, req, outcomes));
        prop_assert!(seen.len() <= 1 + asked.unwrap_or(retries) as usize);
        prop_assert_eq!(rsp.unwrap().status().as_u16(), statuses[seen.len() - 1]);
    }
}

/// A group of deployments that stay healthy until they were looked at so often.
#[derive(Clone)]
struct Pool {
    rules: Rules,
    deployments: usize,
    looks: Arc<AtomicUsize>,
    copies: Arc<AtomicUsize>,
    told: Arc<AtomicUsize>,
}

impl Pool {
    fn of(deployments: usize) -> Self {
        let [copies, told] = [Arc::default(), Arc::default()];
        Self {
            rules: Rules::default(),
            deployments,
            looks: Arc::new(usize::MAX.into()),
            copies,
            told,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    fn retries(self, retries: u32) -> Self {
        self.with(|rules| rules.retries = retries)
    }

    fn healthy_for(self, looks: usize) -> Self {
        Self { looks: Arc::new(looks.into()), ..self }
    }
}

impl Policy<()> for Pool {
    fn rules<'a>(&'a self, _req: &'a Req) -> Cow<'a, Rules> {
        Cow::Borrowed(&self.rules)
    }

    fn group(&self, req: &Req) -> Group {
        let healthy = if self.looks.load(Ordering::Relaxed) > 0 { self.deployments } else { 0 };
        self.looks.fetch_sub(healthy.min(1), Ordering::Relaxed);
        let tried = req.extensions().get::<Tried>().map_or(0, |tried| tried.iter().count());
        let untried = healthy.saturating_sub(tried);
        Group { deployments: self.deployments, healthy, untried, ..Group::default() }
    }

    fn copy(&self, req: &Req) -> Option<Req> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        Some(req.clone())
    }

    fn retrying(&self, next: &Req, _failed: &Failure) {
        let told = self.told.fetch_add(1, Ordering::Relaxed);
        assert_eq!(next.extensions().get::<Attempt>().unwrap().retries as usize, told + 1);
    }
}

/// What an upstream saw of an attempt.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    attempt: Option<Attempt>,
    tried: Vec<String>,
    at: Duration,
}

/// Makes a call to an upstream that answers like this, one after another.
async fn run(
    pool: &Pool,
    req: Req,
    outcomes: Vec<Result<Rsp, BoxError>>,
) -> (Result<Rsp, BoxError>, Vec<Seen>) {
    let (retry, mut upstream) = retry(pool);
    let started = Instant::now();
    let attempts = async {
        let (mut outcomes, mut seen) = (outcomes.into_iter(), Vec::new());
        while let Some((req, respond)) = upstream.next_request().await {
            let facts = req.extensions();
            let tried = facts.get::<Tried>().cloned().unwrap_or_default();
            seen.push(Seen {
                attempt: facts.get().copied(),
                tried: tried.iter().map(str::to_owned).collect(),
                at: started.elapsed(),
            });
            match outcomes.next().expect("no more attempts than outcomes") {
                Ok(rsp) => respond.send_response(rsp),
                Err(error) => respond.send_error(error),
            }
        }
        seen
    };
    tokio::join!(retry.oneshot(req), attempts)
}

fn retry(pool: &Pool) -> (Retry<Pool, Mock<Req, Rsp>>, Handle<Req, Rsp>) {
    let (upstream, handle) = pair();
    (RetryLayer::new(pool.clone()).backoff(Backoff::default()).layer(upstream), handle)
}

fn request() -> Req {
    Request::new(())
}

fn answer(status: u16, deployment: &str) -> Result<Rsp, BoxError> {
    let rsp = Response::builder().status(status).extension(ServedBy(deployment.into()));
    Ok(rsp.body("")?)
}

fn after(status: u16, seconds: u32) -> Result<Rsp, BoxError> {
    let mut rsp = answer(status, "a")?;
    rsp.headers_mut().insert("retry-after", seconds.into());
    Ok(rsp)
}

fn failing(attempts: usize) -> Vec<Result<Rsp, BoxError>> {
    (0..attempts).map(|_| answer(500, "a")).collect()
}
