//! URLs of servers.
use http::Uri;
use http::uri::Authority;

/// The URL of a server: http or https, a host, no name or password, and a port that there can be.
#[must_use]
pub fn web_url(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let web = matches!(url.scheme_str(), Some("http" | "https"));
    let authority = url.authority()?;
    let named = authority.as_str().contains('@');
    (web && !named && is_place(authority)).then_some(url)
}

/// Whether there is a host and, behind a colon, a port from 1 to 65535. `http` takes any text
/// there and then knows of no port, which would lead to the scheme's own.
pub(super) fn is_place(authority: &Authority) -> bool {
    let text = authority.as_str();
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    let host = authority.host();
    let Some(behind) = place.strip_prefix(host).filter(|_| !host.is_empty()) else { return false };
    let port =
        behind.strip_prefix(':').filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    behind.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// A part of a URL with its `%XX` as the bytes that they stand for; what is no such stays.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        plain.push(byte.unwrap_or(*first));
        rest = after.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::web_url;

    #[test]
    fn a_server_has_a_scheme_a_host_and_a_port_that_there_can_be() {
        for url in
            ["http://h", "https://h/v1?a=b", "http://h:1/", "https://[::1]:65535", "http://[::1]"]
        {
            assert!(web_url(url).is_some(), "{url}");
        }
        for url in [
            "h",
            "ftp://h",
            "http://",
            "http:///v1",
            "http://:80",
            "http://u:p@h",
            "http://h:",
            "http://h:0",
            "http://h:65536",
            "http://h:99999/v1",
            "http://h:abc",
            "http://h:+1",
            "http://h:8080:1",
            "http://[::1]:x",
        ] {
            assert_eq!(web_url(url), None, "{url}");
        }
    }
}
