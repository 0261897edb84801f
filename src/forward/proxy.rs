//! `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`: which way leads to an upstream.
use super::dns::is_localhost;
use super::error::{ConnectError, SetupError};
use crate::config::{Proxies, Secret, percent_decoded};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest answer to `CONNECT` that is read, in bytes.
const MAX_ANSWER: usize = 8 * 1024;

/// A proxy that speaks plain HTTP to us.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) host: Arc<str>,
    pub(super) port: u16,
    /// `Proxy-Authorization`, from the user part of the URL.
    pub(super) auth: Option<HeaderValue>,
}

/// The rules, parsed once.
#[derive(Debug, Default)]
pub(super) struct Rules {
    http: Option<Proxy>,
    https: Option<Proxy>,
    except: Vec<Except>,
}

/// One entry of `NO_PROXY`.
#[derive(Debug, PartialEq, Eq)]
enum Except {
    All,
    /// An address, or a network with this many leading bits.
    Net(IpAddr, u8),
    /// A host and all below it; with a port, only there.
    Domain(String, Option<u16>),
}

impl Rules {
    pub(super) fn new(proxies: &Proxies) -> Result<Self, SetupError> {
        let parse = |uri: &Option<Secret<Uri>>, variable| {
            let proxy = uri.as_ref().map(|uri| Proxy::new(uri.expose()));
            proxy.map(|proxy| proxy.ok_or(SetupError::Proxy { variable })).transpose()
        };
        Ok(Self {
            http: parse(&proxies.http, "HTTP_PROXY")?,
            https: parse(&proxies.https, "HTTPS_PROXY")?,
            except: proxies.except.iter().filter_map(|entry| Except::new(entry)).collect(),
        })
    }

    /// The proxy on the way to `host`. This machine is always reached directly, and so are
    /// addresses of its link, where a cloud tells each machine what is that machine's alone.
    pub(super) fn on_the_way(&self, tls: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if tls { self.https.as_ref() } else { self.http.as_ref() }?;
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        let is_here = is_localhost(host) || ip.is_some_and(is_on_the_link);
        let is_excepted = self.except.iter().any(|except| except.holds(host, ip, port));
        (!is_here && !is_excepted).then_some(proxy)
    }
}

/// Whether an address is this machine's, or one of its link.
const fn is_on_the_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

