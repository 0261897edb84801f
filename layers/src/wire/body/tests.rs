use super::{Ending, Failure, TapBody, Watch};
use crate::{
    BoxError,
    end::End,
    facts::{Cause, Fault, Usage, UsageCell},
    wire::tap::{Framing, Tap, Wire},
};
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use std::sync::{Arc, Mutex};

const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const STOP: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const ERROR: &str = "data: broken\n\n";

#[tokio::test]
async fn a_complete_stream_passes_untouched_and_in_the_same_frames() {
    let bytes = Bytes::from([TEXT, STOP, DONE].concat());
    let frame = Ok::<_, BoxError>(Frame::data(bytes.clone()));
    let upstream = StreamBody::new(tokio_stream::once(frame));
    let (mut body, seen) = tapped(upstream, Framing::Events);
    let out = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(out.as_ptr(), bytes.as_ptr());
    assert!(body.frame().await.is_none());
    assert_eq!(seen.lock().unwrap().join(" "), "first-byte content:1/1 Complete");
}

#[tokio::test]
async fn a_half_line_is_closed_before_the_error_event() {
    let cut = [TEXT, "data: {\"cho"];
    assert_eq!(all(&cut, None).await, (format!("{TEXT}data: {{\"cho\n\n{ERROR}"), failed("Cut")));
}

#[tokio::test]
async fn a_stream_that_stops_between_events_gets_one_error_event() {
    assert_eq!(all(&[TEXT], None).await, (format!("{TEXT}{ERROR}"), failed("Cut")));
    assert_eq!(all(&[TEXT], Some("reset")).await, (format!("{TEXT}{ERROR}"), failed("Broke")));
}

#[tokio::test]
async fn an_empty_stream_is_cut() {
    let (text, seen) = all(&[], None).await;
    assert_eq!((text.as_str(), seen.as_str()), (ERROR, "Failed:Cut"));
}

#[tokio::test]
async fn an_upstream_that_breaks_behind_the_ending_is_forgiven() {
    for ending in [STOP, DONE] {
        let (text, seen) = all(&[TEXT, ending], Some("reset")).await;
        assert_eq!(text, format!("{TEXT}{ending}"));
        assert!(seen.ends_with("Complete"), "{seen}");
    }
}

#[tokio::test]
async fn bytes_behind_done_pass() {
    let frames = [TEXT, DONE, ": more\n\ndata: x"];
    assert_eq!(all(&frames, None).await.0, frames.concat());
}

#[tokio::test]
async fn the_providers_own_error_event_is_not_doubled() {
    let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    for rest in [None, Some("reset")] {
        let (text, seen) = all(&[TEXT, error], rest).await;
        assert_eq!(text, format!("{TEXT}{error}"));
        assert_eq!(seen, failed("InBand"));
    }
}

#[tokio::test]
async fn the_upstreams_done_behind_its_error_event_does_not_reach_the_client() {
    let (head, tail) = ("data: {\"error\":", "{\"message\":\"overloaded\"}}\n\n");
    for frames in [[TEXT, head, tail, DONE], [TEXT, head, tail, "data: [DONE]"]] {
        let (text, seen) = all(&frames, None).await;
        assert_eq!((text, seen), (format!("{TEXT}{head}{tail}"), failed("InBand")));
    }
}

#[tokio::test]
async fn what_is_no_event_stream_is_aborted() {
    let upstream = frames(&["{\"a\":"], Some("reset"));
    let (body, seen) = tapped(upstream, Framing::Whole);
    assert!(body.collect().await.is_err());
    assert_eq!(seen.lock().unwrap().join(" "), "first-byte Failed:Broke");
    let (body, _) = tapped(frames(&["[{},"], None), Framing::Array);
    assert!(body.collect().await.is_err());
}

