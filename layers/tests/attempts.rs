//! Retries inside fallbacks: how often an upstream is called at most.
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Attempt, Call};
use bartizan_layers::fallback::{FallbackLayer, FellBack, Plan, Target};
use bartizan_layers::retry::{RetryLayer, Rules};
use bytes::Bytes;
use http::{Method, Request, Response};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// The attempts that came in: their group, and which they said they were.
type Log = Arc<Mutex<Vec<(String, Attempt)>>>;

#[tokio::test(start_paused = true)]
async fn each_group_has_its_own_retries() {
    let plan = Plan::default().general("a", [Target::new("b")]);
    let (rsp, log) = call(plan, 1, |group, attempt| match (group, attempt.retries) {
        ("b", 1) => 200,
        _ => 500,
    })
    .await;
    let attempt = |retries, fallbacks| Attempt { retries, fallbacks };
    let a = [("a".to_owned(), attempt(0, 0)), ("a".to_owned(), attempt(1, 0))];
    let b = [("b".to_owned(), attempt(0, 1)), ("b".to_owned(), attempt(1, 1))];
    assert_eq!(log, [a, b].concat());
    let fell_back = FellBack { fallbacks: 1, group: "b".into() };
    assert_eq!(rsp.extensions().get(), Some(&fell_back));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_was_read_is_sent_again_and_one_that_streams_is_not() {
    let whole = || Body::from(Bytes::from("hi"));
    for (body, attempts) in [(whole(), 6), (Body::stream(whole()), 1)] {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let inner = service_fn(move |req: Request<Body>| {
            let group = req.extensions().get::<Call>().map(|call| call.group.clone());
            seen.lock().expect("no test panics with it").push((
                group,
                req.method().clone(),
                req.headers().len(),
            ));
            async { Ok::<_, BoxError>(Response::builder().status(503).body(())?) }
        });
        let stack = ServiceBuilder::new()
            .layer(FallbackLayer::new(Arc::new(Plan::default().general("a", [Target::new("b")]))))
            .layer(RetryLayer::new(Rules::default()))
            .service(inner);
        let call = Call { group: "a".into(), stream: false, end_user: None };
        let req = Request::put("/").header("x", "1").extension(call).body(body).unwrap();
        stack.oneshot(req).await.unwrap();
        let log = log.lock().unwrap().clone();
        assert_eq!(log.len(), attempts);
        assert_eq!(log[0], (Some("a".into()), Method::PUT, 1));
        let last = if attempts > 1 { "b" } else { "a" };
        assert_eq!(log.last(), Some(&(Some(last.into()), Method::PUT, 1)));
    }
}

proptest! {
    #[test]
    fn no_group_is_called_more_often_than_once_and_its_retries(
        lists in proptest::collection::vec(proptest::collection::vec(0_u8..6, 0..4), 6),
        depth in 0_usize..6,
        retries in 0_u32..3,
        statuses in proptest::collection::vec(400_u16..600, 6),
    ) {
        let mut plan = Plan::default().depth(depth);
        for (group, list) in lists.iter().enumerate() {
            let targets: Vec<_> = list.iter().map(|to| Target::new(name(*to))).collect();
            plan = plan.general(name(u8::try_from(group).expect("six")), targets);
        }
        let status = |group: &str| statuses[usize::from(group.as_bytes()[0] - b'a')];
        let mut rt = tokio::runtime::Builder::new_current_thread();
        let rt = rt.enable_time().start_paused(true).build().expect("a runtime");
        let (rsp, log) = rt.block_on(call(plan, retries, |group, _| status(group)));

        prop_assert_eq!(rsp.status().as_u16(), statuses[0], "all failed: the first is returned");
        let mut counts = HashMap::<_, u32>::new();
        for (group, _) in &log {
            *counts.entry(group).or_default() += 1;
        }
        prop_assert!(counts.values().all(|count| *count <= 1 + retries), "{:?}", log);
        let mut groups: Vec<_> = log.iter().map(|(group, _)| group).collect();
        groups.dedup();
        prop_assert_eq!(groups.len(), counts.len(), "a group was come back to: {:?}", log);
        prop_assert!(depth > 0 || groups.len() == 1);
    }
}

fn name(group: u8) -> String {
    char::from(b'a' + group).to_string()
}

/// Calls group `a` where groups answer with these statuses.
async fn call(
    plan: Plan,
    retries: u32,
    status: impl Fn(&str, Attempt) -> u16 + Clone,
) -> (Response<()>, Vec<(String, Attempt)>) {
    let log = Log::default();
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::new(Arc::new(plan)))
        .layer(RetryLayer::new(Rules { retries, ..Rules::default() }))
        .service(service_fn(|req: Request<()>| {
            let group = req.extensions().get::<Call>().expect("it is asked for").group.to_string();
            let attempt = req.extensions().get().copied().unwrap_or_default();
            let status = status(&group, attempt);
            log.lock().expect("no test panics with it").push((group, attempt));
            async move { Ok::<_, BoxError>(Response::builder().status(status).body(())?) }
        }));
    let asked = Call { group: "a".into(), stream: false, end_user: None };
    let req = Request::builder().extension(asked).body(()).expect("a request");
    let rsp = service.oneshot(req).await.expect("an answer");
    let log = log.lock().expect("no test panics with it").clone();
    (rsp, log)
}
