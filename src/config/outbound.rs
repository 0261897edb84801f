//! How the forwarder reaches upstreams.
use super::fields::Check;
use super::url::is_place;
use super::yaml::Node;
use super::{Secret, Server, UpstreamTls};
use http::Uri;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How the forwarder reaches upstreams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// How TLS is spoken where a deployment says nothing.
    pub tls: Arc<UpstreamTls>,
    /// Proxies, from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
    pub proxies: Proxies,
    /// Whether names lead to IPv4 addresses only (`force_ipv4`). Default false.
    pub ipv4_only: bool,
    /// How long a connection may take, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// How long an idle upstream connection is kept. Default 90 s.
    pub pool_idle: Duration,
    /// Whether content that clients name by URL may be anywhere and without TLS
    /// (`user_url_validation: false`). Default false.
    pub trust_urls: bool,
    /// Our own listeners: a call must not be sent there.
    pub own: Arc<[SocketAddr]>,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            tls: Arc::default(),
            proxies: Proxies::default(),
            ipv4_only: false,
            connect_timeout: Duration::from_secs(10),
            pool_idle: Duration::from_secs(90),
            trust_urls: false,
            own: Arc::default(),
        }
    }
}

/// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. Credentials inside the URLs stay secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://` upstreams.
    pub http: Option<Secret<Uri>>,
    /// For `https://` upstreams.
    pub https: Option<Secret<Uri>>,
    /// Hosts, domains, addresses and networks that are reached directly; `*` is all.
    pub except: Vec<String>,
}

impl Check<'_> {
    pub(super) fn outbound(&mut self, general: &Node, litellm: &Node, server: &Server) -> Outbound {
        Outbound {
            tls: Arc::clone(&self.tls),
            proxies: self.proxies(),
            ipv4_only: self.flag(litellm, "force_ipv4").unwrap_or(false),
            trust_urls: self.flag(general, "user_url_validation") == Some(false),
            own: server.listen.iter().copied().chain(server.ops_listen).collect(),
            ..Outbound::default()
        }
    }

    fn proxies(&mut self) -> Proxies {
        let mut proxy = |names: [&str; 2]| {
            let (name, value) = self.env.first(&names)?;
            let url = value.parse::<Uri>().ok().filter(|url| url.authority().is_some_and(is_place));
            if url.is_none() {
                self.problems.notice(format!("{name} is not a URL and is not used"));
            }
            url.map(Secret::new)
        };
        let (http, https) =
            (proxy(["http_proxy", "HTTP_PROXY"]), proxy(["https_proxy", "HTTPS_PROXY"]));
        let except = self.env.first(&["no_proxy", "NO_PROXY"]).map_or("", |(_, list)| list);
        let except = except.split(',').map(str::trim).filter(|name| !name.is_empty());
        Proxies { http, https, except: except.map(str::to_owned).collect() }
    }
}
