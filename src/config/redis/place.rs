//! Places of Redis as people write them.
use super::{PORT, RedisAt, RedisNode, Told};
use crate::config::Secret;
use crate::config::url::{is_place, percent_decoded};
use crate::config::yaml::{Kind, Node};
use http::Uri;

/// What a URL says: `redis://`, or `rediss://` for TLS; nothing if it is another or broken.
pub(super) fn parsed(text: &str) -> Option<Told> {
    let url: Uri = text.trim().parse().ok()?;
    let tls = match url.scheme_str()? {
        "redis" => false,
        "rediss" => true,
        _ => return None,
    };
    let authority = url.authority().filter(|authority| is_place(authority))?;
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let decoded = |text: &str| String::from_utf8(percent_decoded(text.as_bytes())).ok();
    let user = authority.as_str().rsplit_once('@').map_or("", |(user, _)| user);
    let (username, password) = user.split_once(':').unwrap_or((user, ""));
    let (username, password) = (decoded(username)?, decoded(password)?);
    let db = match url.path().trim_matches('/') {
        "" => None,
        path => Some(path.parse().ok()?),
    };
    Some(Told {
        at: Some(RedisAt::Single((host, authority.port_u16().unwrap_or(PORT)))),
        username: Some(username).filter(|name| !name.is_empty()),
        password: Some(password).filter(|word| !word.is_empty()).map(Secret::new),
        db,
        tls: Some(tls),
        is_url: true,
        ..Told::default()
    })
}

/// `{host, port}`, `[host, port]` or `host:port`; the port may lack, but in the second.
pub(super) fn node(item: &Node, port: u16) -> Option<RedisNode> {
    let port_of = |node: &Node| {
        let port = node.as_number().filter(|port| port.fract() == 0.0)?;
        (1.0..=65535.0).contains(&port).then_some(port as u16)
    };
    let (host, port) = match &item.kind {
        Kind::List(pair) => match pair.as_slice() {
            [host, port] => (host.as_text()?, port_of(port)?),
            _ => return None,
        },
        Kind::Map(_) => {
            let told = item.get("port").filter(|port| !port.is_null());
            (item.get("host")?.as_text()?, told.map_or(Some(port), port_of)?)
        }
        _ => match item.as_text()?.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().ok()?),
            None => (item.as_text()?, port),
        },
    };
    Some((host.trim_matches(['[', ']']).to_owned(), port)).filter(|(host, _)| !host.is_empty())
}
