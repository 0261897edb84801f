//! A connection to an upstream: name, TCP, proxy, TLS.
use super::dns::Dns;
use super::error::{ConnectError, ForwardError, SetupError};
use super::origin::Target;
use super::proxy::Rules;
use super::tls::Tls;
use crate::config::Outbound;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::client::TlsStream;

/// How long the first address family may try alone (RFC 8305, 8: 250 ms).
const HEAD_START: Duration = Duration::from_millis(250);

/// What every connection is made with.
#[derive(Debug)]
pub(super) struct Connector {
    dns: Dns,
    ipv4_only: bool,
    pub(super) tls: Tls,
    pub(super) rules: Rules,
    own: Arc<[SocketAddr]>,
    pub(super) timeout: Duration,
}

/// Bytes to and from an upstream.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    pub(super) fn new(outbound: &Outbound) -> Result<Self, SetupError> {
        if !outbound.tls.verify {
            tracing::warn!("Certificates of upstreams are not checked: anyone may pose as them");
        }
        Ok(Self {
            dns: Dns::default(),
            ipv4_only: outbound.ipv4_only,
            tls: Tls::new(Arc::clone(&outbound.tls)),
            rules: Rules::new(&outbound.proxies)?,
            own: Arc::clone(&outbound.own),
            timeout: outbound.connect_timeout,
        })
    }

    /// A new connection, and whether it speaks HTTP/2.
    pub(super) async fn connect(&self, target: &Target) -> Result<(Stream, bool), ForwardError> {
        let at = |cause| ForwardError::Connect { host: Arc::clone(&target.name), cause };
        let mut stream = self.reach(target).await?;
        if !target.tls {
            return Ok((Stream::Plain(stream), false));
        }
        if let Some(proxy) = &target.proxy {
            proxy.tunnel(&mut stream, &target.name).await.map_err(at)?;
        }
        let name = target.server_name.clone().ok_or_else(|| at(ConnectError::Url))?;
        let tls = target.own_tls.as_ref().unwrap_or(&self.tls);
        let (stream, is_h2) = tls.connect(name, stream).await.map_err(at)?;
        Ok((Stream::Tls(Box::new(stream)), is_h2))
    }

    /// TCP to the target, or to the proxy before it.
    pub(super) async fn reach(&self, target: &Target) -> Result<TcpStream, ForwardError> {
        let at = |cause| ForwardError::Connect { host: Arc::clone(&target.name), cause };
        let (host, port) = match &target.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&target.host, target.port),
        };
        let found = self.dns.resolve(host).await;
        let mut found = found.map_err(|why| at(ConnectError::Dns(why)))?;
        // An upstream that is written as an IPv6 address has no other.
        if self.ipv4_only && found.iter().any(IpAddr::is_ipv4) {
            found.retain(IpAddr::is_ipv4);
        }
        if !found.iter().all(|ip| target.reach.allows(*ip)) {
            return Err(at(ConnectError::NotPublic));
        }
        let addresses: Vec<_> = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        if addresses.iter().any(|address| self.is_own(*address)) {
            return Err(ForwardError::Loop { host: Arc::clone(&target.name) });
        }
        let dialed = dial(&addresses, self.timeout).await;
        dialed.map_err(|error| at(ConnectError::Tcp(error)))
    }

    /// Whether `address` is one of our listeners. A listener on all addresses is met on any
    /// address of this machine, of which loopback is known without asking.
    fn is_own(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let is_here = ip.is_loopback() || ip.is_unspecified();
        self.own.iter().any(|own| {
            let own_ip = own.ip().to_canonical();
            let same = own_ip == ip
                || (own_ip.is_unspecified() && is_here)
                || (ip.is_unspecified() && own_ip.is_loopback());
            own.port() == address.port() && same
        })
    }
}

/// Tries all addresses: the family of the first one, and after a short while the other too.
async fn dial(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|address| address.is_ipv4() == first_is_v4);
    let each = (limit / addresses.len().max(1) as u32).max(HEAD_START);
    if second.is_empty() {
        return dial_in_turn(&first, each).await;
    }
    let gave_up = Notify::new();
    let one = async {
        let result = dial_in_turn(&first, each).await;
        gave_up.notify_one();
        result
    };
    let other = async {
        tokio::select! {
            () = tokio::time::sleep(HEAD_START) => {}
            () = gave_up.notified() => {}
        }
        dial_in_turn(&second, each).await
    };
    tokio::pin!(one, other);
    tokio::select! {
        result = &mut one => if result.is_ok() { result } else { other.await },
        result = &mut other => if result.is_ok() { result } else { one.await },
    }
}

async fn dial_in_turn(addresses: &[SocketAddr], each: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in addresses {
        match tokio::time::timeout(each, dial_one(*address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

async fn dial_one(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address.ip() {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
    socket.connect(address).await
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Connector, dial};
    use crate::config::Outbound;
    use socket2::SockRef;
    use std::net::SocketAddr;
    use std::time::Duration;
    use tokio::net::TcpListener;

    fn connector(own: &[&str]) -> Connector {
        Connector::new(&Outbound {
            connect_timeout: Duration::from_secs(1),
            own: own.iter().map(|own| own.parse().unwrap()).collect(),
            ..Outbound::default()
        })
        .unwrap()
    }

    #[test]
    fn a_listener_on_all_addresses_is_met_on_loopback() {
        let is_own = |own: &str, address: &str| connector(&[own]).is_own(address.parse().unwrap());
        assert!(is_own("127.0.0.1:4000", "127.0.0.1:4000"));
        assert!(is_own("0.0.0.0:4000", "127.0.0.1:4000"));
        assert!(is_own("[::]:4000", "127.0.0.1:4000"));
        assert!(is_own("[::]:4000", "[::1]:4000"));
        assert!(is_own("127.0.0.1:4000", "0.0.0.0:4000"));
        assert!(is_own("127.0.0.1:4000", "[::ffff:127.0.0.1]:4000"));
        assert!(!is_own("127.0.0.1:4000", "127.0.0.1:4001"));
        assert!(!is_own("127.0.0.1:4000", "127.0.0.2:4000"));
        assert!(!is_own("0.0.0.0:4000", "10.0.0.1:4000"));
    }

    #[tokio::test]
    async fn small_writes_are_sent_at_once_and_dead_peers_are_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = dial(&[listener.local_addr().unwrap()], Duration::from_secs(1)).await.unwrap();
        assert!(stream.nodelay().unwrap());
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_one_that_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let v6 = SocketAddr::new("::1".parse().unwrap(), good.port());
        let limit = Duration::from_secs(5);
        assert!(dial(&["127.0.0.2:1".parse().unwrap(), good], limit).await.is_ok());
        assert!(dial(&[v6, good], limit).await.is_ok());
        assert!(dial(&["127.0.0.1:1".parse().unwrap(), v6], limit).await.is_err());
    }

    #[tokio::test]
    async fn names_lead_to_ipv4_alone_where_that_is_wanted() {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let both = connector(&[]);
        let one = Connector { ipv4_only: true, ..connector(&[]) };
        let connects = async |connector: &Connector, host: &str| {
            let url = format!("http://{host}:{port}").parse().unwrap();
            let target = super::Target::new(&url, connector, None).unwrap();
            connector.connect(&target).await.is_ok()
        };
        assert!(connects(&both, "localhost").await);
        assert!(!connects(&one, "localhost").await);
        assert!(connects(&one, "[::1]").await, "an address is taken as it is");
    }
}
