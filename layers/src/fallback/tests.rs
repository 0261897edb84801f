use super::{Fallback, FallbackLayer, FallbackOverride, FellBack, Plan, Policy, Target};
use crate::BoxError;
use crate::facts::{Attempt, Call, Cause, Deadline, Fault};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tower::{Layer, ServiceExt, service_fn};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<&'static str>;

#[tokio::test]
async fn an_answer_passes_untouched() {
    let (rsp, seen) = run(plan(), request("a"), vec![answer(200)]).await;
    let rsp = rsp.unwrap();
    assert_eq!((rsp.status().as_u16(), rsp.extensions().get::<FellBack>()), (200, None));
    assert_eq!(seen, [("a".to_owned(), None)]);
}

#[tokio::test]
async fn the_first_success_is_returned_with_the_group_that_made_it() {
    let outcomes = vec![answer(500), Err("reset".into()), answer(200)];
    let (rsp, seen) = run(plan(), request("a"), outcomes).await;
    let fell_back = FellBack { fallbacks: 2, group: "c".into() };
    assert_eq!(rsp.unwrap().extensions().get(), Some(&fell_back));
    let after = |fallbacks| Some(Attempt { retries: 0, fallbacks });
    assert_eq!(seen, [("a".into(), None), ("b".into(), after(1)), ("c".into(), after(2))]);
}

#[tokio::test]
async fn any_failure_leads_to_the_next_group() {
    for status in [400, 401, 403, 404, 408, 422, 429, 500, 503, 529] {
        let (rsp, seen) = run(plan(), request("a"), vec![answer(status), answer(200)]).await;
        assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (200, 2), "{status}");
    }
}

#[tokio::test]
async fn where_all_fail_the_first_failure_is_returned() {
    let outcomes = vec![answer(429), answer(500), Err("reset".into())];
    let (rsp, seen) = run(plan(), request("a"), outcomes).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (429, 3));

    let outcomes = vec![Err("refused".into()), answer(500), answer(500)];
    let (rsp, _) = run(plan(), request("a"), outcomes).await;
    assert_eq!(rsp.unwrap_err().to_string(), "refused");
}

