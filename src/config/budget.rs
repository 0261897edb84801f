//! What may be spent.
use super::fields::Check;
use super::load::Sections;
use super::yaml::Node;
use crate::clock;
use bartizan_layers::facts::NanoUsd;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What may be spent, and who is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// That of the whole proxy: `max_budget` and `budget_duration`. `None` is no budget.
    pub proxy: Option<Budget>,
    /// `budget_admission`: who is let in, of all budgets.
    pub admission: BudgetAdmission,
    /// Whether a budget that cannot be read is refused (`fail_closed_budget_enforcement`). Default
    /// false: the call is let in.
    pub fail_closed: bool,
    /// Whether it is this process's alone also where instances share their counts. Default false;
    /// no key of the config.
    pub alone: bool,
    /// In which zone days, weeks and months begin (`timezone`), by its name in the IANA database.
    /// `None` is UTC.
    pub zone: Option<String>,
}

/// An amount, and after which time it may be spent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// That of the proxy is above 0.
    pub max: NanoUsd,
    /// `None` is never.
    pub duration: Option<BudgetDuration>,
}

/// Whom a budget lets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BudgetAdmission {
    /// Whoever comes while something is left, counted with what open calls will likely cost.
    #[default]
    Likely,
    /// Only a call that fits whatever it turns out to cost.
    Strict,
}

/// `30s`, `12h`, `30d`, `1mo`: a number above 0 of some unit. When such a time begins and ends is
/// told in contract 7.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetDuration {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: DurationUnit,
}

/// The units of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `mo`
    Month,
}

impl BudgetDuration {
    /// Reads a number and its unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let (digits, unit) = text.split_at_checked(end)?;
        let count = digits.parse().ok().filter(|count| *count > 0)?;
        let unit = match unit {
            "s" => DurationUnit::Second,
            "m" => DurationUnit::Minute,
            "h" => DurationUnit::Hour,
            "d" => DurationUnit::Day,
            "w" => DurationUnit::Week,
            "mo" => DurationUnit::Month,
            _ => return None,
        };
        Some(Self { count, unit })
    }

    /// How long it is where it begins at any time; a month has 30 days.
    #[must_use]
    pub fn length(self) -> Duration {
        let seconds: u64 = match self.unit {
            DurationUnit::Second => 1,
            DurationUnit::Minute => 60,
            DurationUnit::Hour => 3_600,
            DurationUnit::Day => 86_400,
            DurationUnit::Week => 604_800,
            DurationUnit::Month => 30 * 86_400,
        };
        Duration::from_secs(seconds.saturating_mul(self.count.into()))
    }
}

impl fmt::Display for BudgetDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            DurationUnit::Second => "s",
            DurationUnit::Minute => "m",
            DurationUnit::Hour => "h",
            DurationUnit::Day => "d",
            DurationUnit::Week => "w",
            DurationUnit::Month => "mo",
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl Check<'_> {
    /// `timezone`; nothing for UTC.
    fn zone(&mut self, litellm: &Node) -> Option<String> {
        let zone = self.text(litellm, "timezone")?;
        if zone.eq_ignore_ascii_case("utc") || zone.eq_ignore_ascii_case("z") {
            return None;
        }
        if !clock::knows_zone(&zone) {
            let at = litellm.get("timezone").unwrap_or(litellm);
            let help = "write it as in the IANA database: Europe/Berlin, America/New_York";
            self.error(at, format!("no time zone is called `{zone}`"), help);
            return None;
        }
        Some(zone)
    }

    /// What a deployment may spend (`max_budget`, `budget_duration`).
    pub(super) fn own_budget(&mut self, params: &Node) -> Option<Budget> {
        self.budget_of(params, ["max_budget"; 2], ["budget_duration"; 2])
    }

    /// What each provider may spend (`provider_budget_config`).
    pub(super) fn provider_budgets(&mut self, router: &Node) -> BTreeMap<String, Budget> {
        let mut budgets = BTreeMap::new();
        let maps = self.section(router, "provider_budget_config");
        for (provider, map) in maps.into_iter().flat_map(Node::entries) {
            let Some(name) = provider.as_text() else { continue };
            if self.row(&name).is_none() {
                let message = format!("no provider is called `{name}`: its budget has no effect");
                self.warn(provider, message, "name it as in `model: PROVIDER/MODEL`");
            }
            let (max, every) = (["budget_limit", "max_budget"], ["time_period", "budget_duration"]);
            match self.budget_of(map, max, every) {
                Some(budget) => drop(budgets.insert(name, budget)),
                None => {
                    let message = format!("the budget of `{name}` says no amount");
                    self.warn(map, message, "add `budget_limit: DOLLARS` and `time_period: 1d`");
                }
            }
        }
        budgets
    }

    /// A budget under the first of two names for each of its parts.
    fn budget_of(&mut self, map: &Node, max: [&str; 2], every: [&str; 2]) -> Option<Budget> {
        let max = self.number(map, max[0]).or_else(|| self.number(map, max[1]));
        let every = self.text(map, every[0]).or_else(|| self.text(map, every[1]));
        let duration = every.as_deref().and_then(BudgetDuration::parse);
        max.map(|max| Budget { max: NanoUsd::from_dollars(max), duration })
    }

    pub(super) fn budgets(&mut self, sections: &Sections<'_>) -> Budgets {
        let Sections { general, litellm, .. } = *sections;
        let strict = self.text(general, "budget_admission").is_some_and(|word| word == "strict");
        let fail_closed = self.flag(general, "fail_closed_budget_enforcement").unwrap_or(false);
        let admission = if strict { BudgetAdmission::Strict } else { BudgetAdmission::Likely };
        let duration = self.text(litellm, "budget_duration");
        let duration = duration.as_deref().and_then(BudgetDuration::parse);
        let max = self.number(litellm, "max_budget").map(NanoUsd::from_dollars);
        if let Some(at) = litellm.get("max_budget").filter(|_| max.is_some_and(|max| max.0 <= 0)) {
            let message = "`max_budget: 0` is no budget, as in LiteLLM".to_owned();
            self.warn(at, message, "write what may be spent in US dollars, or leave it out");
        }
        let max = max.filter(|max| max.0 > 0);
        if let (Some(at), None) = (litellm.get("budget_duration"), max)
            && duration.is_some()
        {
            let message = "`budget_duration` has no effect without `max_budget`".to_owned();
            self.warn(at, message, "add `max_budget: DOLLARS`");
        }
        Budgets {
            proxy: max.map(|max| Budget { max, duration }),
            admission,
            fail_closed,
            alone: false,
            zone: self.zone(litellm),
        }
    }
}
