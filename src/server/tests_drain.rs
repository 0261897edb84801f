//! Claims about the end of the server.
use super::tests::*;
use super::*;
use hyper::service::service_fn;
use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::Sender;

type Feeds = Arc<Mutex<VecDeque<Fed>>>;

/// A server that answers `/stream` with the bodies of `feeds` in turn, and others with `say`.
fn streaming(bodies: Vec<Fed>, drain: Drain) -> Served {
    let bodies: Feeds = Arc::new(Mutex::new(bodies.into()));
    let service = service_fn(move |request: Request<Incoming>| {
        let stream = request.uri().path() == "/stream";
        let body = stream.then(|| bodies.lock().unwrap().pop_front().unwrap());
        async move {
            match body {
                Some(body) => Ok(Response::new(body)),
                None => say(request).await,
            }
        }
    });
    start(service, limits(), drain)
}

async fn open_stream(served: &Served) -> TcpStream {
    let mut stream = served.connect().await;
    stream.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_open_streams_all_end_whole() {
    let (feeds, bodies): (Vec<Sender<Bytes>>, Vec<Fed>) = (0..200).map(|_| fed()).unzip();
    let served = streaming(bodies, Drain::new(Duration::from_secs(60)));
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(open_stream(&served).await);
    }
    assert!(!served.drain.handle().is_draining());
    served.drain.trigger();
    assert!(served.drain.handle().is_draining());
    for feed in &feeds {
        feed.send("half ".into()).await.unwrap();
    }
    for feed in feeds {
        feed.send("and half".into()).await.unwrap();
    }
    for stream in &mut streams {
        let text = read_to_end(stream).await;
        assert!(text.contains("half ") && text.contains("and half"), "{text}");
        assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
    }
    drop(streams);
    assert_eq!(served.cut.await.unwrap(), 0);
    served.tasks.drained().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_new_ones_are_refused() {
    let (feed, body) = fed();
    let served = streaming(vec![body], Drain::new(Duration::from_secs(60)));
    let mut open = open_stream(&served).await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut idle, "\r\n0\r\n\r\n").await;
    served.drain.trigger();
    assert_eq!(read_to_end(&mut idle).await, "");
    let refused = TcpStream::connect(served.addr).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    feed.send("whole".into()).await.unwrap();
    drop(feed);
    assert!(read_to_end(&mut open).await.contains("whole"));
    assert_eq!(served.cut.await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_that_begins_during_the_drain_says_that_the_connection_closes() {
    let (go, gone) = tokio::sync::watch::channel(false);
    let (called, mut calls) = tokio::sync::mpsc::channel(1);
    let service = service_fn(move |_: Request<Incoming>| {
        called.try_send(()).unwrap();
        let mut gone = gone.clone();
        async move {
            gone.wait_for(|go| *go).await.unwrap();
            Ok::<_, Infallible>(Response::new(whole("late")))
        }
    });
    let served = start(service, limits(), Drain::new(Duration::from_secs(60)));
    let mut stream = served.connect().await;
    let mut idle = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    calls.recv().await.unwrap();
    served.drain.trigger();
    assert_eq!(read_to_end(&mut idle).await, "");
    go.send(true).unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.contains("connection: close") && answer.contains("late"), "{answer}");
}

#[tokio::test]
async fn a_stream_longer_than_the_deadline_is_cut_and_counted() {
    let (feed, body) = fed();
    let served = streaming(vec![body], Drain::new(Duration::from_millis(100)));
    let mut open = open_stream(&served).await;
    feed.send("begun".into()).await.unwrap();
    served.drain.trigger();
    let text = read_to_end(&mut open).await;
    assert!(text.contains("begun") && !text.ends_with("0\r\n\r\n"), "{text}");
    assert_eq!(served.cut.await.unwrap(), 1);
    served.tasks.drained().await;
    feed.closed().await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let (_feed, body) = fed();
    let served = streaming(vec![body], Drain::new(Duration::from_secs(3600)));
    let mut open = open_stream(&served).await;
    served.drain.trigger();
    served.drain.end_now();
    read_to_end(&mut open).await;
    assert_eq!(served.cut.await.unwrap(), 1);
}

#[tokio::test]
async fn connections_are_accepted_during_the_delay_while_readiness_fails() {
    let drain = Drain::with_delay(Duration::from_secs(60), Duration::from_secs(50));
    let served = streaming(Vec::new(), drain);
    served.drain.trigger();
    assert!(served.drain.handle().is_draining());
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&served.exchange(request).await), "200");
    served.drain.end_now();
    assert_eq!(served.cut.await.unwrap(), 0);
}
