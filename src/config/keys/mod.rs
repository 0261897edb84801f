//! Every key that a config may have, as one table: it drives the checks, `bartizan schema` and
//! `docs/config-keys.md`.
//!
//! Each section is a file of rows, `name|kind|standing|default|meaning`. What the words of a row
//! may be is told at [`Kind`] and [`Standing`]. The default is a text for people and for the
//! schema; `required` says that there is none, and a name in capitals is a variable.
mod kind;
mod page;
mod schema;
#[cfg(test)]
mod tests;

pub use self::page::page;
pub use self::schema::schema;

pub(super) use self::kind::Kind;

/// The sections and their rows. The first one is the file itself.
const SECTIONS: &[(&str, &str)] = &[
    ("", include_str!("top.txt")),
    ("model_list[]", include_str!("model_list.txt")),
    ("litellm_params", include_str!("litellm_params.txt")),
    ("model_info", include_str!("model_info.txt")),
    ("general_settings", include_str!("general_settings.txt")),
    ("litellm_settings", include_str!("litellm_settings.txt")),
    ("router_settings", include_str!("router_settings.txt")),
    ("cache_params", include_str!("cache_params.txt")),
    ("coordination_redis", include_str!("coordination_redis.txt")),
    ("routing_strategy_args", include_str!("routing_strategy_args.txt")),
    ("retry_policy", include_str!("retry_policy.txt")),
    ("key_generation_settings", include_str!("key_generation_settings.txt")),
    ("team_key_generation", include_str!("team_key_generation.txt")),
    ("personal_key_generation", include_str!("personal_key_generation.txt")),
    ("alerting_args", include_str!("alerting_args.txt")),
    ("alert_to_webhook_url", include_str!("alert_to_webhook_url.txt")),
    ("provider_budget", include_str!("provider_budget.txt")),
    ("allowed_fails_policy", include_str!("allowed_fails_policy.txt")),
    ("pass_through_endpoints[]", include_str!("pass_through_endpoints.txt")),
    ("credential_list[]", include_str!("credential_list.txt")),
    ("tls", include_str!("listener_tls.txt")),
    ("certificates[]", include_str!("certificates.txt")),
    ("litellm_params.tls", include_str!("upstream_tls.txt")),
    ("accounts[]", include_str!("accounts.txt")),
    ("provider", include_str!("provider.txt")),
    ("special_handling", include_str!("special_handling.txt")),
];

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// `honoured`: it does what its meaning says.
    Honoured,
    /// `later`: not in this version, and named in the one notice.
    Later,
    /// `python`: it names Python code, which no version will run.
    PythonOnly,
    /// `accepted`: known and harmless, without an effect of its own.
    Accepted,
    /// `sent`: a parameter of requests; a deployment's value is sent where a request brings none.
    Sent,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) standing: Standing,
    /// As people write it; empty if there is none.
    pub(super) default: &'static str,
    /// Empty if the name tells all.
    pub(super) meaning: &'static str,
}

impl Key {
    fn parse(row: &'static str) -> Option<Self> {
        let mut cells = row.splitn(5, '|');
        let name = cells.next()?;
        let kind = Kind::parse(cells.next()?)?;
        let standing = match cells.next()? {
            "honoured" => Standing::Honoured,
            "later" => Standing::Later,
            "python" => Standing::PythonOnly,
            "accepted" => Standing::Accepted,
            "sent" => Standing::Sent,
            _ => return None,
        };
        Some(Self { name, kind, standing, default: cells.next()?, meaning: cells.next()? })
    }

    /// Whether its section is nothing without it.
    pub(super) fn is_required(&self) -> bool {
        self.default == "required"
    }
}

/// The keys of a section, in the order of their rows; none for a section that nobody knows.
pub(super) fn of(section: &str) -> impl Iterator<Item = Key> + use<> {
    let found = SECTIONS.iter().find(|(name, _)| *name == section);
    found.map_or("", |(_, rows)| rows).lines().filter_map(Key::parse)
}

/// The row of one key.
pub(super) fn find(section: &str, name: &str) -> Option<Key> {
    let (_, rows) = SECTIONS.iter().find(|(known, _)| *known == section)?;
    let is_it = |row: &&str| row.strip_prefix(name).is_some_and(|rest| rest.starts_with('|'));
    rows.lines().find(is_it).and_then(Key::parse)
}

/// The rows of a name in all sections.
pub(super) fn all(name: &str) -> impl Iterator<Item = Key> {
    SECTIONS.iter().filter_map(move |(section, _)| find(section, name))
}

/// Where a key belongs that `section` does not have, as people call that place.
pub(super) fn home(section: &str, name: &str) -> Option<&'static str> {
    let of_models = ["litellm_params", "model_info", "model_list[]"];
    let of_proxy = ["general_settings", "litellm_settings", "router_settings", ""];
    let order: Vec<_> = if section == "model_list[]" {
        of_models.into_iter().chain(of_proxy).collect()
    } else {
        of_proxy.into_iter().chain(of_models).collect()
    };
    let is_own = |key: &Key| !key.meaning.starts_with("as ") && key.standing != Standing::Sent;
    order.into_iter().find(|one| *one != section && find(one, name).is_some_and(|key| is_own(&key)))
}
