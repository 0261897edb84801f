//! Opening a listening socket.
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Connections that the kernel holds until they are accepted; it may cap this lower.
const BACKLOG: i32 = 1024;

/// Listens on `addr`. Must be called inside a runtime.
///
/// A port that connections of an earlier process still linger on can be bound again
/// (`SO_REUSEADDR`). An IPv6 address means IPv6 only, so that `0.0.0.0` and `[::]`, or
/// `127.0.0.1` and `::1`, can be bound beside each other.
///
/// # Errors
/// The operating system's, in words that name the address and what to do.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    listen(addr).map_err(|error| {
        let what = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; stop it or choose \
                                         another port with --port"
                .into(),
            io::ErrorKind::PermissionDenied => "not permitted; choose a port above 1023 with \
                                                --port"
                .into(),
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address; choose \
                                                another with --host"
                .into(),
            _ => error.to_string(),
        };
        io::Error::new(error.kind(), format!("cannot listen on {addr}: {what}"))
    })
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
