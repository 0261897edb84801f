//! What is refused before a request is looked at: our own echo, other sites' pages, and callers
//! from addresses that may not call.
use super::record::refused;
use super::{AdminRoute, Answer, Route, answer};
use crate::config::{Access, Addresses};
use crate::providers::Problem;
use crate::telemetry::Telemetry;
use bartizan_layers::facts::Peer;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Every upstream request carries it, with the id of the process that sent it.
pub const HOP: HeaderName = HeaderName::from_static("x-bartizan-hop");

/// Where proxies note for whom they call, each at the end of the list.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Refuses loops, addresses that may not call, and in open mode what a foreign web page could
/// send (DNS rebinding). Clones share everything.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    instance: HeaderValue,
    /// Names that `Host` may have besides loopback; `None` where a key is needed anyway.
    open_to: Option<Vec<String>>,
    /// Origins whose pages may call.
    origins: Vec<String>,
    addresses: Option<Addresses>,
    telemetry: Telemetry,
}

impl Guard {
    /// The guard of the process that calls itself `instance`; calls that it refuses are told to
    /// `telemetry`.
    #[must_use]
    pub fn new(instance: HeaderValue, access: &Access, telemetry: Telemetry) -> Self {
        let open = access.master_key.is_none();
        let open_to = open.then(|| access.allowed_hosts.clone());
        let (addresses, origins) = (access.addresses.clone(), access.allowed_origins.clone());
        Self(Arc::new(Rules { instance, open_to, origins, addresses, telemetry }))
    }

    /// Passes a request on, or says why not.
    ///
    /// # Errors
    ///
    /// 508 for a call that this process has sent itself; 403 for a caller whose address may not
    /// call, and for a foreign `Host` or `Origin` while anyone may call. Probes of health may come
    /// from everywhere, as in LiteLLM.
    pub fn check<B>(&self, req: &Request<B>, route: &Route) -> Result<(), Problem> {
        let (rules, headers) = (&*self.0, req.headers());
        if headers.contains_key(HOP) && headers.get_all(HOP).iter().any(|hop| hop == rules.instance)
        {
            return Err(Problem::new(
                StatusCode::LOOP_DETECTED,
                "This call came from the proxy itself: a deployment's `api_base` leads back here.",
            ));
        }
        if let Some(addresses) = rules.addresses.as_ref().filter(|_| !is_probe(route)) {
            check_address(addresses, req.extensions().get(), headers)?;
        }
        match &rules.open_to {
            Some(allowed) => check_site(allowed, &rules.origins, req.uri(), headers),
            None => Ok(()),
        }
    }

    /// The origin of a page that may call, if the request comes from one.
    pub(super) fn origin<B>(&self, req: &Request<B>) -> Option<HeaderValue> {
        if self.0.origins.is_empty() {
            return None;
        }
        let origin = req.headers().get(header::ORIGIN)?;
        is_listed(origin, &self.0.origins).then(|| origin.clone())
    }

    /// The answer to a refused request. Calls are counted and logged as those that a layer refuses.
    pub(super) fn refuse<B>(
        &self,
        req: &Request<B>,
        route: &Route,
        problem: &Problem,
    ) -> Response<Answer> {
        match route {
            Route::Call(operation) | Route::CallOf(operation, _) => {
                refused(&self.0.telemetry, req, operation, problem)
            }
            _ => answer(route.dialect(), problem).map(Answer::Right),
        }
    }
}

const fn is_probe(route: &Route) -> bool {
    matches!(route, Route::Admin(AdminRoute::Liveness | AdminRoute::Readiness))
}

fn check_address(
    addresses: &Addresses,
    peer: Option<&Peer>,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let caller = peer.map(|peer| caller(addresses, peer.0.ip(), headers));
    if caller.is_some_and(|ip| addresses.allows(ip)) {
        return Ok(());
    }
    let shown = caller.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string());
    let message = format!("Access forbidden: IP address {shown} not allowed.");
    Err(Problem::new(StatusCode::FORBIDDEN, message))
}

/// Who calls: the peer, or who the proxies that we trust say they were called by. What the first
/// address says that we do not trust is not believed, so that nobody can choose an address.
fn caller(addresses: &Addresses, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut caller = peer.to_canonical();
    for list in headers.get_all(FORWARDED_FOR).iter().rev() {
        for entry in list.to_str().unwrap_or_default().rsplit(',') {
            if !addresses.trusts(caller) {
                return caller;
            }
            let Some(before) = address(entry.trim()) else { return caller };
            caller = before.to_canonical();
        }
    }
    caller
}

/// An address as proxies write it; some add a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().ok().map(|at: SocketAddr| at.ip());
    text.trim_matches(['[', ']']).parse().ok().or_else(with_port)
}

fn check_site(
    allowed: &[String],
    origins: &[String],
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let host = match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST).and_then(|host| host.to_str().ok()),
    };
    if !host.is_some_and(|host| is_ours(host, allowed)) {
        return Err(foreign("Host"));
    }
    let mut named = headers.get_all(header::ORIGIN).iter();
    if !named.all(|origin| is_listed(origin, origins) || is_origin_ours(origin, allowed)) {
        return Err(foreign("Origin"));
    }
    Ok(())
}

fn foreign(what: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        format!(
            "The {what} header names another site, and no key is set here. Set \
             `general_settings.master_key`, or name the host in `general_settings.allowed_hosts`."
        ),
    )
}

/// Browsers write origins in lower case, without a standard port: as they compare them.
fn is_listed(origin: &HeaderValue, origins: &[String]) -> bool {
    origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
}

fn is_origin_ours(origin: &HeaderValue, allowed: &[String]) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    origin.as_ref().and_then(Uri::authority).is_some_and(|at| is_ours(at.as_str(), allowed))
}

/// Whether an authority is loopback or one of the names of the config, whatever its port.
fn is_ours(authority: &str, allowed: &[String]) -> bool {
    // `localhost@evil.example` is the site `evil.example`; no client writes a user there.
    let Some(authority) = authority.parse::<Authority>().ok().filter(|_| !authority.contains('@'))
    else {
        return false;
    };
    let host = authority.host();
    if let Some(v6) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return v6.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
            || allowed.iter().any(|name| name.trim_matches(['[', ']']).eq_ignore_ascii_case(v6));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    loopback
        || host == "localhost"
        || host.ends_with(".localhost")
        || allowed.iter().any(|name| name.eq_ignore_ascii_case(&host))
}
