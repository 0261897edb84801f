use super::{UsageTapError, UsageTapLayer};
use crate::BoxError;
use crate::body::Body;
use crate::facts::{
    Attempt, Bill, Call, Cause, Fault, Finish, NanoUsd, Price, Rates, Usage, UsageCell,
};
use crate::wire::estimate::{Expected, Size, Typical};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"12345\"},\"finish_reason\":null}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":4}}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const OVERLOADED: &str = "data: {\"error\":{\"message\":\"x\",\"type\":\"overloaded_error\"}}\n\n";

/// What an upstream says.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    kind: &'static str,
    frames: &'static [&'static str],
    broken: bool,
}

const STREAM: Answer =
    Answer { status: 200, kind: "text/event-stream; charset=utf-8", frames: &[], broken: false };
const JSON: Answer = Answer { kind: "application/json", ..STREAM };

type Frames = Vec<Result<Frame<Bytes>, BoxError>>;
type Upstream = StreamBody<tokio_stream::Iter<<Frames as IntoIterator>::IntoIter>>;

impl Answer {
    fn response(self) -> Response<Upstream> {
        let mut frames: Frames =
            self.frames.iter().map(|it| Ok(Frame::data(Bytes::from(*it)))).collect();
        if self.broken {
            frames.push(Err("reset".into()));
        }
        let body = StreamBody::new(tokio_stream::iter(frames));
        Response::builder()
            .status(self.status)
            .header("content-type", self.kind)
            .body(body)
            .unwrap()
    }
}

/// Makes one call and tells what the upstream got, the answer and the bill.
async fn call(
    answer: Answer,
    stream: bool,
    path: &str,
) -> (Bytes, Result<Response<Body>, BoxError>, Bill) {
    let got = Arc::new(std::sync::Mutex::new(Bytes::new()));
    let seen = got.clone();
    let price = Arc::new(Price::flat(Rates::tokens(1_000, 2_000)));
    let inner = service_fn(move |req: Request<Body>| {
        let seen = seen.clone();
        async move {
            let body = req.into_body().collect().await?.to_bytes();
            *seen.lock().unwrap() = body;
            Ok::<_, BoxError>(answer.response())
        }
    });
    let layer = UsageTapLayer::new(move |_: &str| Some(price.clone()));
    let bill = Bill::default();
    let rsp = layer.layer(inner).oneshot(request(stream, path, &bill)).await;
    let got = got.lock().unwrap().clone();
    (got, rsp, bill)
}

