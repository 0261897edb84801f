//! Claims about connections that become tunnels.
use super::tests::{limits, start, whole};
use super::*;
use crate::tunnel::{Carry, Carrying, Client, Tunnel};
use bartizan_layers::end::End;
use hyper::service::service_fn;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::advance;

/// Says everything back until the client has left.
struct Parrot;

impl Carry for Parrot {
    fn carry<'a>(self: Box<Self>, client: Client<'a>) -> Carrying<'a> {
        Box::pin(async move {
            let Client { io, early, cut } = client;
            io.write_all(&early).await.unwrap();
            let (mut from, mut to) = tokio::io::split(io);
            let carried = async {
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                End::Complete
            };
            tokio::select! {
                end = carried => end,
                () = cut.cancelled() => End::Cancelled,
            }
        })
    }
}

async fn switches(_: Request<Incoming>) -> Result<Response<super::tests::Fed>, Infallible> {
    let mut rsp = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "parrot")
        .extension(Tunnel::new(Parrot))
        .body(whole(""))
        .unwrap();
    rsp.headers_mut().remove("content-length");
    Ok(rsp)
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: parrot\r\n\r\n";

/// Sends `more` right behind the request, and reads up to the end of the 101.
async fn switched(stream: &mut TcpStream, more: &[u8]) {
    stream.write_all(&[ASK, more].concat()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
}

async fn says(stream: &mut TcpStream, expected: &[u8]) {
    let mut said = vec![0; expected.len()];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_switched_connection_is_the_tunnels() {
    let mut server = start(service_fn(switches), limits(), Drain::new(Duration::ZERO));
    let mut stream = server.connect().await;
    switched(&mut stream, b"early").await;
    says(&mut stream, b"early").await;
    stream.write_all(b"late").await.unwrap();
    says(&mut stream, b"late").await;
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    server.drain.trigger();
    assert_eq!((&mut server.cut).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_tunnel_is_neither_idle_nor_late() {
    let short = Limits { keep_alive: Duration::from_secs(1), ..limits() };
    let server = start(service_fn(switches), short, Drain::new(Duration::ZERO));
    let mut stream = server.connect().await;
    switched(&mut stream, b"").await;
    for _ in 0..4 {
        advance(Duration::from_secs(3600)).await;
        stream.write_all(b"still here").await.unwrap();
        says(&mut stream, b"still here").await;
    }
}

#[tokio::test]
async fn a_tunnel_is_open_until_the_drains_deadline_and_counts_as_cut() {
    let mut server = start(service_fn(switches), limits(), Drain::new(Duration::from_secs(600)));
    let mut stream = server.connect().await;
    switched(&mut stream, b"").await;
    server.drain.trigger();
    stream.write_all(b"still here").await.unwrap();
    says(&mut stream, b"still here").await;
    server.drain.end_now();
    assert_eq!((&mut server.cut).await.unwrap(), 1);
    let end: io::Result<usize> = stream.read(&mut [0]).await;
    assert!(!matches!(end, Ok(1..)), "{end:?}");
}

#[tokio::test]
async fn a_tunnel_holds_its_place_among_the_connections() {
    let one = Limits { max_connections: 1, ..limits() };
    let server = start(service_fn(switches), one, Drain::new(Duration::ZERO));
    let mut first = server.connect().await;
    switched(&mut first, b"").await;
    let mut second = server.connect().await;
    second.write_all(ASK).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(200), second.read_u8()).await;
    assert!(waits.is_err(), "it was served beyond the limit");
    drop(first);
    assert_eq!(second.read_u8().await.unwrap(), b'H');
}
