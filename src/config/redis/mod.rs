//! The Redis that instances share: one for all.
mod place;
mod tls;

pub use self::tls::{Pem, RedisTls};

use self::place::{node, parsed};
use self::tls::Files;
use super::Secret;
use super::caching::CacheParams;
use super::env::truth;
use super::fields::Check;
use super::load::Sections;
use super::problem::{Place, Problem};
use super::yaml::{self, Node};

/// Where Redis is, and how it is talked to.
///
/// Its place is that of the first of these which names one: `router_settings.redis_*`, the
/// parameters of a cache that wants Redis, `general_settings.coordination_redis`, and, only where a
/// cache wants Redis, the variables `REDIS_*`. What that place leaves open (port, user, password,
/// database, TLS) comes from the variables; a URL leaves nothing open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// Its place.
    pub at: RedisAt,
    /// Its user; `None` is the default one.
    pub username: Option<String>,
    /// That user's password.
    pub password: Option<Secret<String>>,
    /// The database; 0 in a cluster.
    pub db: u32,
    /// How TLS is spoken with it; `None` is not at all.
    pub tls: Option<RedisTls>,
    /// What all keys begin with.
    pub namespace: Option<String>,
}

/// A host name or an address, and a port.
pub type RedisNode = (String, u16);

/// The place of a Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAt {
    /// One server.
    Single(RedisNode),
    /// A cluster, by some of its nodes.
    Cluster(Vec<RedisNode>),
    /// The primary that sentinels name.
    Sentinel {
        /// The sentinels.
        nodes: Vec<RedisNode>,
        /// What they call it.
        service: String,
        /// Their own password.
        password: Option<Secret<String>>,
    },
}

/// What one source says.
#[derive(Default)]
struct Told {
    at: Option<RedisAt>,
    username: Option<String>,
    password: Option<Secret<String>>,
    db: Option<u32>,
    tls: Option<bool>,
    files: Files,
    namespace: Option<String>,
    /// Whether it is a URL, in which all stands.
    is_url: bool,
}

