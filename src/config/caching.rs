//! Whether answers are kept, where, and how long.
use super::fields::Check;
use super::known;
use super::load::Sections;
use super::redis::RedisSettings;
use super::yaml::{Kind, Node};
use std::time::Duration;

/// How answers are kept (contract 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Where.
    pub kind: CacheKind,
    /// How long; `None` is for ever. Default 600 s in memory, for ever in Redis.
    pub ttl: Option<Duration>,
    /// What keys begin with.
    pub namespace: Option<String>,
    /// Whether requests must ask for it (`mode: default_off`).
    pub opt_in: bool,
    /// Of which calls; never of none.
    pub calls: CachedCalls,
    /// What all answers in memory may take, in bytes. Default 64 MiB.
    pub max_bytes: usize,
    /// Who shares answers.
    pub scope: CacheScope,
    /// Whether answers that call tools are kept. Default false.
    pub tool_calls: bool,
}

/// Where answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKind {
    /// In this process.
    Local,
    /// In [`Config::redis`](super::Config::redis), which is there then.
    Redis,
}

/// Who shares answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// The calls of one key.
    Key,
    /// Those of one team; of one key where it has no team.
    #[default]
    Team,
    /// All calls.
    All,
}

/// The calls whose answers are kept (`supported_call_types`). Default all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedCalls {
    /// Chat completions.
    pub chat: bool,
    /// Completions.
    pub text: bool,
    /// Embeddings.
    pub embeddings: bool,
    /// Transcriptions.
    pub transcriptions: bool,
    /// Rerank, in all its versions.
    pub rerank: bool,
    /// OpenAI responses.
    pub responses: bool,
    /// Anthropic messages.
    pub messages: bool,
}

impl CachedCalls {
    const NONE: Self = Self {
        chat: false,
        text: false,
        embeddings: false,
        transcriptions: false,
        rerank: false,
        responses: false,
        messages: false,
    };

    const ALL: Self = Self {
        chat: true,
        text: true,
        embeddings: true,
        transcriptions: true,
        rerank: true,
        responses: true,
        messages: true,
    };

    /// Adds a call by LiteLLM's name of it; false if there is no such.
    fn add(&mut self, name: &str) -> bool {
        let call = match name.strip_prefix('a').filter(|rest| CALLS.contains(rest)).unwrap_or(name)
        {
            "completion" => &mut self.chat,
            "text_completion" => &mut self.text,
            "embedding" => &mut self.embeddings,
            "transcription" => &mut self.transcriptions,
            "rerank" => &mut self.rerank,
            "responses" => &mut self.responses,
            "anthropic_messages" => &mut self.messages,
            _ => return false,
        };
        *call = true;
        true
    }
}

/// LiteLLM's names of calls; all but the last one have another with an `a` before it.
const CALLS: [&str; 7] = [
    "completion",
    "text_completion",
    "embedding",
    "transcription",
    "rerank",
    "responses",
    "anthropic_messages",
];

/// What all answers in memory may take by default, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// How long answers are kept in memory by default.
const IN_MEMORY: Duration = Duration::from_secs(600);

/// The map that says how answers are kept, and what the file calls it.
#[derive(Clone, Copy)]
pub(super) struct CacheParams<'n> {
    pub(super) map: &'n Node,
    path: &'static str,
    /// Whether it is that of the router, which takes Redis only if it has one.
    is_router: bool,
}

impl CacheParams<'_> {
    /// Whether Redis is what is wanted.
    pub(super) fn wants_redis(&self) -> bool {
        match self.map.get("type").and_then(Node::text) {
            Some(kind) => ["redis", "redis-semantic", "valkey-semantic"].contains(&kind),
            None => !self.is_router,
        }
    }
}

