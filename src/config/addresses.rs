//! From which addresses calls may come: `allowed_ips`, `blocked_ips`, and whose
//! `X-Forwarded-For` is believed.
use super::fields::{Check, described};
use super::yaml::{Kind, Node};
use http::uri::Authority;
use ipnet::IpNet;
use std::net::IpAddr;

/// The rules for the addresses of callers. An IPv4 address that comes as `::ffff:a.b.c.d` counts
/// as the IPv4 address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Who may call; `None` is everyone.
    pub allowed: Option<Nets>,
    /// Who may not, even if allowed.
    pub blocked: Nets,
    /// The proxies whose `X-Forwarded-For` is believed; `None`: nobody's.
    pub trusted: Option<Nets>,
}

/// A set of addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nets {
    all: bool,
    nets: Vec<IpNet>,
}

impl Nets {
    /// Whether `ip` is one of them.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.all || self.nets.iter().any(|net| net.contains(&ip))
    }

    /// The addresses of this machine that nobody else can have.
    fn loopback() -> Self {
        let nets = ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect();
        Self { all: false, nets }
    }

    /// Adds `*`, an address or a network.
    fn add(&mut self, text: &str) -> Option<()> {
        let text = text.trim();
        if text == "*" {
            self.all = true;
            return Some(());
        }
        let net = text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical()));
        let net = net.or_else(|_| text.parse::<IpNet>()).ok()?;
        self.nets.push(canonical(net));
        Some(())
    }
}

/// An origin as browsers write it (RFC 6454, 6.2).
fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let standard = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let parsed = authority.parse::<Authority>().ok()?;
    let sound = !parsed.host().is_empty() && !authority.contains(['@', '*']);
    let authority = authority.strip_suffix(standard).unwrap_or(authority);
    sound.then(|| format!("{scheme}://{authority}"))
}

/// A network of IPv4-mapped addresses is that IPv4 network.
fn canonical(net: IpNet) -> IpNet {
    let mapped = match net {
        IpNet::V6(v6) => v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    mapped.and_then(|(ip, prefix)| IpNet::new(ip.into(), prefix).ok()).unwrap_or(net)
}

impl Addresses {
    /// Whether calls from `ip` are taken.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        !self.blocked.contains(ip) && self.allowed.as_ref().is_none_or(|nets| nets.contains(ip))
    }

    /// Whether `ip` is a proxy that is believed who called it.
    #[must_use]
    pub fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.as_ref().is_some_and(|nets| nets.contains(ip))
    }
}