/// Redis' port, and that of its sentinels.
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl Check<'_> {
    pub(super) fn redis(
        &mut self,
        sections: &Sections<'_>,
        cache: Option<CacheParams<'_>>,
    ) -> Option<RedisSettings> {
        let Sections { general, router, .. } = *sections;
        let cache = cache.filter(CacheParams::wants_redis);
        let of_cache = cache.map(|cache| self.named(cache.map));
        let shared = self.section(general, "coordination_redis");
        let namespace = of_cache.as_ref().and_then(|told| told.namespace.clone());
        let mut told = self.of_router(router);
        if told.at.is_none() {
            told = of_cache.unwrap_or_default();
        }
        let shared = shared.filter(|_| told.at.is_none()).map(|shared| self.named(shared));
        if let Some(shared) = shared.filter(|shared| shared.at.is_some()) {
            told = shared;
        }
        if told.at.is_none() && cache.is_some() {
            let found = self.of_variables();
            told = match found.is_url {
                true => Told { files: told.files, ..found },
                false => Told { at: found.at, ..told },
            };
        }
        told.namespace = told.namespace.or(namespace);
        self.completed(told)
    }

    /// With what the variables know besides.
    fn completed(&mut self, told: Told) -> Option<RedisSettings> {
        let at = told.at?;
        let env = self.env;
        let open = !told.is_url;
        let password = match told.password {
            None if open => self.secret("REDIS_PASSWORD"),
            told => told,
        };
        let text = |name| env.get(name).filter(|_| open);
        let whole = |text: &str| text.trim().parse().ok();
        let db = told.db.or_else(|| self.variable("REDIS_DB", open, "a whole number", whole));
        let tls = told.tls.or_else(|| self.variable("REDIS_SSL", open, "true or false", truth));
        let tls = self.redis_tls(told.files, tls.unwrap_or(false))?;
        Some(RedisSettings {
            db: if matches!(at, RedisAt::Cluster(_)) { 0 } else { db.unwrap_or(0) },
            at,
            username: told.username.or_else(|| text("REDIS_USERNAME").map(str::to_owned)),
            password,
            tls,
            namespace: told.namespace,
        })
    }

    /// What a variable says, if it counts; an error if that is of no use.
    fn variable<T>(
        &mut self,
        name: &str,
        counts: bool,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.env.get(name).filter(|_| counts)?;
        let value = read(text);
        if value.is_none() {
            let message = format!("the variable {name} is not {what}");
            let help = format!("set it to {what}, or unset it");
            self.problems.add_once(Problem::error(message, Place::default()).help(help));
        }
        value
    }

    /// `redis_url`, else `redis_host` and the keys beside it.
    fn of_router(&mut self, router: &Node) -> Told {
        if let Some(url) = self.text(router, "redis_url") {
            return self.of_url(&url, router.get("redis_url"), "`redis_url`");
        }
        let host = self.text(router, "redis_host");
        let port = self.port(router, "redis_port");
        Told {
            at: host.map(|host| self.one_server(host, port)),
            password: self.text(router, "redis_password").map(Secret::new),
            db: self.count(router, "redis_db"),
            ..Told::default()
        }
    }

    /// A map with `url`, `redis_startup_nodes`, `sentinel_nodes` or `host`; the first one counts.
    fn named(&mut self, map: &Node) -> Told {
        let namespace = self.text(map, "namespace");
        if let Some(url) = self.text(map, "url") {
            let files = self.redis_files(map);
            return Told { namespace, files, ..self.of_url(&url, map.get("url"), "`url`") };
        }
        let cluster = self.nodes(map, "redis_startup_nodes", PORT).map(RedisAt::Cluster);
        let host = self.text(map, "host");
        let port = self.port(map, "port");
        Told {
            at: cluster
                .or_else(|| self.sentinel(map))
                .or_else(|| host.map(|host| self.one_server(host, port))),
            username: self.text(map, "username"),
            password: self.text(map, "password").map(Secret::new),
            db: self.count(map, "db"),
            tls: self.flag(map, "ssl"),
            files: self.redis_files(map),
            namespace,
            is_url: false,
        }
    }

    fn one_server(&self, host: String, port: Option<u16>) -> RedisAt {
        let told = || self.env.get("REDIS_PORT")?.parse().ok();
        RedisAt::Single((host, port.or_else(told).unwrap_or(PORT)))
    }

    fn sentinel(&mut self, map: &Node) -> Option<RedisAt> {
        let nodes = self.nodes(map, "sentinel_nodes", SENTINEL_PORT)?;
        let told = self.text(map, "service_name");
        let service = told.or_else(|| self.env.get("REDIS_SERVICE_NAME").map(str::to_owned));
        let password = self.text(map, "sentinel_password").map(Secret::new);
        let password = password.or_else(|| self.secret("REDIS_SENTINEL_PASSWORD"));
        let Some(service) = service else {
            let at = map.get("sentinel_nodes").unwrap_or(map);
            let message = "`sentinel_nodes` needs `service_name`".to_owned();
            self.error(
                at,
                message,
                "add what the sentinels call the primary: `service_name: NAME`",
            );
            return None;
        };
        Some(RedisAt::Sentinel { nodes, service, password })
    }

    /// What a list names: `{host, port}`, `[host, port]` or `host:port` each.
    fn nodes(&mut self, map: &Node, key: &str, port: u16) -> Option<Vec<RedisNode>> {
        let list = map.get(key).filter(|list| !list.items().is_empty())?;
        let mut nodes = Vec::new();
        for item in list.items() {
            match node(item, port) {
                Some(node) => nodes.push(node),
                None => {
                    let message = format!("`{key}` names addresses of Redis, and this is none");
                    self.error(item, message, "write `{host: HOST, port: PORT}`");
                }
            }
        }
        Some(nodes).filter(|nodes| !nodes.is_empty())
    }

    /// The place that the variables name: a URL, a cluster, sentinels or a host.
    fn of_variables(&mut self) -> Told {
        if let Some(url) = self.secret("REDIS_URL") {
            return self.of_url(url.expose(), None, "REDIS_URL");
        }
        let env = self.env;
        let cluster = self.nodes_of("REDIS_CLUSTER_NODES", PORT).map(RedisAt::Cluster);
        let host = env.get("REDIS_HOST").map(|host| self.one_server(host.to_owned(), None));
        let at = cluster.or_else(|| self.sentinel_of_variables()).or(host);
        Told { at, ..Told::default() }
    }

    fn sentinel_of_variables(&mut self) -> Option<RedisAt> {
        let service = self.env.get("REDIS_SERVICE_NAME")?.to_owned();
        let nodes = self.nodes_of("REDIS_SENTINEL_NODES", SENTINEL_PORT)?;
        let password = self.secret("REDIS_SENTINEL_PASSWORD");
        Some(RedisAt::Sentinel { nodes, service, password })
    }

    /// A variable that holds such a list as JSON.
    fn nodes_of(&mut self, variable: &str, port: u16) -> Option<Vec<RedisNode>> {
        let list = yaml::parse(self.env.get(variable)?, 0).ok();
        let nodes = list.and_then(|list| {
            let nodes: Option<Vec<_>> = list.items().iter().map(|item| node(item, port)).collect();
            nodes.filter(|nodes| !nodes.is_empty())
        });
        if nodes.is_none() {
            let message = format!("the variable {variable} is not a list of addresses");
            let help = format!("write {variable} as JSON: [[\"HOST\", PORT]]");
            self.problems.add_once(Problem::error(message, Place::default()).help(help));
        }
        nodes
    }

    /// What a URL says; an error, without a word of it, if it is none of Redis.
    fn of_url(&mut self, text: &str, at: Option<&Node>, name: &str) -> Told {
        let told = parsed(text);
        if told.is_none() {
            let place = at.map(|node| node.place).unwrap_or_default();
            let help = "write it as redis://HOST:PORT/DATABASE, or rediss:// for TLS; a user and a \
                        password stand before HOST as USER:PASSWORD@, with %XX for odd characters";
            self.tell(Problem::error(format!("{name} is not a URL of Redis"), place).help(help));
        }
        told.unwrap_or_default()
    }
}
