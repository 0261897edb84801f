//! What the other tests rely on: client and upstream, without a proxy between them.
use crate::client::{chat, chat_stream};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream, piece, stream_head};
use crate::wire::{Ended, PATIENCE};

#[tokio::test]
async fn a_scripted_answer_is_read_as_it_was_written() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let call = chat("gpt").key("sk-x");
    assert_eq!(call.send(upstream.addr()).await.expect(200).text(), COMPLETION);
    let request = upstream.only_request();
    assert_eq!(request.head.get("authorization"), Some("Bearer sk-x"));
    assert!(call.bytes(upstream.addr()).ends_with(&request.body));
}

#[tokio::test]
async fn the_pieces_of_a_stream_and_its_end_are_seen() {
    let gate = Gate::new();
    let pieces = [stream_head(), piece("data: a\n"), Step::Wait(gate.clone()), piece("\n")];
    let whole = Upstream::playing([&pieces[..], &[Step::End]].concat()).await;
    let mut wire = chat_stream("gpt").open(whole.addr()).await;
    let head = wire.head().await.unwrap().unwrap();
    assert_eq!(wire.chunk().await.unwrap().unwrap(), "data: a\n");
    gate.open();
    assert_eq!(wire.body(&head, true).await, ("\n".into(), Ended::Complete));
    for end in [Step::Close, Step::Reset] {
        let cut = Upstream::playing([&pieces[..2], &[end]].concat()).await;
        let answer = chat_stream("gpt").send(cut.addr()).await;
        assert!(!answer.is_whole());
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted() {
    for last in [Step::Hang, Step::Wait(Gate::new())] {
        let upstream = Upstream::playing(vec![stream_head(), last]).await;
        let wire = chat("gpt").open(upstream.addr()).await;
        assert!(upstream.saw(PATIENCE, |seen| seen.begun == 1).await);
        assert_eq!(upstream.seen().left, 0);
        drop(wire);
        assert!(upstream.saw(PATIENCE, |seen| seen.left == 1).await);
    }
}
