//! The forwarder against scripted peers.
use super::{Deadlines, ForwardError, Forwarder, Upstream, UpstreamBody};
use crate::config::Outbound;
use crate::tasks::Tasks;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

mod calls;
mod failures;
mod own_tls;
mod proxied;
mod secure;
mod upgrade;

fn outbound() -> Outbound {
    Outbound { connect_timeout: Duration::from_secs(5), ..Outbound::default() }
}

fn forwarder() -> Forwarder {
    Forwarder::new(&outbound(), Tasks::default()).unwrap()
}

/// A server whose every byte the test writes.
struct Peer {
    listener: TcpListener,
    address: SocketAddr,
}

impl Peer {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    fn base(&self, path: &str) -> Uri {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    fn upstream(&self) -> Upstream {
        forwarder().upstream(&self.base("/v1"))
    }

    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }
}

/// Reads one request whose body is `hello`, or has none.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "the client closed");
        let is_whole = if text.starts_with(b"POST") {
            text.ends_with(b"\r\n\r\nhello")
        } else {
            text.ends_with(b"\r\n\r\n")
        };
        if is_whole {
            return String::from_utf8(text).unwrap();
        }
    }
}

/// Answers one request with `answer`.
async fn serve(stream: &mut TcpStream, answer: &str) -> String {
    let request = read_request(stream).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    request
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn post() -> Request<Body> {
    Request::post("/chat").body(Body::Full(Bytes::from_static(b"hello"))).unwrap()
}

fn hasty(deadlines: Deadlines) -> Request<Body> {
    let mut request = post();
    request.extensions_mut().insert(deadlines);
    request
}

async fn text(response: Response<UpstreamBody>) -> Result<String, ForwardError> {
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Whether the other side has closed, waiting for it.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    matches!(stream.read_to_end(&mut rest).await, Ok(0) | Err(_))
}