#[tokio::test]
async fn a_group_without_a_list_does_not_fall_back() {
    let (rsp, seen) = run(plan(), request("lonely"), vec![answer(500)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (500, 1));
    let (rsp, seen) = run(plan(), Request::new(()), vec![answer(500)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (500, 1));
}

#[tokio::test]
async fn the_cause_of_the_failure_chooses_the_list() {
    let plan = plan().context("a", [Target::new("long")]).content("a", [Target::new("lenient")]);
    for (cause, group) in
        [(Cause::ContextTooLong, "long"), (Cause::ContentFilter, "lenient"), (Cause::Invalid, "b")]
    {
        let fault = Fault::new(cause, StatusCode::BAD_REQUEST);
        let outcomes = vec![Err(fault.into()), answer(200)];
        let (_, seen) = run(plan.clone(), request("a"), outcomes).await;
        assert_eq!(seen[1].0, group);
    }
}

#[tokio::test]
async fn a_request_may_ask_for_its_own_fallbacks_or_for_none() {
    let asked = FallbackOverride { general: Some([Target::new("x")].into()), ..Default::default() };
    let mut req = request("lonely");
    req.extensions_mut().insert(asked.clone());
    let (_, seen) = run(plan(), req, vec![answer(500), answer(200)]).await;
    assert_eq!(seen[1].0, "x");

    let mut req = request("a");
    req.extensions_mut().insert(FallbackOverride { disabled: true, ..asked });
    let (rsp, seen) = run(plan(), req, vec![answer(500)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (500, 1));
}

#[tokio::test]
async fn plans_with_cycles_end() {
    let plan = plan().general("b", [Target::new("a")]).general("c", [Target::new("b")]);
    let (rsp, seen) = run(plan, request("a"), vec![answer(429), answer(500), answer(500)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (429, 3));
}

#[tokio::test(start_paused = true)]
async fn no_group_is_tried_after_the_deadline() {
    let mut req = request("a");
    req.extensions_mut().insert(Deadline(Instant::now()));
    let (rsp, seen) = run(plan(), req.clone(), vec![answer(500)]).await;
    assert_eq!((rsp.unwrap().status().as_u16(), seen.len()), (500, 1));
    req.extensions_mut().insert(Deadline(Instant::now() + Duration::from_secs(1)));
    let (_, seen) = run(plan(), req, vec![answer(500), answer(200)]).await;
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn a_target_brings_its_parameters() {
    let plan = Plan::default().general("a", [Target::new("b").with_params(0.5_f64)]);
    let (fallback, mut upstream) = fallback(Arc::new(plan));
    let call = fallback.oneshot(request("a"));
    let upstream = async {
        upstream.next_request().await.unwrap().1.send_response(answer(500).unwrap());
        let (req, respond) = upstream.next_request().await.unwrap();
        let params = req.extensions().get::<Target>().unwrap().params.clone().unwrap();
        assert_eq!(params.downcast_ref(), Some(&0.5));
        respond.send_response(answer(200).unwrap());
    };
    assert_eq!(tokio::join!(call, upstream).0.unwrap().status(), 200);
}

#[tokio::test]
async fn a_target_that_the_policy_refuses_is_passed_over() {
    let counted = Counted::default();
    let (rsp, seen) = run_with(counted, request("a"), vec![answer(500), answer(200)]).await;
    assert_eq!(rsp.unwrap().extensions().get::<FellBack>().unwrap().fallbacks, 1);
    assert_eq!(seen[1].0, "allowed");
}

#[tokio::test]
async fn nothing_is_copied_where_nothing_can_follow() {
    let counted = Counted::default();
    drop(run_with(counted.clone(), request("lonely"), vec![answer(500)]).await);
    assert_eq!(counted.copies.load(Ordering::Relaxed), 0);
    drop(run_with(counted.clone(), request("a"), vec![answer(200)]).await);
    assert_eq!(counted.copies.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_policy_hears_of_each_fallback() {
    let counted = Counted::default();
    drop(run_with(counted.clone(), request("a"), vec![answer(500), answer(200)]).await);
    assert_eq!(counted.told.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_ends_the_call() {
    let (fallback, mut upstream) = fallback(Arc::new(plan()));
    let call = timeout(Duration::from_secs(1), fallback.oneshot(request("a")));
    let (left, first) = tokio::join!(call, upstream.next_request());
    assert!(left.is_err());
    first.unwrap().1.send_response(answer(500).unwrap());
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test]
async fn a_stream_that_fails_later_is_passed_on_as_it_is() {
    let calls = AtomicUsize::new(0);
    let service = service_fn(|_: Req| {
        calls.fetch_add(1, Ordering::Relaxed);
        let frames = [Ok(Frame::data(Bytes::from("hi"))), Err(BoxError::from("reset"))];
        let body = StreamBody::new(tokio_stream::iter(frames));
        async { Ok::<_, BoxError>(Response::new(body)) }
    });
    let fallback = FallbackLayer::new(Arc::new(plan())).layer(service);
    let rsp = fallback.oneshot(request("a")).await.unwrap();
    assert!(rsp.into_body().collect().await.is_err());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// Counts what it is asked; `a` may go to `allowed` but not to `forbidden`.
#[derive(Clone, Default)]
struct Counted {
    copies: Arc<AtomicUsize>,
    told: Arc<AtomicUsize>,
}

impl Policy<()> for Counted {
    fn plan(&self, _req: &Req) -> Arc<Plan> {
        let targets = [Target::new("forbidden"), Target::new("allowed")];
        Arc::new(Plan::default().general("a", targets))
    }

    fn copy(&self, req: &Req) -> Option<Req> {
        self.copies.fetch_add(1, Ordering::Relaxed);
        Some(req.clone())
    }

    fn redirect(&self, req: Req, target: &Target) -> Option<Req> {
        (*target.group != *"forbidden").then(|| self.plan(&req).redirect(req, target)).flatten()
    }

    fn falling_back(&self, _next: &Req, target: &Target, failed: &Fault) {
        assert_eq!((&*target.group, failed.cause), ("allowed", Cause::Outage));
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

type Ran = (Result<Rsp, BoxError>, Vec<(String, Option<Attempt>)>);

async fn run(plan: Plan, req: Req, outcomes: Vec<Result<Rsp, BoxError>>) -> Ran {
    run_with(Arc::new(plan), req, outcomes).await
}

/// Makes a call to groups that answer like this, one after another; what they saw.
async fn run_with(policy: impl Policy<()>, req: Req, outcomes: Vec<Result<Rsp, BoxError>>) -> Ran {
    let (fallback, mut upstream) = fallback(policy);
    let groups = async {
        let (mut outcomes, mut seen) = (outcomes.into_iter(), Vec::new());
        while let Some((req, respond)) = upstream.next_request().await {
            let facts = req.extensions();
            let group = facts.get::<Call>().map(|call| call.group.to_string());
            seen.push((group.unwrap_or_default(), facts.get().copied()));
            match outcomes.next().expect("no more calls than outcomes") {
                Ok(rsp) => respond.send_response(rsp),
                Err(error) => respond.send_error(error),
            }
        }
        seen
    };
    tokio::join!(fallback.oneshot(req), groups)
}

fn fallback<P: Clone>(policy: P) -> (Fallback<P, Mock<Req, Rsp>>, Handle<Req, Rsp>) {
    let (upstream, handle) = pair();
    (FallbackLayer::new(policy).layer(upstream), handle)
}

fn plan() -> Plan {
    Plan::default().general("a", [Target::new("b"), Target::new("c")])
}

fn request(group: &str) -> Req {
    let mut req = Request::new(());
    req.extensions_mut().insert(Call { group: group.into(), stream: false, end_user: None });
    req
}

fn answer(status: u16) -> Result<Rsp, BoxError> {
    Ok(Response::builder().status(status).body("")?)
}
