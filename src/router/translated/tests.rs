//! Claims about translated streams.
use super::Expecting;
use super::body::FREE;
use crate::config::Fit;
use crate::providers::Hold;
use crate::providers::chat::{Client, Target};
use crate::providers::translate::{Edits, Protocol, Reply, Translation};
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use http::Response;
use http_body_util::{BodyExt, Either};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Memory of so many bytes, for all shares.
#[derive(Clone, Debug)]
struct Left(Arc<AtomicUsize>);

impl Hold for Left {
    fn hold_more(&self, bytes: usize) -> bool {
        self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    fn another(&self) -> Arc<dyn Hold> {
        Arc::new(self.clone())
    }
}

fn reply(client: Protocol) -> Reply {
    let edits =
        Edits { defaults: &[], forced: &[], extra_body: &[], drop: &[], stream_usage: true };
    let target = Target {
        provider: "gemini",
        row: None,
        model: "m",
        like: "m",
        max_output: None,
        thinks: None,
        modify: false,
    };
    let body = br#"{"input":"a","messages":[{"role":"user","content":"a"}]}"#;
    let translation = Translation { client, provider: Protocol::Gemini };
    let draft = translation.read(body, &edits, Fit { drop: Some(true), ..Fit::default() }).unwrap();
    draft.write(&target, &edits, Client::default()).unwrap().reply
}

/// Whether this stream reaches its client with `left` bytes of memory.
async fn fits(client: Protocol, left: usize, stream: &str) -> bool {
    let expecting = Expecting {
        reply: reply(client),
        usage: UsageCell::default(),
        stream: true,
        provider: "Gemini",
        held: Arc::new(Left(Arc::new(AtomicUsize::new(left)))),
        keeping: None,
    };
    let (parts, ()) = Response::new(()).into_parts();
    let body = Either::Right(Body::Full(stream.to_owned().into()));
    expecting.streamed(parts, body).into_body().collect().await.is_ok()
}

#[tokio::test]
async fn an_event_that_is_not_over_takes_of_the_memory_for_all() {
    let begun = format!("data: {}", "x".repeat(4 * FREE));
    assert!(!fits(Protocol::Chat, 2 * FREE, &begun).await);
    assert!(fits(Protocol::Chat, 16 * FREE, &begun).await);
    // What any stream takes is not counted.
    assert!(fits(Protocol::Chat, 0, "data: x").await);
}

#[tokio::test]
async fn an_answer_that_is_told_twice_takes_of_the_memory_for_all() {
    let said = "y".repeat(FREE);
    let event = format!(
        "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{said}\"}}]}}}}]}}\n\n"
    );
    let all = event.repeat(4);
    assert!(!fits(Protocol::Responses, 2 * FREE, &all).await);
    assert!(fits(Protocol::Responses, 16 * FREE, &all).await);
    assert!(fits(Protocol::Chat, 2 * FREE, &all).await);
}