fn request(stream: bool, path: &str, bill: &Bill) -> Request<Body> {
    let size = Size { text: 40, data: 0, data_bytes: 0, choices: 1, bound: None };
    let body = Body::from(Bytes::from(format!(r#"{{"model":"m","stream":{stream}}}"#)));
    Request::post(path)
        .extension(Call { group: "m".into(), stream, end_user: None })
        .extension(Expected { size, typical: Typical::default() })
        .extension(bill.clone())
        .body(body)
        .unwrap()
}

async fn text(rsp: Response<Body>) -> String {
    String::from_utf8(rsp.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

#[tokio::test]
async fn a_stream_is_made_to_tell_its_usage_and_the_client_does_not_see_it() {
    let answer = Answer { frames: &[TEXT, STOP, USAGE, DONE], ..STREAM };
    let (got, rsp, bill) = call(answer, true, "/v1/chat/completions").await;
    assert_eq!(got, r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#);
    let rsp = rsp.unwrap();
    let cell: UsageCell = rsp.extensions().get().cloned().unwrap();
    assert_eq!(bill.total(), None);
    assert_eq!(text(rsp).await, [TEXT, STOP, DONE].concat());
    assert_eq!((bill.cost(), bill.is_estimated(), bill.attempts()), (NanoUsd(38), false, 1));
    assert_eq!((cell.finished(), cell.fault()), (Some(Finish::Stop), None));
}

#[tokio::test]
async fn an_option_holds_for_the_layer_that_it_was_set_on_and_not_for_its_clones() {
    let asking = UsageTapLayer::new(Arc::new(()));
    let silent = asking.clone().never_ask();
    for (layer, asks) in [(asking, true), (silent, false)] {
        let inner = service_fn(async |req: Request<Body>| {
            Ok::<_, BoxError>(Response::new(req.into_body()))
        });
        let request = request(true, "/v1/chat/completions", &Bill::default());
        let sent = text(layer.layer(inner).oneshot(request).await.unwrap()).await;
        assert_eq!(sent.contains("include_usage"), asks, "{sent}");
    }
}

#[tokio::test]
async fn a_call_that_fell_back_names_the_model_of_its_new_group() {
    for (body, sent) in [
        (r#"{"model":"m","stream":true}"#, r#"{"model":"\"n\"","stream":true}"#),
        (r#"{"stream":true}"#, r#"{"stream":true,"model":"\"n\""}"#),
    ] {
        let bill = Bill::default();
        let mut fallen = request(true, "/v1/messages", &bill).map(|_| Bytes::from(body).into());
        fallen.extensions_mut().insert(Attempt { retries: 1, fallbacks: 1 });
        fallen.extensions_mut().get_mut::<Call>().unwrap().group = "\"n\"".into();
        let inner = service_fn(async |req: Request<Body>| {
            let body = req.into_body().collect().await?.to_bytes();
            assert_eq!(body, sent);
            Ok::<_, BoxError>(JSON.response())
        });
        UsageTapLayer::new(()).layer(inner).oneshot(fallen).await.unwrap();
    }
}

#[tokio::test]
async fn no_answer_is_asked_for_that_could_not_be_read() {
    for (path, asks) in [("/v1/chat/completions", false), ("/v1/files/f/content", true)] {
        let mut req = request(true, path, &Bill::default());
        req.headers_mut().insert("accept-encoding", HeaderValue::from_static("gzip, br"));
        let inner = service_fn(async |req: Request<Body>| {
            let asks = req.headers().contains_key("accept-encoding");
            Ok::<_, BoxError>(Response::builder().extension(asks).body(Body::empty())?)
        });
        let rsp = UsageTapLayer::new(()).layer(inner).oneshot(req).await.unwrap();
        assert_eq!(rsp.extensions().get(), Some(&asks), "{path}");
    }
}

#[tokio::test]
async fn a_whole_answer_tells_its_usage() {
    let frames = &[
        r#"{"choices":[{"finish_reason":"length"}],"usage":{"prompt_tokens":3,"#,
        r#""completion_tokens":1}}"#,
    ];
    let (got, rsp, bill) = call(Answer { frames, ..JSON }, false, "/v1/chat/completions").await;
    assert_eq!(got, r#"{"model":"m","stream":false}"#);
    let rsp = rsp.unwrap();
    let cell: UsageCell = rsp.extensions().get().cloned().unwrap();
    assert_eq!(text(rsp).await, frames.concat());
    assert_eq!((bill.cost(), cell.finished()), (NanoUsd(5), Some(Finish::Length)));
}

#[tokio::test]
async fn without_a_report_the_content_is_charged() {
    let answer = Answer { frames: &[TEXT, STOP, DONE], ..STREAM };
    let (_, rsp, bill) = call(answer, true, "/v1/chat/completions").await;
    text(rsp.unwrap()).await;
    assert_eq!(bill.total(), Some((Usage::tokens(10, 2), NanoUsd(14))));
    assert!(bill.is_estimated());
}

#[tokio::test]
async fn a_client_that_leaves_is_charged_for_what_was_written() {
    let answer = Answer { frames: &[TEXT, TEXT, STOP, USAGE, DONE], ..STREAM };
    let (_, rsp, bill) = call(answer, true, "/v1/chat/completions").await;
    let mut body = rsp.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(bill.total().unwrap().0, Usage::tokens(10, 2));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_the_first_word_is_charged_for_the_input_that_was_told() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":30,\"output_tokens\":1}}}\n\n";
    let inner = service_fn(move |_: Request<Body>| async move {
        let frames = tokio_stream::once(Ok::<_, BoxError>(Frame::data(Bytes::from(start))));
        let rest = tokio_stream::pending();
        let body = StreamBody::new(tokio_stream::StreamExt::chain(frames, rest));
        let head = Response::builder().header("content-type", "text/event-stream");
        Ok::<_, BoxError>(head.body(body).unwrap())
    });
    let price = Arc::new(Price::flat(Rates::tokens(1_000, 2_000)));
    let layer = UsageTapLayer::new(move |_: &str| Some(price.clone()));
    let bill = Bill::default();
    let call = layer.layer(inner).oneshot(request(true, "/v1/messages", &bill));
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err(), "it waits");
    assert_eq!(bill.total(), Some((Usage::tokens(30, 1), NanoUsd(32))));
}

#[tokio::test]
async fn a_stream_that_begins_with_an_error_is_an_error() {
    for (answer, cause) in [
        (Answer { frames: &[OVERLOADED], ..STREAM }, Cause::Overload),
        (Answer { frames: &[": hi\n\n"], broken: true, ..STREAM }, Cause::Network),
        (Answer { frames: &[": hi\n\n"], ..STREAM }, Cause::Network),
    ] {
        let (_, rsp, bill) = call(answer, true, "/v1/chat/completions").await;
        let error = rsp.unwrap_err();
        assert!(error.downcast_ref::<UsageTapError>().is_some());
        assert_eq!(Fault::of::<()>(Err(&error)).unwrap().cause, cause);
        assert_eq!((bill.total(), bill.attempts()), (None, 1));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_later_ends_with_an_error_event_in_its_own_words() {
    for (path, begin, words) in [
        (
            "/v1/chat/completions",
            TEXT,
            "data: {\"error\":{\"message\":\"the upstream broke off the stream\"",
        ),
        (
            "/v1/messages",
            "event: content_block_delta\ndata: {}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"",
        ),
        (
            "/v1/responses",
            "event: response.output_text.delta\ndata: {\"delta\":\"x\"}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\"",
        ),
    ] {
        let frames: &'static [&'static str] = Box::leak(Box::new([begin]));
        let (_, rsp, _) = call(Answer { frames, broken: true, ..STREAM }, true, path).await;
        let rsp = rsp.unwrap();
        let cell: UsageCell = rsp.extensions().get().cloned().unwrap();
        let text = text(rsp).await;
        let event = text.strip_prefix(begin).unwrap();
        assert!(event.starts_with(words), "{event}");
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        serde_json::from_str::<serde_json::Value>(data).unwrap();
        assert_eq!(cell.fault().unwrap().cause, Cause::Network);
    }
}

#[tokio::test]
async fn an_error_status_is_judged_by_its_body_which_passes() {
    let frames = &[r#"{"error":{"message":"x","#, r#""code":"insufficient_quota"}}"#];
    let answer = Answer { status: 429, frames, ..JSON };
    let (_, rsp, bill) = call(answer, true, "/v1/chat/completions").await;
    let rsp = rsp.unwrap();
    assert_eq!(Fault::of(Ok(&rsp)).unwrap().cause, Cause::Quota);
    assert_eq!(rsp.body().size_hint().exact(), Some(53));
    assert_eq!(text(rsp).await, frames.concat());
    assert_eq!(bill.total(), None);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_does_not_end_is_judged_in_time() {
    let inner = service_fn(async |_: Request<Body>| {
        let first = tokio_stream::once(Ok::<_, BoxError>(Frame::data(Bytes::from("overloaded"))));
        let forever = tokio_stream::StreamExt::merge(first, tokio_stream::pending());
        Ok::<_, BoxError>(Response::builder().status(500).body(StreamBody::new(forever))?)
    });
    let layer = UsageTapLayer::new(()).commit_timeout(Duration::from_secs(3));
    let before = Instant::now();
    let request = request(false, "/v1/messages", &Bill::default());
    let rsp = layer.layer(inner).oneshot(request).await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(3));
    assert_eq!(Fault::of(Ok(&rsp)).unwrap().cause, Cause::Overload);
    let mut body = rsp.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "overloaded");
}

#[tokio::test]
async fn an_upstream_failure_passes_through_and_its_line_stays() {
    let inner =
        service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(BoxError::from("reset")));
    let bill = Bill::default();
    let request = request(true, "/v1/messages", &bill);
    let error = UsageTapLayer::new(()).layer(inner).oneshot(request).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), bill.attempts()), ("reset", 1));
}

#[tokio::test]
async fn what_is_not_known_passes_unread() {
    for (answer, path) in [
        (Answer { frames: &["{}"], ..JSON }, "/v1/files"),
        (Answer { kind: "audio/mpeg", frames: &["\u{1}"], ..STREAM }, "/v1/chat/completions"),
    ] {
        let (_, rsp, bill) = call(answer, false, path).await;
        assert_eq!(text(rsp.unwrap()).await, answer.frames.concat());
        assert_eq!(bill.total(), None);
    }
}

#[tokio::test]
async fn a_group_learns_from_what_was_reported() {
    let typical = Typical::default();
    let size = Size { text: 40, data: 0, data_bytes: 0, choices: 1, bound: None };
    let inner = service_fn(async |_: Request<Body>| {
        Ok::<_, BoxError>(Answer { frames: &[TEXT, STOP, USAGE, DONE], ..STREAM }.response())
    });
    let mut request = request(true, "/v1/chat/completions", &Bill::default());
    request.extensions_mut().insert(Expected { size, typical: typical.clone() });
    let rsp = UsageTapLayer::new(()).layer(inner).oneshot(request).await.unwrap();
    text(rsp).await;
    assert_eq!(typical.output(), 4);
}
