use super::{MOST_HELD, Peek, Replay, Verdict};
use crate::wire::tap::{Framing, Tap, Wire};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use std::{convert::Infallible, io, time::Duration};
use tokio_stream::{StreamExt, iter, once, pending};

const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";

#[tokio::test]
async fn content_lets_the_answer_go_with_every_byte() {
    let (verdict, body) = peek([": wait\n\n", ROLE, TEXT, "data: [DONE]\n\n"]).await;
    assert!(matches!(verdict, Verdict::Content), "{verdict:?}");
    assert_eq!(body.held.len(), 3);
    let all = body.collect().await.unwrap().to_bytes();
    assert_eq!(all, format!(": wait\n\n{ROLE}{TEXT}data: [DONE]\n\n"));
}

#[tokio::test]
async fn an_error_behind_a_role_is_still_the_first_event() {
    let error =
        "event: error\ndata: {\"error\":{\"message\":\"no\",\"type\":\"x\",\"code\":\"429\"}}\n\n";
    let (verdict, _) = peek([ROLE, error]).await;
    let Verdict::ErrorFirst(error) = verdict else { panic!("{verdict:?}") };
    assert_eq!((error.status, error.message.as_deref()), (Some(429), Some("no")));
}

#[tokio::test]
async fn an_end_without_content_is_told() {
    let (verdict, _) = peek([ROLE]).await;
    assert!(matches!(verdict, Verdict::Ended { complete: false }), "{verdict:?}");
    let (verdict, _) = peek([ROLE, "data: [DONE]\n\n"]).await;
    assert!(matches!(verdict, Verdict::Ended { complete: true }), "{verdict:?}");
}

#[tokio::test]
async fn an_upstream_that_breaks_is_told() {
    let reset = Err::<Frame<Bytes>, _>(io::Error::other("reset"));
    let (verdict, _) = Peek::new(StreamBody::new(once(reset)), tap(), Duration::MAX).await;
    assert!(matches!(verdict, Verdict::Broke(_)), "{verdict:?}");
}

#[tokio::test]
async fn no_more_than_64_kib_are_held() {
    let comment = format!(": {}\n\n", "x".repeat(1000));
    let (verdict, body) = peek(std::iter::repeat_n(&*comment, 100)).await;
    assert!(matches!(verdict, Verdict::Held), "{verdict:?}");
    assert!(body.size_hint().lower() < (MOST_HELD + comment.len()) as u64);
}

#[tokio::test(start_paused = true)]
async fn the_commit_timeout_lets_a_silent_answer_go() {
    let role = Ok::<_, Infallible>(Frame::data(Bytes::from(ROLE)));
    let body = StreamBody::new(once(role).chain(pending()));
    let start = tokio::time::Instant::now();
    let (verdict, body) = Peek::new(body, tap(), Duration::from_secs(15)).await;
    assert!(matches!(verdict, Verdict::TimedOut), "{verdict:?}");
    assert_eq!((start.elapsed(), body.held.len()), (Duration::from_secs(15), 1));
}

async fn peek<'t>(
    frames: impl IntoIterator<Item = &'t str>,
) -> (Verdict, Replay<impl Body<Data = Bytes, Error = Infallible>>) {
    let frames: Vec<_> = frames
        .into_iter()
        .map(|text| Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes()))))
        .collect();
    Peek::new(StreamBody::new(iter(frames)), tap(), Duration::from_secs(15)).await
}

fn tap() -> Tap {
    Tap::new(Wire::Chat, Framing::Events)
}
