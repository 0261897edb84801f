//! A call that asks its upstream for another protocol (RFC 9110, 7.8), on a connection of its own.
use super::Upstream;
use super::connect::{Connector, Stream};
use super::error::{ConnectError, ForwardError};
use super::origin::{Open, Origin, Target};
use bartizan_layers::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::response::Parts;
use http::{Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// The largest response head in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// How much of a refusal is read, in bytes; the rest of a longer one is dropped.
const MAX_REFUSAL: usize = 1 << 20;

/// What an upstream said to another protocol.
#[derive(Debug)]
pub enum Upgrade {
    /// Yes (101): from here on the line is the new protocol's.
    Switched(Parts, Line),
    /// Any other answer, whole.
    Refused(Response<Bytes>),
}

/// A connection to an upstream that belongs to one call. Dropped, it is closed.
#[derive(Debug)]
pub struct Line {
    io: Stream,
    early: Bytes,
    _open: Open,
}

impl Line {
    /// What the upstream sent right behind its 101. To be asked once.
    pub const fn take_early(&mut self) -> Bytes {
        std::mem::replace(&mut self.early, Bytes::new())
    }
}

impl Upstream {
    /// Asks for the protocol that the request's `Upgrade` names. Its answer is waited for as long
    /// as `first_byte`; connecting has its own limit.
    ///
    /// # Errors
    /// As of a call. Nothing is sent a second time.
    pub async fn upgrade(
        &self,
        mut request: Request<()>,
        first_byte: Duration,
    ) -> Result<Upgrade, ForwardError> {
        let Some(origin) = &self.origin else {
            let host = "the upstream".into();
            return Err(ForwardError::Connect { host, cause: ConnectError::Url });
        };
        *request.uri_mut() = self.paths.below_base(request.uri()).map_err(ForwardError::Target)?;
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().insert(HOST, origin.target.host_header.clone());
        let line = origin.open_alone().await?;
        let asked = timeout(first_byte, ask(line, request.map(|()| Body::empty()))).await;
        asked.map_err(|_| ForwardError::FirstByteTimeout(first_byte))?
    }
}

impl Origin {
    /// A connection that nobody shares.
    async fn open_alone(&self) -> Result<Line, ForwardError> {
        let after = self.connector.timeout;
        let late = |_| ForwardError::ConnectTimeout { host: Arc::clone(&self.target.name), after };
        let connecting = self.connector.connect_through(&self.target);
        let io = timeout(after, connecting).await.map_err(late)??;
        Ok(Line { io, early: Bytes::new(), _open: Open::new(&self.counts) })
    }
}

impl Connector {
    /// A connection that speaks HTTP/1.1 to `target` itself. A proxy on the way opens a tunnel even
    /// where it could read the request, as it would not let another protocol through (RFC 6455,
    /// 4.1).
    async fn connect_through(&self, target: &Target) -> Result<Stream, ForwardError> {
        let at = |cause| ForwardError::Connect { host: Arc::clone(&target.name), cause };
        let mut stream = self.reach(target).await?;
        if let Some(proxy) = &target.proxy {
            proxy.tunnel(&mut stream, &target.name).await.map_err(at)?;
        }
        if !target.tls {
            return Ok(Stream::Plain(stream));
        }
        let name = target.server_name.clone().ok_or_else(|| at(ConnectError::Url))?;
        let stream = self.tls.connect_h1(name, stream).await.map_err(at)?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// Sends `request` and reads the answer. The connection has no task: who waits drives it.
async fn ask(line: Line, request: Request<Body>) -> Result<Upgrade, ForwardError> {
    let mut builder = Builder::new();
    builder.max_header_size(MAX_HEAD).max_buf_size(MAX_HEAD);
    let Line { io, _open: open, .. } = line;
    let handshake = builder.handshake(TokioIo::new(io)).await;
    let (mut sender, mut connection) = handshake.map_err(ForwardError::before_headers)?;
    let answer = {
        let mut answer = pin!(answer(&mut sender, request));
        let mut ended = false;
        poll_fn(|cx| {
            // What ends it has been handed to the answer.
            ended = ended || Pin::new(&mut connection).poll(cx).is_ready();
            answer.as_mut().poll(cx)
        })
        .await?
    };
    Ok(match answer {
        Answer::Switched(parts) => {
            let connection = connection.into_parts();
            let (io, early) = (connection.io.into_inner(), connection.read_buf);
            Upgrade::Switched(parts, Line { io, early, _open: open })
        }
        Answer::Refused(rsp) => Upgrade::Refused(rsp),
    })
}

enum Answer {
    Switched(Parts),
    Refused(Response<Bytes>),
}

async fn answer(
    sender: &mut SendRequest<Body>,
    request: Request<Body>,
) -> Result<Answer, ForwardError> {
    let rsp = sender.send_request(request).await.map_err(ForwardError::before_headers)?;
    let (parts, body) = rsp.into_parts();
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Answer::Switched(parts));
    }
    Ok(Answer::Refused(Response::from_parts(parts, whole(body).await?)))
}

async fn whole(mut body: Incoming) -> Result<Bytes, ForwardError> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(ForwardError::in_body)?.into_data() {
            let room = MAX_REFUSAL - bytes.len();
            bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
        }
        if bytes.len() == MAX_REFUSAL {
            break;
        }
    }
    Ok(bytes.freeze())
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
