//! Names to addresses, without the C library: a static binary has no `getaddrinfo` that works.
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

/// Resolves names by the system's settings: name servers, search domains, hosts file. Answers are
/// kept for as long as their TTL says. Nothing is read before the first name.
#[derive(Debug, Default)]
pub(super) struct Dns(OnceLock<Option<TokioResolver>>);

impl Dns {
    /// The addresses of `host`: a name, or an address in text form (without brackets).
    ///
    /// # Errors
    /// A sentence on why there is none.
    pub(super) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(ip) = host.parse() {
            return Ok(vec![ip]);
        }
        if is_localhost(host) {
            // RFC 6761, 6.3: never asked of a server, and it must work without a hosts file.
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let Some(resolver) = self.0.get_or_init(make) else {
            return Err("the resolver could not be started".to_owned());
        };
        let found = resolver.lookup_ip(host).await.map_err(|error| explain(&error))?;
        Ok(found.iter().collect())
    }
}

/// `localhost`, `*.localhost`, with or without the root's dot.
pub(super) fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let split = host.len().checked_sub("localhost".len());
    split.is_some_and(|split| {
        let (before, name) = host.split_at(split);
        name.eq_ignore_ascii_case(b"localhost") && before.last().is_none_or(|byte| *byte == b'.')
    })
}

fn explain(error: &NetError) -> String {
    if error.is_no_records_found() { "no such name".to_owned() } else { error.to_string() }
}

/// Without a usable `/etc/resolv.conf` the name server of this machine is asked, as libc does.
fn make() -> Option<TokioResolver> {
    let mut builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::debug!(%error, "No resolver settings, asking 127.0.0.1");
        let server = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    });
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.build().inspect_err(|error| tracing::error!(%error, "No resolver")).ok()
}

#[cfg(test)]
mod tests {
    use super::{Dns, is_localhost};

    #[tokio::test]
    async fn localhost_needs_neither_file_nor_server() {
        let dns = Dns::default();
        for name in ["localhost", "LocalHost.", "api.localhost"] {
            let found = dns.resolve(name).await.unwrap();
            assert_eq!(
                found,
                ["127.0.0.1".parse::<std::net::IpAddr>().unwrap(), "::1".parse().unwrap()]
            );
        }
        assert!(dns.0.get().is_none(), "no resolver was made");
    }

    #[tokio::test]
    async fn addresses_are_taken_as_they_are() {
        let dns = Dns::default();
        assert_eq!(dns.resolve("10.0.0.1").await.unwrap().len(), 1);
        assert_eq!(dns.resolve("::1").await.unwrap().len(), 1);
        assert!(dns.0.get().is_none());
    }

    #[test]
    fn only_whole_labels_are_localhost() {
        assert!(!is_localhost("notlocalhost"));
        assert!(!is_localhost("localhost.example"));
        assert!(!is_localhost(""));
    }

    #[test]
    fn a_resolver_can_always_be_made() {
        assert!(super::make().is_some());
    }
}