impl Check<'_> {
    /// The rules for addresses; `Some(None)` where there are none. An entry that is no address
    /// refuses the config: who may call would not be what was meant.
    pub(super) fn addresses(&mut self, general: &Node) -> Option<Option<Addresses>> {
        let allowed = self.nets(general, "allowed_ips")?;
        let blocked = self.nets(general, "blocked_ips")?;
        let proxies = self.nets(general, "trusted_proxies")?;
        let forwarded = self.flag(general, "use_x_forwarded_for").unwrap_or(false);
        if forwarded && proxies.is_none() {
            self.problems.notice(
                "general_settings.use_x_forwarded_for believes only proxies on this machine: name \
                 others in general_settings.trusted_proxies",
            );
        }
        if allowed.is_none() && blocked.is_none() {
            return Some(None);
        }
        let trusted = forwarded.then(|| proxies.unwrap_or_else(Nets::loopback));
        Some(Some(Addresses { allowed, blocked: blocked.unwrap_or_default(), trusted }))
    }

    /// `allowed_origins`: `scheme://host`, with a port where it is not the standard one.
    pub(super) fn origins(&mut self, general: &Node) -> Vec<String> {
        let Some(told) = general.get("allowed_origins").filter(|told| !told.is_null()) else {
            return Vec::new();
        };
        let one = std::slice::from_ref(told);
        let all = if matches!(told.kind, Kind::List(_)) { told.items() } else { one };
        let mut origins = Vec::new();
        for entry in all {
            match entry.as_text().and_then(|text| origin(&text)) {
                Some(origin) => origins.push(origin),
                None => self.error(
                    entry,
                    format!("`allowed_origins` takes origins, not {}", described(entry)),
                    "write https://app.example, one for each site",
                ),
            }
        }
        origins
    }

    /// A list of addresses, or one; `Some(None)` where there is none or an empty one.
    fn nets(&mut self, general: &Node, key: &str) -> Option<Option<Nets>> {
        let Some(told) = general.get(key).filter(|told| !told.is_null()) else { return Some(None) };
        let one = std::slice::from_ref(told);
        let all = if matches!(told.kind, Kind::List(_)) { told.items() } else { one };
        let mut nets = Nets::default();
        let mut sound = true;
        for entry in all {
            if entry.as_text().and_then(|text| nets.add(&text)).is_none() {
                let message =
                    format!("`{key}` takes addresses and networks, not {}", described(entry));
                let help = "write 10.0.0.7, 10.0.0.0/8, 2001:db8::/32 or \"*\"";
                self.error(entry, message, help);
                sound = false;
            }
        }
        sound.then(|| (!all.is_empty()).then_some(nets))
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, Nets};
    use crate::config::parse_str;

    fn rules(general: &str) -> Option<Addresses> {
        let (config, _) = parse_str(&format!("general_settings: {general}\n")).unwrap();
        config.access.addresses
    }

    fn allows(rules: &Addresses, ip: &str) -> bool {
        rules.allows(ip.parse().unwrap())
    }

    #[test]
    fn addresses_networks_and_the_star_are_understood() {
        let list =
            "{allowed_ips: [10.1.2.3, 192.168.0.0/16, '2001:db8::/32', '::ffff:7.0.0.0/104']}";
        let some = rules(list).unwrap();
        for ip in ["10.1.2.3", "::ffff:10.1.2.3", "192.168.9.9", "2001:db8::1", "7.1.1.1"] {
            assert!(allows(&some, ip), "{ip}");
        }
        for ip in ["10.1.2.4", "192.169.0.1", "2001:db9::1", "::10.1.2.3", "127.0.0.1"] {
            assert!(!allows(&some, ip), "{ip}");
        }
        assert!(allows(&rules("{allowed_ips: ['*']}").unwrap(), "1.2.3.4"));
        assert!(allows(&rules("{allowed_ips: '*'}").unwrap(), "1.2.3.4"));
    }

    #[test]
    fn blocked_wins_over_allowed() {
        let rules = rules("{allowed_ips: ['*'], blocked_ips: [10.0.0.0/8]}").unwrap();
        assert!(allows(&rules, "11.0.0.1") && !allows(&rules, "10.0.0.1"));
        assert!(!allows(&rules, "::ffff:10.0.0.1"));
    }

    #[test]
    fn empty_lists_are_no_rule() {
        assert_eq!(rules("{allowed_ips: [], blocked_ips: null}"), None);
        assert_eq!(rules("{use_x_forwarded_for: true}"), None);
    }

    #[test]
    fn without_a_list_only_proxies_on_this_machine_are_believed() {
        let with = |more: &str| rules(&format!("{{allowed_ips: ['*'], {more}}}")).unwrap();
        let trusts = |rules: &Addresses, ip: &str| rules.trusts(ip.parse().unwrap());
        assert!(!trusts(&with("use_x_forwarded_for: false"), "127.0.0.1"));
        let default = with("use_x_forwarded_for: true");
        assert!(trusts(&default, "127.0.0.1") && !trusts(&default, "10.0.0.1"));
        let told = with("use_x_forwarded_for: true, trusted_proxies: [10.0.0.0/8]");
        assert!(!trusts(&told, "127.0.0.1") && trusts(&told, "10.0.0.1"));
        let off = with("trusted_proxies: [10.0.0.0/8]");
        assert!(!trusts(&off, "10.0.0.1"), "the switch is off");
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let read = |list: &str| {
            let (config, problems) =
                parse_str(&format!("general_settings: {{allowed_origins: {list}}}\n")).unwrap();
            (config.access.allowed_origins, problems.errors())
        };
        let (origins, errors) =
            read("['https://App.Example/', 'http://localhost:3000', 'https://a.example:443']");
        let expected = ["https://app.example", "http://localhost:3000", "https://a.example"];
        assert_eq!((origins, errors), (expected.map(str::to_owned).to_vec(), 0));
        assert_eq!(read("https://one.example").0, ["https://one.example"]);
        for wrong in ["'*'", "app.example", "'https://*.example'", "'https://a/b'", "'null'", "7"] {
            let (origins, errors) = read(&format!("[{wrong}]"));
            assert!(origins.is_empty() && errors == 1, "{wrong}: {origins:?}");
        }
    }

    #[test]
    fn what_is_no_address_refuses_the_config() {
        for general in
            ["{allowed_ips: [localhost]}", "{blocked_ips: [10.0.0.0/33]}", "{trusted_proxies: 7}"]
        {
            assert!(parse_str(&format!("general_settings: {general}\n")).is_err(), "{general}");
        }
        assert!(!Nets::default().contains("1.1.1.1".parse().unwrap()));
    }
}
