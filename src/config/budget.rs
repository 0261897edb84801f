//! What may be spent.
use super::fields::Check;
use super::load::Sections;
use bartizan_layers::facts::NanoUsd;

/// What may be spent, and who is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

/// An amount, and after which time it may be spent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Above 0.
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
}

impl Check<'_> {
    pub(super) fn budgets(&mut self, sections: &Sections<'_>) -> Budgets {
        let Sections { general, litellm, .. } = *sections;
        let strict = self.text(general, "budget_admission").is_some_and(|word| word == "strict");
        let fail_closed = self.flag(general, "fail_closed_budget_enforcement").unwrap_or(false);
        let admission = if strict { BudgetAdmission::Strict } else { BudgetAdmission::Likely };
        let duration = self.text(litellm, "budget_duration");
        let duration = duration.as_deref().and_then(BudgetDuration::parse);
        let utc = ["utc", "etc/utc", "gmt", "etc/gmt", "z"];
        let zone = self.text(litellm, "timezone");
        if let Some(zone) = zone.filter(|zone| !utc.contains(&&*zone.to_ascii_lowercase())) {
            self.later.insert(format!("litellm_settings.timezone: {zone} (days begin in UTC)"));
        }
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
        }
    }
}
