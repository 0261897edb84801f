//! Claims about HTTP/2 with prior knowledge, with hyper's client and with raw frames.
use super::tests::*;
use super::*;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn client(served: &Served) -> SendRequest<Full<Bytes>> {
    let io = TokioIo::new(served.connect().await);
    let (send, connection) = handshake(served.tasks.clone(), io).await.unwrap();
    served.tasks.spawn(async move { drop(connection.await) });
    send
}

fn post(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    let uri = format!("http://a{path}");
    Request::post(uri).body(Full::from(body)).unwrap()
}

#[tokio::test]
async fn prior_knowledge_is_served_on_the_same_port() {
    let served = saying();
    let mut send = client(&served).await;
    let answers = (0..50).map(|_| send.send_request(post("/two", "hello"))).collect::<Vec<_>>();
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "POST /two - [hello]\n");
    }
    let one = served.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&one), "200");
}

#[tokio::test]
async fn a_host_that_contradicts_the_authority_is_refused() {
    let served = saying();
    let mut send = client(&served).await;
    for (host, status) in [("b", 400), ("a", 200), ("A", 200)] {
        let mut request = post("/", "");
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(send.send_request(request).await.unwrap().status(), status, "{host}");
    }
}

#[tokio::test]
async fn a_panic_costs_one_stream_and_not_its_connection() {
    let service = service_fn(async |request: Request<Incoming>| {
        assert_ne!(request.uri().path(), "/panic", "a bug, on purpose");
        say(request).await
    });
    let served = start(service, limits(), Drain::new(Duration::ZERO));
    let mut send = client(&served).await;
    assert!(send.send_request(post("/panic", "")).await.is_err());
    assert_eq!(send.send_request(post("/", "")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_drain_lets_streams_end_whole_and_takes_no_new_ones() {
    let (feed, body) = fed();
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let served = start(service, limits(), Drain::new(Duration::from_secs(60)));
    let mut send = client(&served).await;
    let answer = send.send_request(post("/", "")).await.unwrap();
    served.drain.trigger();
    feed.send("half ".into()).await.unwrap();
    feed.send("and half".into()).await.unwrap();
    drop(feed);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "half and half");
    assert_eq!(served.cut.await.unwrap(), 0);
    assert!(send.ready().await.is_err() || send.send_request(post("/", "")).await.is_err());
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let idle = Limits { keep_alive: Duration::from_millis(100), ..limits() };
    let served = start(service_fn(say), idle, Drain::new(Duration::ZERO));
    let io = TokioIo::new(served.connect().await);
    let (mut send, connection) = handshake(served.tasks.clone(), io).await.unwrap();
    let (ended, end) = tokio::sync::oneshot::channel();
    served.tasks.spawn(async move {
        drop(connection.await);
        ended.send(()).unwrap();
    });
    assert_eq!(send.send_request(post("/", "")).await.unwrap().status(), 200);
    end.await.unwrap();
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `:method: GET`, `:scheme: http`, `:path: /`, `:authority: a`, by RFC 7541's static table.
const HEADERS: &[u8] = &[0x82, 0x86, 0x84, 0x41, 0x01, b'a'];

/// Whether the server says GOAWAY, or closes without, after `frames`.
async fn goes_away(frames: Vec<u8>) -> bool {
    let served = saying();
    let mut stream = served.connect().await;
    let (mut read, mut write) = stream.split();
    let send = async {
        drop(write.write_all(PREFACE).await);
        drop(write.write_all(&frames).await);
        std::future::pending::<bool>().await
    };
    let watch = async {
        let mut head = [0; 9];
        while read.read_exact(&mut head).await.is_ok() {
            let [a, b, c, kind, ..] = head;
            if kind == GOAWAY {
                return true;
            }
            let mut rest = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            if read.read_exact(&mut rest).await.is_err() {
                return true;
            }
        }
        true
    };
    tokio::select! { gone = watch => gone, gone = send => gone }
}

#[tokio::test]
async fn a_preface_in_two_pieces_is_waited_for_but_not_longer_than_headers_may_take() {
    let brief = Limits { header_timeout: Duration::from_millis(500), ..limits() };
    let served = start(service_fn(say), brief, Drain::new(Duration::ZERO));
    let (mut whole, mut begun) = (served.connect().await, served.connect().await);
    for stream in [&mut whole, &mut begun] {
        stream.write_all(&PREFACE[..10]).await.unwrap();
    }
    // A call in between, so that the first piece has been looked at.
    let one = served.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status(&one), "200");
    whole.write_all(&PREFACE[10..]).await.unwrap();
    let mut head = [0; 9];
    whole.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS);
    assert!(matches!(begun.read(&mut head).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn floods_of_resets_end_the_connection() {
    let mut flood = Vec::new();
    for n in 0..5_000 {
        let stream = 2 * n + 1;
        flood.extend(frame(1, 0x5, stream, HEADERS));
        flood.extend(frame(3, 0, stream, &8u32.to_be_bytes()));
    }
    assert!(goes_away(flood).await);
}

#[tokio::test]
async fn floods_of_continuations_end_the_connection() {
    let mut flood = frame(1, 0x1, 1, HEADERS);
    for _ in 0..10_000 {
        flood.extend(frame(9, 0, 1, &[0x00, 0x01, b'x', 0x01, b'y']));
    }
    assert!(goes_away(flood).await);
}

#[tokio::test]
async fn a_header_list_over_the_limit_is_answered_with_431() {
    let served = saying();
    let mut send = client(&served).await;
    let mut request = post("/", "");
    let large = "y".repeat(MAX_HEADER_BYTES).parse().unwrap();
    request.headers_mut().insert("x-large", large);
    match send.send_request(request).await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => panic!("{error:?}"),
    }
}
