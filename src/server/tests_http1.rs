//! Claims about HTTP/1 on real sockets: what is refused, what is served, and how it ends.
use super::tests::*;
use super::*;
use hyper::service::service_fn;
use std::fmt::Write as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Each request is refused with `expected`, the connection is closed, and the service never sees
/// a second request in what followed.
async fn refused(expected: &str, requests: &[&str]) {
    let served = saying();
    for request in requests {
        let answer = served.exchange(request).await;
        assert_eq!(status(&answer), expected, "{request:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{request:?}: {answer}");
    }
}

const CLOSE: &str = "connection: close\r\n";

/// RFC 9112 6.3: `Transfer-Encoding` overrides, and the connection must be closed. hyper takes the
/// length out before we could see it, so the request is served as chunked and nothing behind it.
#[tokio::test]
async fn a_length_beside_chunked_cannot_smuggle_a_second_request() {
    let body = "3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    let served = saying();
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "content-length: 60\r\ntransfer-encoding: chunked\r\n",
    ] {
        let answer =
            served.exchange(format!("POST / HTTP/1.1\r\nhost: a\r\n{lines}\r\n{body}")).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(answer.contains("POST / a [abc]"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn lengths_that_differ_or_are_no_numbers_are_refused() {
    refused(
        "400",
        &[
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3, 4\r\n\r\nabcd",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\nabc",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\nabc",
        ],
    )
    .await;
}

#[tokio::test]
async fn codings_that_do_not_end_in_chunked_or_come_with_1_0_are_refused() {
    refused(
        "400",
        &[
            "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        ],
    )
    .await;
}

#[tokio::test]
async fn codings_before_chunked_are_not_implemented() {
    let lines = [
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
    ];
    for line in lines {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{CLOSE}{line}\r\n\r\n0\r\n\r\n");
        refused("501", &[&request]).await;
    }
}

#[tokio::test]
async fn folded_lines_and_forbidden_bytes_are_refused() {
    refused(
        "400",
        &[
            "GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n\tc\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx-a: b\0c\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx-a\0: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx-a: b\rc\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nx a: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
            "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
            "GET /\x01 HTTP/1.1\r\nhost: a\r\n\r\n",
            "GET / HTTP/2.5\r\nhost: a\r\n\r\n",
            "G@T / HTTP/1.1\r\nhost: a\r\n\r\n",
        ],
    )
    .await;
}

/// RFC 9112 2.2 lets a recipient take a lone LF as the end of a line. Nothing can be smuggled by
/// it: what is forwarded is written anew. In chunks it is refused.
#[tokio::test]
async fn lone_line_feeds_end_header_lines_but_no_chunks() {
    let served = saying();
    let answer = served.exchange("GET /lf HTTP/1.1\nhost: a\nconnection: close\n\n").await;
    assert!(answer.contains("GET /lf a []"), "{answer}");
    let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = served.exchange(format!("{head}3\nabc\r\n0\r\n\r\n")).await;
    assert_eq!(status(&answer), "400", "{answer}");
}

#[tokio::test]
async fn broken_chunks_and_floods_of_chunk_extensions_are_refused() {
    let flood = "5\r\nhello\r\n".replace("\r\nh", &format!(";{}\r\nh", "x".repeat(64 * 1024)));
    let many = "1;a=b\r\nx\r\n".repeat(8 * 1024);
    let served = saying();
    for chunks in
        [&flood, &many, "g\r\n", "-1\r\nx\r\n", "fffffffffffffffff\r\nx\r\n", "1\r\nxy\r\n"]
    {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = served.exchange(format!("{head}{chunks}")).await;
        assert_eq!(status(&answer), "400", "{answer}");
        assert!(answer.contains("bad body"), "{answer}");
    }
}

#[tokio::test]
async fn hosts_that_are_missing_doubled_or_malformed_are_refused() {
    let mut requests = vec![format!("GET / HTTP/1.1\r\n{CLOSE}\r\n")];
    for host in ["", "a b", "a/b", "user@a", "a?b", "a#b", "a\"b", "a\\b", "a\u{e9}"] {
        requests.push(format!("GET / HTTP/1.1\r\n{CLOSE}host: {host}\r\n\r\n"));
    }
    requests.push(format!("GET / HTTP/1.1\r\n{CLOSE}host: a\r\nhost: a\r\n\r\n"));
    requests.push(format!("GET http://u@b/ HTTP/1.1\r\n{CLOSE}host: a\r\n\r\n"));
    let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
    refused("400", &requests).await;
    let served = saying();
    for host in ["a", "a:80", "127.0.0.1:4000", "[::1]:4000", "a_b.c-d"] {
        let answer =
            served.exchange(format!("GET / HTTP/1.1\r\n{CLOSE}host: {host}\r\n\r\n")).await;
        assert!(answer.contains(&format!("GET / {host} []")), "{answer}");
    }
    let old = served.exchange("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.contains("GET / - []"), "{old}");
}

#[tokio::test]
async fn tunnels_are_refused() {
    let request = format!("CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n{CLOSE}\r\n");
    refused("405", &[&request]).await;
}

#[tokio::test]
async fn an_absolute_target_is_served_as_its_path_and_its_host() {
    let served = saying();
    let request = format!("GET http://b:80/v1/models?x=1 HTTP/1.1\r\nhost: a\r\n{CLOSE}\r\n");
    let answer = served.exchange(request).await;
    assert!(answer.contains("GET /v1/models b:80 []"), "{answer}");
    let bare = served.exchange(format!("GET http://b HTTP/1.1\r\nhost: a\r\n{CLOSE}\r\n")).await;
    assert!(bare.contains("GET / b []"), "{bare}");
}

#[tokio::test]
async fn unusual_paths_arrive_as_they_were_sent() {
    let served = saying();
    for path in ["//", "//v1//models", "/%2f", "/v1%2Fmodels", "/a/../b"] {
        let answer =
            served.exchange(format!("GET {path} HTTP/1.1\r\nhost: a\r\n{CLOSE}\r\n")).await;
        assert!(answer.contains(&format!("GET {path} a []")), "{answer}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let served = saying();
    let mut requests = String::new();
    for n in 0..20 {
        let close = if n == 19 { CLOSE } else { "" };
        let (head, body) = (format!("host: a\r\n{close}"), format!("body {n}"));
        let len = body.len();
        write!(requests, "POST /{n} HTTP/1.1\r\n{head}content-length: {len}\r\n\r\n{body}")
            .unwrap();
    }
    let answer = served.exchange(requests).await;
    let lines: Vec<&str> = answer.lines().filter(|line| line.starts_with("POST")).collect();
    let expected: Vec<String> = (0..20).map(|n| format!("POST /{n} a [body {n}]")).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn too_many_and_too_long_headers_get_431_even_while_more_comes() {
    let many: String =
        (0..=MAX_HEADERS).fold(String::new(), |all, n| all + &format!("x-{n}: y\r\n"));
    let long = format!("x-long: {}\r\n", "y".repeat(MAX_HEADER_BYTES));
    let longer = format!("x-long: {}\r\n", "y".repeat(4 * MAX_HEADER_BYTES));
    for headers in [many, long, longer] {
        refused("431", &[&format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n")]).await;
    }
    let fits: String =
        (2..MAX_HEADERS).fold(String::new(), |all, n| all + &format!("x-{n}: y\r\n"));
    let served = saying();
    let answer = served.exchange(format!("GET / HTTP/1.1\r\nhost: a\r\n{CLOSE}{fits}\r\n")).await;
    assert_eq!(status(&answer), "200", "{answer}");
    let large = format!("x-large: {}\r\n", "y".repeat(MAX_HEADER_BYTES - 1024));
    let answer = served.exchange(format!("GET / HTTP/1.1\r\nhost: a\r\n{CLOSE}{large}\r\n")).await;
    assert_eq!(status(&answer), "200", "{answer}");
}

fn brief(keep_alive: u64, header_timeout: u64) -> Limits {
    let ms = Duration::from_millis;
    Limits { keep_alive: ms(keep_alive), header_timeout: ms(header_timeout), ..limits() }
}

#[tokio::test]
async fn slow_headers_are_cut_on_the_first_request_and_on_later_ones() {
    let served = start(service_fn(say), brief(60_000, 500), Drain::new(Duration::ZERO));
    // Nothing at all, a part of the first head, a part of the second.
    assert_eq!(served.exchange("").await, "");
    assert_eq!(served.exchange("GET / HTTP/1.1\r\nhost: ").await, "");
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, "\r\n0\r\n\r\n").await;
    let began = tokio::time::Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(490) && took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test]
async fn an_idle_connection_is_kept_longer_than_headers_may_take_and_then_closed() {
    let served = start(service_fn(say), brief(1_500, 500), Drain::new(Duration::ZERO));
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, "\r\n0\r\n\r\n").await;
    let began = tokio::time::Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1_490) && took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test]
async fn an_open_call_is_no_idle_connection() {
    let (feed, body) = fed();
    let body = Arc::new(std::sync::Mutex::new(Some(body)));
    let service = service_fn(move |_: Request<Incoming>| {
        let body = body.lock().unwrap().take().unwrap();
        async { Ok::<_, Infallible>(Response::new(body)) }
    });
    let served = start(service, brief(300, 300), Drain::new(Duration::ZERO));
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    // Another connection outlives both limits meanwhile.
    assert_eq!(served.exchange("").await, "");
    assert_eq!(served.exchange("").await, "");
    feed.send("still here\n".into()).await.unwrap();
    assert!(read_until(&mut stream, "here\n").await.contains("still"));
}

#[tokio::test]
async fn an_early_answer_is_read_whole_by_a_client_that_is_still_sending() {
    let service = service_fn(async |_: Request<Incoming>| {
        let mut answer = Response::new(whole("x".repeat(50_000)));
        *answer.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        Ok(answer)
    });
    let served = start(service, limits(), Drain::new(Duration::ZERO));
    let mut stream = served.connect().await;
    let size = 8 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // A client that reads only once all is sent.
    stream.write_all(&vec![b'y'; size]).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert_eq!(status(&answer), "413");
    assert_eq!(answer.matches('x').count(), 50_000);
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it_only_when_the_body_is_wanted() {
    let expect = "expect: 100-continue\r\ncontent-length: 3\r\n";
    let served = saying();
    let mut stream = served.connect().await;
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{CLOSE}{expect}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    assert!(read_to_end(&mut stream).await.contains("[abc]"));

    let refuse = service_fn(async |_: Request<Incoming>| {
        let mut answer = Response::new(whole("no key"));
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        Ok(answer)
    });
    let served = start(refuse, limits(), Drain::new(Duration::ZERO));
    let answer = served.exchange(&head).await;
    assert_eq!(status(&answer), "401", "{answer}");
}

#[tokio::test]
async fn a_request_in_single_bytes_is_served() {
    let served = saying();
    let mut stream = served.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in b"POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok" {
        stream.write_u8(*byte).await.unwrap();
    }
    assert!(read_to_end(&mut stream).await.contains("POST /x a [ok]"));
}

#[tokio::test]
async fn a_body_cut_short_is_no_whole_body() {
    let (seen, mut sizes) = tokio::sync::mpsc::channel(1);
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            use http_body_util::BodyExt;
            seen.try_send(request.into_body().collect().await.is_err()).unwrap();
            Ok::<_, Infallible>(Response::new(whole("")))
        }
    });
    let served = start(service, limits(), Drain::new(Duration::ZERO));
    let mut stream = served.connect().await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(sizes.recv().await.unwrap(), "the body was taken as whole");
    drop(stream.read_to_end(&mut Vec::new()).await);
}
