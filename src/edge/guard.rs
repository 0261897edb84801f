//! What is refused before a request is looked at: our own echo, and other sites' pages.
use crate::config::Access;
use crate::providers::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, uri::Authority};
use std::net::IpAddr;
use std::sync::Arc;

/// Every upstream request carries it, with the id of the process that sent it.
pub const HOP: HeaderName = HeaderName::from_static("x-bartizan-hop");

/// Refuses loops, and in open mode what a foreign web page could send (DNS rebinding).
#[derive(Clone, Debug)]
pub struct Guard {
    instance: HeaderValue,
    /// Names that `Host` may have besides loopback; `None` where a key is needed anyway.
    open_to: Option<Arc<[String]>>,
}

impl Guard {
    /// The guard of the process that calls itself `instance`.
    #[must_use]
    pub fn new(instance: HeaderValue, access: &Access) -> Self {
        let open = access.master_key.is_none();
        Self { instance, open_to: open.then(|| access.allowed_hosts.as_slice().into()) }
    }

    /// Passes a request on, or says why not.
    ///
    /// # Errors
    ///
    /// 508 for a call that this process has sent itself; 403 for a foreign `Host` or `Origin`
    /// while anyone may call.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if headers.contains_key(HOP) && headers.get_all(HOP).iter().any(|hop| hop == self.instance)
        {
            return Err(Problem::new(
                StatusCode::LOOP_DETECTED,
                "This call came from the proxy itself: a deployment's `api_base` leads back here.",
            ));
        }
        let Some(allowed) = &self.open_to else { return Ok(()) };
        let host = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        };
        if !host.is_some_and(|host| is_ours(host, allowed)) {
            return Err(foreign("Host"));
        }
        let origin = headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| !is_origin_ours(origin, allowed)) {
            return Err(foreign("Origin"));
        }
        Ok(())
    }
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

fn is_origin_ours(origin: &HeaderValue, allowed: &[String]) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    origin.as_ref().and_then(Uri::authority).is_some_and(|at| is_ours(at.as_str(), allowed))
}

/// Whether an authority is loopback or one of the names of the config, whatever its port.
fn is_ours(authority: &str, allowed: &[String]) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let loopback = host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    loopback
        || host == "localhost"
        || host.ends_with(".localhost")
        || allowed.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

#[cfg(test)]
mod tests {
    use super::Guard;
    use crate::config::{Access, Secret};
    use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

    fn guard(key: Option<&str>) -> Guard {
        let access = Access {
            master_key: key.map(|key| Secret::new(key.to_owned())),
            key_header: None,
            allowed_hosts: vec!["gateway.example".to_owned()],
            generated_at: None,
        };
        Guard::new(HeaderValue::from_static("me"), &access)
    }

    fn check(guard: &Guard, headers: &[(&'static str, &'static str)]) -> Option<StatusCode> {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let headers: HeaderMap = pairs.collect();
        let checked = guard.check(&Uri::from_static("/v1/models"), &headers);
        checked.err().map(|problem| problem.status)
    }

    #[test]
    fn our_own_call_is_a_loop() {
        let loops = Some(StatusCode::LOOP_DETECTED);
        assert_eq!(check(&guard(Some("sk-1")), &[("x-bartizan-hop", "me")]), loops);
        assert_eq!(check(&guard(Some("sk-1")), &[("x-bartizan-hop", "another")]), None);
    }

    #[test]
    fn in_open_mode_other_sites_are_refused() {
        let open = guard(None);
        for host in ["localhost:4000", "127.0.0.1:4000", "[::1]:4000", "gateway.example"] {
            assert_eq!(check(&open, &[("host", host)]), None, "{host}");
        }
        let forbidden = Some(StatusCode::FORBIDDEN);
        for host in ["evil.example:4000", "127.0.0.1.evil.example", ""] {
            assert_eq!(check(&open, &[("host", host)]), forbidden, "{host}");
        }
        let from = |origin| check(&open, &[("host", "localhost:4000"), ("origin", origin)]);
        assert_eq!(from("http://localhost:3000"), None);
        assert_eq!(from("https://evil.example"), forbidden);
        assert_eq!(from("null"), forbidden);
    }

    #[test]
    fn with_a_key_any_host_will_do() {
        assert_eq!(check(&guard(Some("sk-1")), &[("host", "evil.example")]), None);
    }
}