#[tokio::test]
async fn a_client_that_leaves_has_cancelled_unless_the_ending_came() {
    for (frames_seen, end) in [(1, "Cancelled"), (2, "Complete")] {
        let (mut body, seen) = tapped(frames(&[TEXT, STOP, DONE], None), Framing::Events);
        for _ in 0..frames_seen {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(seen.lock().unwrap().last().unwrap(), end);
    }
}

#[tokio::test]
async fn a_provider_known_to_stop_short_may() {
    let tap = Tap::new(Wire::Chat, Framing::Events).lenient_end();
    let body = TapBody::new(frames(&[TEXT], None), tap, Broken, ());
    assert_eq!(body.collect().await.unwrap().to_bytes(), TEXT);
    let tap = Tap::new(Wire::Chat, Framing::Events).lenient_end();
    let body = TapBody::new(frames(&[TEXT, "data"], None), tap, Broken, ());
    assert_eq!(body.collect().await.unwrap().to_bytes(), format!("{TEXT}data\n\n{ERROR}"));
}

#[tokio::test]
async fn how_a_stream_broke_is_noted_for_who_reads_its_bill() {
    let timeout = || BoxError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    let told = Fault::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE);
    for (last, want) in [
        (None, Some(Cause::Network)),
        (Some(Err("reset".into())), Some(Cause::Network)),
        (Some(Err(timeout())), Some(Cause::Timeout)),
        (Some(Err(told.into())), Some(Cause::Overload)),
        (Some(Ok(Frame::data(Bytes::from(STOP)))), None),
    ] {
        let frames: Vec<_> = std::iter::once(Ok(Frame::data(TEXT.into()))).chain(last).collect();
        let cell = UsageCell::default();
        let tap = Tap::new(Wire::Chat, Framing::Events).cell(cell.clone());
        let body = TapBody::new(StreamBody::new(tokio_stream::iter(frames)), tap, Broken, ());
        body.collect().await.unwrap();
        assert_eq!(cell.fault().map(|fault| fault.cause), want);
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_charged_for_what_was_written() {
    for (framing, text, want) in [
        (Framing::Events, TEXT, Some(Usage::tokens(9, 1))),
        (Framing::Events, ": ping\n\n", None),
        (Framing::Whole, "{\"choices\":[", Some(Usage::tokens(9, 0))),
    ] {
        let cell = UsageCell::default();
        let tap = Tap::new(Wire::Chat, framing).cell(cell.clone()).input_estimate(9);
        let texts = [text, STOP];
        let mut body = TapBody::new(frames(&texts, None), tap, Broken, ());
        body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!((cell.usage(), cell.fault()), (want, None));
    }
}

struct Broken;

impl Ending for Broken {
    fn error_event(&self, _: &Failure) -> Bytes {
        ERROR.into()
    }
}

type Seen = Arc<Mutex<Vec<String>>>;

struct Notes(Seen);

impl Watch for Notes {
    fn first_byte(&mut self) {
        self.0.lock().unwrap().push("first-byte".into());
    }

    fn content(&mut self, new: u64, total: u64) {
        self.0.lock().unwrap().push(format!("content:{new}/{total}"));
    }

    fn end(&mut self, end: End, failure: Option<&Failure>, _: &Tap) {
        let cause = failure.map(|failure| match failure {
            Failure::Cut => ":Cut",
            Failure::Broke(_) => ":Broke",
            Failure::InBand(_) => ":InBand",
        });
        self.0.lock().unwrap().push(format!("{end:?}{}", cause.unwrap_or_default()));
    }
}

fn tapped<B>(upstream: B, framing: Framing) -> (TapBody<B, Broken, Notes>, Seen)
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let notes = Seen::default();
    let watch = Notes(Arc::clone(&notes));
    (TapBody::new(upstream, Tap::new(Wire::Chat, framing), Broken, watch), notes)
}

fn frames(
    texts: &[&'static str],
    error: Option<&'static str>,
) -> impl Body<Data = Bytes, Error = BoxError> + Unpin {
    let texts = texts.iter().map(|text| Ok(Frame::data(Bytes::from(*text))));
    let frames: Vec<_> = texts.chain(error.map(|error| Err(BoxError::from(error)))).collect();
    StreamBody::new(tokio_stream::iter(frames))
}

async fn all(texts: &[&'static str], error: Option<&'static str>) -> (String, String) {
    let (body, seen) = tapped(frames(texts, error), Framing::Events);
    let bytes = body.collect().await.unwrap().to_bytes();
    let seen = seen.lock().unwrap().join(" ");
    (String::from_utf8(bytes.into()).unwrap(), seen)
}

fn failed(cause: &str) -> String {
    format!("first-byte content:1/1 Failed:{cause}")
}