impl Check<'_> {
    /// The cache, and the Redis that it and all else may share.
    pub(super) fn shared(
        &mut self,
        sections: &Sections<'_>,
    ) -> (Option<Caching>, Option<RedisSettings>) {
        let nothing = Node { kind: Kind::Map(Vec::new()), place: sections.root.place };
        let params = self.cache_params(sections, &nothing);
        let before = self.errors();
        let redis = self.redis(sections, params);
        // A Redis that is not spoken with as told (a password without TLS, say) is none.
        let is_sound = self.errors() == before;
        let redis = redis.filter(|_| is_sound);
        if let Some(CacheParams { path, .. }) = params.filter(CacheParams::wants_redis)
            && redis.is_none()
            && is_sound
        {
            self.problems.notice(format!(
                "{path}: no Redis is named (`host`, `url`, REDIS_HOST or REDIS_URL), so answers \
                 are kept in memory"
            ));
        }
        (params.and_then(|params| self.caching(params, redis.as_ref())), redis)
    }

    /// The parameters of the cache that is turned on; an empty map if it has none.
    fn cache_params<'n>(
        &mut self,
        sections: &Sections<'n>,
        nothing: &'n Node,
    ) -> Option<CacheParams<'n>> {
        let Sections { litellm, router, .. } = *sections;
        let params = self.section(litellm, "cache_params");
        if self.flag(litellm, "cache").unwrap_or(false) {
            let map = params.unwrap_or(nothing);
            let path = "litellm_settings.cache_params";
            return Some(CacheParams { map, path, is_router: false });
        }
        let kwargs = self.section(router, "cache_kwargs");
        if self.flag(router, "cache_responses").unwrap_or(false) {
            let map = kwargs.unwrap_or(nothing);
            let path = "router_settings.cache_kwargs";
            return Some(CacheParams { map, path, is_router: true });
        }
        let idle = [(params, "cache_params", "cache"), (kwargs, "cache_kwargs", "cache_responses")];
        for (map, name, switch) in idle {
            let Some(map) = map.filter(|map| map.kind != Kind::Map(Vec::new())) else { continue };
            let message = format!("`{name}` has no effect without `{switch}: true`");
            self.warn(map, message, &format!("add `{switch}: true` beside it, or remove it"));
        }
        None
    }

    /// The cache; nothing if it is off, or keeps the answers of no calls.
    fn caching(
        &mut self,
        params: CacheParams<'_>,
        redis: Option<&RedisSettings>,
    ) -> Option<Caching> {
        let CacheParams { map: cache, .. } = params;
        let kind = self.cache_kind(params, redis);
        let ttl = self.wait(cache, "ttl");
        let in_memory = self.wait(cache, "default_in_memory_ttl");
        let in_redis = self.wait(cache, "default_in_redis_ttl");
        let ttl = ttl.or(match kind {
            CacheKind::Local => in_memory.or(Some(IN_MEMORY)),
            CacheKind::Redis => in_redis,
        });
        let caching = Caching {
            kind,
            ttl,
            namespace: self.text(cache, "namespace"),
            opt_in: self.text(cache, "mode").is_some_and(|mode| mode == "default_off"),
            calls: self.cached_calls(cache),
            max_bytes: self
                .whole(cache, "max_bytes")
                .map_or(MAX_BYTES, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            scope: match self.text(cache, "scope").as_deref() {
                Some("key") => CacheScope::Key,
                Some("all") => CacheScope::All,
                _ => CacheScope::Team,
            },
            tool_calls: self.flag(cache, "tool_calls").unwrap_or(false),
        };
        (caching.calls != CachedCalls::NONE).then_some(caching)
    }

    /// Where answers are kept: in Redis, if that is what is wanted and there is one, else in memory.
    fn cache_kind(&mut self, params: CacheParams<'_>, redis: Option<&RedisSettings>) -> CacheKind {
        let CacheParams { map: cache, path, is_router } = params;
        let told = self.text(cache, "type");
        let is_wrong = cache.get("type").is_some_and(|kind| self.wrong.contains(&kind.place));
        let is_plain = |kind: &str| is_wrong || ["local", "redis"].contains(&kind);
        if let Some(other) = told.as_deref().filter(|kind| !is_plain(kind)) {
            let place = if params.wants_redis() && redis.is_some() { "Redis" } else { "memory" };
            self.later.insert(format!(
                "{path}.type: {other} (answers to equal requests are kept in {place})"
            ));
        }
        if redis.is_some() && (params.wants_redis() || (is_router && told.is_none())) {
            return CacheKind::Redis;
        }
        CacheKind::Local
    }

    fn cached_calls(&mut self, cache: &Node) -> CachedCalls {
        let list = cache.get("supported_call_types").filter(|list| !list.is_null());
        let Some(list) = list.filter(|list| matches!(list.kind, Kind::List(_))) else {
            return CachedCalls::ALL;
        };
        let mut calls = CachedCalls::NONE;
        for item in list.items() {
            let Some(name) = item.as_text().filter(|name| !calls.add(name)) else { continue };
            let help = match known::nearest(&name, CALLS.into_iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use {}", CALLS.join(", ")),
            };
            self.warn(item, format!("answers to `{name}` are never kept"), &help);
        }
        calls
    }
}