impl Proxy {
    fn new(uri: &Uri) -> Option<Self> {
        if uri.scheme().is_some_and(|scheme| *scheme != Scheme::HTTP) {
            return None;
        }
        let authority = uri.authority()?;
        let auth = match authority.as_str().rsplit_once('@') {
            Some((user, _)) => Some(basic(user)?),
            None => None,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Some(Self { host: host.into(), port: authority.port_u16().unwrap_or(80), auth })
    }

    /// Asks for a tunnel to `target` (`host:port`) on a fresh connection to the proxy.
    pub(super) async fn tunnel(
        &self,
        stream: &mut TcpStream,
        target: &str,
    ) -> Result<(), ConnectError> {
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
        if let Some(auth) = &self.auth {
            request.extend_from_slice(b"proxy-authorization: ");
            request.extend_from_slice(auth.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.map_err(ConnectError::Tcp)?;
        let answer = read_answer(stream).await.map_err(ConnectError::Tcp)?;
        let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        match status {
            Some([b'2', _, _]) => Ok(()),
            Some(b"407") => Err(ConnectError::Proxy("asks for other credentials (407)".into())),
            Some(code) => Err(ConnectError::Proxy(format!(
                "refused the tunnel with status {}",
                code.escape_ascii()
            ))),
            None => Err(ConnectError::Proxy("did not answer in HTTP".into())),
        }
    }
}

/// Reads up to the empty line. After a tunnel's answer nothing follows it before we speak, for TLS
/// starts with the client; what follows a refusal is its page, which nobody waits for.
async fn read_answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(512);
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if answer.len() >= MAX_ANSWER || stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(answer)
}

impl Except {
    fn new(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if entry.is_empty() || entry == "*" {
            return (entry == "*").then_some(Self::All);
        }
        if let Some((ip, bits)) = entry.split_once('/') {
            return Some(Self::Net(ip.parse().ok()?, bits.parse().ok()?));
        }
        if let Ok(ip) = entry.trim_start_matches('[').trim_end_matches(']').parse() {
            return Some(Self::Net(ip, 128));
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
        Some(Self::Domain(host.to_ascii_lowercase(), port))
    }

    fn holds(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Net(net, bits) => ip.is_some_and(|ip| is_within(ip, *net, *bits)),
            Self::Domain(_, Some(only)) if *only != port => false,
            Self::Domain(domain, _) => is_below(host, domain),
        }
    }
}

fn is_within(ip: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => {
            let shift = 32 - u32::from(bits.min(32));
            (u32::from(ip) ^ u32::from(net)).checked_shr(shift).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) => {
            let shift = 128 - u32::from(bits.min(128));
            (u128::from(ip) ^ u128::from(net)).checked_shr(shift).unwrap_or(0) == 0
        }
        _ => false,
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let split = host.len().checked_sub(domain.len());
    split.is_some_and(|split| {
        let (before, name) = host.split_at(split);
        name.eq_ignore_ascii_case(domain.as_bytes()) && before.last().is_none_or(|b| *b == b'.')
    })
}

/// `Basic` credentials (RFC 7617) from the percent-encoded `user:password` of a URL.
fn basic(user: &str) -> Option<HeaderValue> {
    let mut plain = percent_decoded(user.as_bytes());
    if !plain.contains(&b':') {
        plain.push(b':');
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(&plain))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{Rules, basic};
    use crate::config::{Proxies, Secret};

    fn rules(except: &[&str]) -> Rules {
        let proxy = || Some(Secret::new("http://user:p%40ss@proxy.corp:3128".parse().unwrap()));
        let except = except.iter().map(|&entry| entry.to_owned()).collect();
        Rules::new(&Proxies { http: proxy(), https: proxy(), except }).unwrap()
    }

    #[test]
    fn no_proxy_is_read_as_other_tools_read_it() {
        let table: &[(&str, &str, u16, bool)] = &[
            ("*", "api.example.com", 443, true),
            ("example.com", "example.com", 443, true),
            ("example.com", "api.example.com", 443, true),
            ("EXAMPLE.com", "api.Example.COM", 443, true),
            (".example.com", "api.example.com", 443, true),
            (".example.com", "example.com", 443, true),
            ("*.example.com", "api.example.com", 443, true),
            ("example.com", "notexample.com", 443, false),
            ("api.example.com", "example.com", 443, false),
            ("example.com:8080", "example.com", 8080, true),
            ("example.com:8080", "example.com", 443, false),
            ("10.0.0.1", "10.0.0.1", 80, true),
            ("10.0.0.1", "10.0.0.2", 80, false),
            ("10.0.0.0/8", "10.250.3.4", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.1.2.0/23", "10.1.3.9", 80, true),
            ("10.1.2.0/23", "10.1.4.9", 80, false),
            ("0.0.0.0/0", "8.8.8.8", 80, true),
            ("fd00::/8", "fd12::1", 80, true),
            ("fd00::/8", "2001:db8::1", 80, false),
            ("[fd12::1]", "fd12::1", 80, true),
            ("10.0.0.0/8", "api.example.com", 443, false),
            ("", "api.example.com", 443, false),
        ];
        for (entry, host, port, direct) in table {
            let rules = rules(&[entry]);
            assert_eq!(rules.on_the_way(true, host, *port).is_none(), *direct, "{entry} {host}");
        }
    }

    #[test]
    fn this_machine_and_its_link_are_never_reached_through_a_proxy() {
        let hosts = ["127.0.0.1", "127.9.9.9", "::1", "localhost", "169.254.169.254", "fe80::1"];
        for host in hosts.into_iter().chain(["a.localhost"]) {
            assert!(rules(&[]).on_the_way(false, host, 80).is_none(), "{host}");
        }
    }

    #[test]
    fn credentials_of_a_proxy_url_are_decoded_and_kept_out_of_debug() {
        let rules = rules(&[]);
        let proxy = rules.on_the_way(true, "api.example.com", 443).unwrap();
        assert_eq!((&*proxy.host, proxy.port), ("proxy.corp", 3128));
        assert_eq!(proxy.auth.as_ref().unwrap(), "Basic dXNlcjpwQHNz");
        assert!(!format!("{rules:?}").contains("dXNl"));
        assert_eq!(basic("user").unwrap(), "Basic dXNlcjo=");
    }

    #[test]
    fn a_proxy_that_needs_tls_is_refused_at_setup() {
        let https = Some(Secret::new("https://u:secret@proxy:1".parse().unwrap()));
        let error = Rules::new(&Proxies { https, ..Proxies::default() }).unwrap_err().to_string();
        assert_eq!(error, "HTTPS_PROXY must be a URL of the form http://host:port");
    }
}
