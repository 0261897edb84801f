//! Our own listeners, under all their names: a call must not be sent there.
use http::Uri;
use std::net::{IpAddr, SocketAddr};

/// Where this process will listen, and what this machine is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    listen: Vec<SocketAddr>,
    names: Vec<String>,
}

impl Own {
    /// The listeners, and every name that the hosts file gives to a loopback address.
    pub(super) fn new(listen: Vec<SocketAddr>) -> Self {
        let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let mut names = names_of_loopback(&hosts);
        names.push(host.trim().to_ascii_lowercase());
        Self { listen, names }
    }

    /// Whether a URL leads to one of the listeners. Names that only DNS knows are caught when a
    /// connection is made.
    pub(super) fn is_at(&self, url: &Uri) -> bool {
        let Some(host) = url.host() else { return false };
        let standard = if url.scheme_str() == Some("https") { 443 } else { 80 };
        let port = url.port_u16().unwrap_or(standard);
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let ip: Option<IpAddr> = host.parse().ok();
        let local = match ip {
            Some(ip) => is_local(ip),
            None => {
                host == "localhost" || host.ends_with(".localhost") || self.names.contains(&host)
            }
        };
        self.listen.iter().any(|own| own.port() == port && (local || ip == Some(own.ip())))
    }
}

/// Loopback, or the address that stands for all.
fn is_local(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}

fn names_of_loopback(hosts: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in hosts.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        if words.next().and_then(|ip| ip.parse().ok()).is_some_and(is_local) {
            names.extend(words.map(str::to_ascii_lowercase));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{Own, names_of_loopback};

    #[test]
    fn every_name_of_our_own_listener_is_known() {
        let listen = vec!["127.0.0.1:4000".parse().unwrap(), "[::1]:4000".parse().unwrap()];
        let names = names_of_loopback("127.0.0.1 turret wall # comment\n10.0.0.1 other\n");
        let own = Own { listen, names };
        for url in [
            "http://localhost:4000/v1",
            "http://LOCALHOST.:4000",
            "http://127.0.0.1:4000",
            "http://127.9.9.9:4000",
            "http://[::1]:4000",
            "http://0.0.0.0:4000",
            "http://[::ffff:127.0.0.1]:4000",
            "http://turret:4000",
        ] {
            assert!(own.is_at(&url.parse().unwrap()), "{url}");
        }
        for url in ["http://localhost:4001", "http://other:4000", "https://localhost", "/v1"] {
            assert!(!own.is_at(&url.parse().unwrap()), "{url}");
        }
    }
}
