//! How many calls and tokens there may be.
use super::fields::{Check, described};
use super::load::Sections;
use super::yaml::{Kind, Node};
use std::collections::BTreeMap;

/// Calls and tokens in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
}

/// Limits that hold whoever calls, or where nothing else was said. What is `None` is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of all calls together: `general_settings.rpm_limit`/`tpm_limit` and
    /// `router_settings.rpm`/`tpm`, the smaller of both.
    pub global: Rate,
    /// Open calls of the whole proxy (`global_max_parallel_requests`).
    pub global_parallel: Option<u32>,
    /// Open calls of a key that has no limit of its own (`max_parallel_requests`).
    pub key_parallel: Option<u32>,
    /// Of each end user that `end_users` does not name: `user_rate_limit: {rpm, tpm}`.
    pub end_user: Option<Rate>,
    /// By end user: `user_rate_limit: {NAME: {rpm, tpm}}`.
    pub end_users: BTreeMap<String, Rate>,
}

impl Check<'_> {
    pub(super) fn limits(&mut self, sections: &Sections<'_>) -> Limits {
        let Sections { general, router, .. } = *sections;
        let smaller = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
        let rpm = smaller(self.whole(general, "rpm_limit"), self.whole(router, "rpm"));
        let tpm = smaller(self.whole(general, "tpm_limit"), self.whole(router, "tpm"));
        let (end_user, end_users) = self.end_users(general);
        Limits {
            global: Rate { rpm, tpm },
            global_parallel: self.count(general, "global_max_parallel_requests"),
            key_parallel: self.count(general, "max_parallel_requests"),
            end_user,
            end_users,
        }
    }

    /// `user_rate_limit`: a rate for all end users, rates by their names, or both.
    fn end_users(&mut self, general: &Node) -> (Option<Rate>, BTreeMap<String, Rate>) {
        let Some(map) = self.section(general, "user_rate_limit") else { return Default::default() };
        let all = self.rate(map);
        let mut named = BTreeMap::new();
        for (name, value) in map.entries() {
            let Some(user) = name.as_text().filter(|name| !RATE.contains(&name.as_str())) else {
                continue;
            };
            if !matches!(value.kind, Kind::Map(_)) {
                let message =
                    format!("the limits of `{user}` must be a map, not {}", described(value));
                self.error(value, message, "write them as `{rpm: 10, tpm: 1000}`");
                continue;
            }
            let rate = self.rate(value);
            for (key, _) in value.entries() {
                let Some(other) = key.as_text().filter(|key| !RATE.contains(&key.as_str())) else {
                    continue;
                };
                let message = format!("unknown key `{other}`: it has no effect");
                self.warn(key, message, "its keys are `rpm` and `tpm`");
            }
            named.insert(user, rate);
        }
        (Some(all).filter(|rate| *rate != Rate::default()), named)
    }

    fn rate(&mut self, map: &Node) -> Rate {
        Rate { rpm: self.whole(map, RATE[0]), tpm: self.whole(map, RATE[1]) }
    }
}

/// The keys of a rate.
const RATE: [&str; 2] = ["rpm", "tpm"];
