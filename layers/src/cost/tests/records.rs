use super::{Req, Rsp, Unreachable, free, likely, used};
use crate::BoxError;
use crate::cost::{CallRecord, CostLayer, MemoryLedger, Sink};
use crate::end::End;
use crate::facts::{
    Bill, CacheStatus, Call, NanoUsd, Price, Principal, Rates, ServedBy, Usage, UsageCell,
};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;
use tower::{Layer, ServiceExt, service_fn};

#[tokio::test(start_paused = true)]
async fn a_record_tells_what_is_known_of_a_call() {
    let (records, layer) = recorded(100);
    let mut req = likely(10);
    let call = Call { group: "fast".into(), stream: true, end_user: Some("ada".into()) };
    req.extensions_mut().insert(Principal::new("key", "user"));
    req.extensions_mut().insert(call);
    let rsp = layer.layer(service_fn(second_attempt)).oneshot(req).await.unwrap();
    sleep(Duration::from_secs(2)).await;
    assert!(records.lock().unwrap().is_empty(), "the body is still open");
    rsp.into_body().collect().await.unwrap();

    let [record]: [CallRecord; 1] = records.lock().unwrap().clone().try_into().unwrap();
    assert_eq!(record.principal, Some(Principal::new("key", "user")));
    assert_eq!((record.group.as_deref(), record.end_user.as_deref()), (Some("fast"), Some("ada")));
    assert!(record.stream);
    assert_eq!(record.estimate.unwrap().likely.cost, NanoUsd(10));
    assert_eq!((record.usage, record.cost), (Usage::tokens(0, 8), NanoUsd(8)));
    assert_eq!((record.estimated, record.attempts), (true, 2));
    assert_eq!((record.status, record.end), (Some(StatusCode::CREATED), End::Complete));
    assert_eq!(record.cache, Some(CacheStatus::Miss));
    assert_eq!(record.served_by, Some(ServedBy("near".into())));
    assert_eq!(record.headers_after, Some(Duration::from_secs(1)));
    assert_eq!(record.duration, Duration::from_secs(3));
}

#[tokio::test]
async fn every_call_is_recorded_once_however_it_ends() {
    let (records, layer) = recorded(100);
    let failing = service_fn(async |_: Req| Err::<Rsp, _>(BoxError::from("reset")));
    let silent = service_fn(async |_: Req| std::future::pending::<Result<Rsp, BoxError>>().await);

    let rsp = layer.layer(service_fn(free)).oneshot(likely(1)).await.unwrap();
    rsp.into_body().collect().await.unwrap();
    drop(layer.layer(service_fn(free)).oneshot(likely(1)).await.unwrap());
    assert!(layer.layer(failing).oneshot(likely(1)).await.is_err());
    tokio::select! {
        biased;
        _ = layer.layer(silent).oneshot(likely(1)) => unreachable!("nobody answers"),
        () = std::future::ready(()) => {}
    }

    let ended = records.lock().unwrap().iter().map(|r| (r.status, r.end)).collect::<Vec<_>>();
    let ok = Some(StatusCode::OK);
    let before_headers = [(None, End::Failed), (None, End::Cancelled)];
    assert_eq!(ended[..2], [(ok, End::Complete), (ok, End::Cancelled)]);
    assert_eq!(ended[2..], before_headers);
}

#[tokio::test]
async fn calls_that_are_refused_or_not_charged_are_recorded_too() {
    let (records, layer) = recorded(0);
    assert!(layer.layer(service_fn(free)).oneshot(likely(1)).await.is_err());
    let sink = recorder(&records);
    let outage = CostLayer::new(Unreachable).admit_on_outage().sink(sink);
    drop(outage.layer(service_fn(second_attempt)).oneshot(likely(1)).await.unwrap());

    let costs = records.lock().unwrap().iter().map(|r| (r.end, r.cost)).collect::<Vec<_>>();
    assert_eq!(costs, [(End::Failed, NanoUsd(0)), (End::Cancelled, NanoUsd(8))]);
}

type Records = Arc<Mutex<Vec<CallRecord>>>;

fn recorded(budget: i64) -> (Records, CostLayer<MemoryLedger, impl Sink>) {
    let records = Records::default();
    let layer = CostLayer::new(MemoryLedger::new(NanoUsd(budget))).sink(recorder(&records));
    (records, layer)
}

fn recorder(records: &Records) -> impl Fn(CallRecord) + Clone + Send + 'static + use<> {
    let records = records.clone();
    move |record| records.lock().unwrap().push(record)
}

/// Answers after a second, as the second attempt, whose usage had to be counted.
async fn second_attempt(req: Req) -> Result<Response<Full<Bytes>>, BoxError> {
    let bill = req.extensions().get::<Bill>().unwrap();
    bill.add(used(5));
    let last = UsageCell::new(Price::flat(Rates::tokens(0, 1000)));
    last.estimate(Usage::tokens(0, 3));
    bill.add(last);
    sleep(Duration::from_secs(1)).await;
    let mut rsp = Response::new(Full::from("hi"));
    *rsp.status_mut() = StatusCode::CREATED;
    rsp.extensions_mut().insert(CacheStatus::Miss);
    rsp.extensions_mut().insert(ServedBy("near".into()));
    Ok(rsp)
}
