//! What the other test files use, and claims about listeners, limits and counting.
use super::accept::{pause_after, prepare};
use super::conn::State;
use super::*;
use hyper::body::Frame;
use hyper::service::service_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A body that says what it is sent, and ends when the sender does.
pub(super) struct Fed(mpsc::Receiver<Bytes>);

impl Body for Fed {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}

/// A body that is whole at once.
pub(super) fn whole(text: impl Into<Bytes>) -> Fed {
    let (feed, body) = mpsc::channel(1);
    feed.try_send(text.into()).expect("there is room for one");
    Fed(body)
}

/// A body to be fed.
pub(super) fn fed() -> (mpsc::Sender<Bytes>, Fed) {
    let (feed, body) = mpsc::channel(4);
    (feed, Fed(body))
}

/// Generous limits: a test that is about one sets it.
pub(super) fn limits() -> Limits {
    let long = Duration::from_secs(60);
    Limits { max_connections: 1000, keep_alive: long, header_timeout: long }
}

/// A server on a port of its own.
pub(super) struct Served {
    pub(super) addr: SocketAddr,
    pub(super) drain: Drain,
    pub(super) tasks: Tasks,
    pub(super) cut: tokio::sync::oneshot::Receiver<usize>,
}

pub(super) fn start<S, B>(service: S, limits: Limits, drain: Drain) -> Served
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    start_over(None, service, limits, drain)
}

pub(super) fn start_over<S, B>(tls: Option<Tls>, service: S, limits: Limits, drain: Drain) -> Served
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let addr = listener.local_addr().unwrap();
    let tasks = Tasks::default();
    let (tell, cut) = tokio::sync::oneshot::channel();
    let running =
        serve(vec![listener], tls, service, limits, drain.clone(), tasks.clone(), Peers::default());
    tasks.spawn(async move {
        tell.send(running.await).ok();
    });
    Served { addr, drain, tasks, cut }
}

impl Served {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    pub(super) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        read_to_end(&mut stream).await
    }
}

pub(super) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// Reads up to and with `end`.
pub(super) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let byte = stream.read_u8().await.unwrap_or_else(|error| {
            panic!("{error} before {end:?}, after {:?}", String::from_utf8_lossy(&text))
        });
        text.push(byte);
    }
    String::from_utf8(text).unwrap()
}

/// Answers with what it was asked: method, target, host and body.
pub(super) async fn say(request: Request<Incoming>) -> Result<Response<Fed>, Infallible> {
    use http_body_util::BodyExt;
    let (parts, body) = request.into_parts();
    let host = parts.headers.get("host").map_or("-", |host| host.to_str().unwrap());
    let line = format!("{} {} {host}", parts.method, parts.uri.path());
    Ok(match body.collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            Response::new(whole(format!("{line} [{}]\n", String::from_utf8_lossy(&body))))
        }
        Err(_) => {
            let mut answer = Response::new(whole("bad body\n"));
            *answer.status_mut() = http::StatusCode::BAD_REQUEST;
            answer
        }
    })
}

/// A server that answers with [`say`], without limits that matter.
pub(super) fn saying() -> Served {
    start(service_fn(say), limits(), Drain::new(Duration::from_secs(5)))
}

pub(super) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn ipv4_and_ipv6_bind_the_same_port_and_a_taken_one_says_what_to_do() {
    let four = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = four.local_addr().unwrap().port();
    let error = bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap_err().to_string();
    let expected = format!(
        "cannot listen on 127.0.0.1:{port}: another program listens there; stop it or choose \
         another port with --port"
    );
    assert_eq!(error, expected);
    match bind(format!("[::]:{port}").parse().unwrap()) {
        Ok(six) => assert_eq!(six.local_addr().unwrap().port(), port),
        // A machine without IPv6 cannot show it; a clash would be `AddrInUse`.
        Err(error) => assert_ne!(error.kind(), io::ErrorKind::AddrInUse, "{error}"),
    }
}

#[tokio::test]
async fn a_connection_over_the_limit_is_served_when_another_closes() {
    let limits = Limits { max_connections: 1, ..limits() };
    let served = start(service_fn(say), limits, Drain::new(Duration::ZERO));
    let mut first = served.connect().await;
    first.write_all(b"GET /1 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut first, "[]\n\r\n0\r\n\r\n").await;
    let mut second = served.connect().await;
    second.write_all(b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // The first connection is the one that is served as long as it is open.
    first.write_all(b"GET /3 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut first, "[]\n\r\n0\r\n\r\n").await;
    assert_eq!(second.try_read(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(first);
    assert!(read_until(&mut second, "[]\n").await.contains("GET /2 a"));
}

#[test]
fn a_shortage_of_files_slows_accepting_and_a_lost_connection_does_not() {
    let short = io::Error::from_raw_os_error(24); // EMFILE
    let mut pause = Duration::ZERO;
    let pauses: Vec<u128> = (0..9)
        .map(|_| {
            pause = pause_after(&short, pause);
            pause.as_millis()
        })
        .collect();
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    let lost = io::Error::from(io::ErrorKind::ConnectionAborted);
    assert_eq!(pause_after(&lost, Duration::ZERO), Duration::ZERO);
}

#[tokio::test]
async fn accepted_sockets_send_at_once() {
    // As `start` does it: the option is the socket's, so it can be asked there only.
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    assert!(!stream.nodelay().unwrap());
    let stream = prepare(stream, peer).unwrap();
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn a_panic_costs_its_connection_and_no_other() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let service = service_fn(move |request: Request<Incoming>| {
        count.fetch_add(1, SeqCst);
        async move {
            assert_ne!(request.uri().path(), "/panic", "a bug, on purpose");
            say(request).await
        }
    });
    let served = start(service, limits(), Drain::new(Duration::ZERO));
    let mut other = served.connect().await;
    other.write_all(b"GET /1 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut other, "0\r\n\r\n").await;
    assert_eq!(served.exchange("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await, "");
    other.write_all(b"GET /2 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(read_until(&mut other, "0\r\n\r\n").await.contains("GET /2"));
    let new = served.exchange("GET /3 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(new.contains("GET /3"), "{new}");
    assert_eq!(seen.load(SeqCst), 4);
}

#[tokio::test]
async fn a_client_that_leaves_has_its_call_dropped() {
    struct Told(Option<tokio::sync::oneshot::Sender<()>>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.take().unwrap().send(()).ok();
        }
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
    let (called, mut calls) = mpsc::channel(1);
    let service = service_fn(move |_: Request<Incoming>| {
        let told = Told(tell.lock().unwrap().take());
        called.try_send(()).unwrap();
        async move {
            let _told = told;
            std::future::pending::<()>().await;
            Ok::<_, Infallible>(Response::new(whole("never")))
        }
    });
    let served = start(service, limits(), Drain::new(Duration::ZERO));
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    calls.recv().await.unwrap();
    drop(stream);
    told.await.unwrap();
}

#[test]
fn a_listener_serves_on_a_runtime_of_one_thread() {
    let runtime = runtime::build(Some(1)).unwrap();
    let answer = runtime.block_on(async {
        let served = saying();
        served.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await
    });
    assert_eq!(status(&answer), "200");
}

#[test]
fn a_call_is_open_until_its_answer_is_dropped() {
    let state = Arc::new(State::default());
    let open = state.open(false);
    assert!(state.is_calling());
    drop(open);
    assert!(!state.is_calling());
}
