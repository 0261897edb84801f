//! Which protocol a client speaks, told by its first bytes.
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// What an HTTP/2 connection begins with (RFC 9113, 3.4). No HTTP/1.1 request does.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long to wait for the rest of a preface, and how often: in practice it comes in one piece.
const PAUSE: Duration = Duration::from_millis(10);
const PAUSES: usize = 100;

/// Whether the client begins with HTTP/2's preface; waits until that can be told.
///
/// The bytes stay in the socket, so that hyper reads a whole request at once and into one buffer:
/// handed in beforehand, 24 bytes would cost a second read and a second, doubled buffer, for as
/// long as the connection lives.
pub(super) async fn is_h2(stream: &TcpStream) -> bool {
    let mut first = [0; PREFACE.len()];
    for _ in 0..PAUSES {
        let seen = match stream.peek(&mut first).await {
            Ok(seen) if PREFACE.starts_with(&first[..seen]) => seen,
            _ => return false,
        };
        if seen == 0 || seen == PREFACE.len() {
            return seen > 0;
        }
        // The socket stays readable, so there is nothing to be woken by.
        sleep(PAUSE).await;
    }
    false
}
