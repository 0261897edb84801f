//! Events in LiteLLM's shapes: the JSON of a webhook, and the text of a message.
use super::Spent;
use super::told::Crossed;
use crate::clock;
use crate::identity::Money;
use bartizan_layers::facts::{NanoUsd, Scope};
use serde::Serialize;
use std::fmt::Write;

/// Whose call it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct About {
    /// The digest of its key.
    pub token: Option<String>,
    /// The end user that it was made for.
    pub customer_id: Option<String>,
    /// The user of the key.
    pub user_id: Option<String>,
    /// The team of the key.
    pub team_id: Option<String>,
    /// What people call the team.
    pub team_alias: Option<String>,
    /// The organisation of the key.
    pub organization_id: Option<String>,
    /// The address of the user.
    pub user_email: Option<String>,
    /// What people call the key.
    pub key_alias: Option<String>,
}

/// An event, with the names and the order that LiteLLM's webhook has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Event {
    spend: f64,
    max_budget: Option<f64>,
    soft_budget: Option<f64>,
    #[serde(flatten)]
    about: About,
    projected_exceeded_date: Option<String>,
    projected_spend: Option<f64>,
    event_group: &'static str,
    event: &'static str,
    event_message: String,
}

impl Event {
    /// A budget of which something is to be told.
    pub(super) fn new(spent: &Spent<'_>, crossed: Crossed, about: About) -> Self {
        let Money { max, soft, .. } = spent.money;
        let whose = match spent.scope {
            _ if crossed == Crossed::Soft => "Soft Budget Crossed: ",
            Scope::Key | Scope::ModelPerKey => "Key Budget: ",
            Scope::User => "User Budget: ",
            Scope::Team => "Team Budget: ",
            Scope::TeamMember => "Team Member Budget: ",
            Scope::Organization => "Organization Budget: ",
            Scope::EndUser => "Customer Budget: ",
            Scope::Tag => "Tag Budget: ",
            _ => "Proxy Budget: ",
        };
        let shown = |amount: Option<NanoUsd>| amount.unwrap_or_default().dollars();
        let (event, what) = match crossed {
            Crossed::Soft => {
                ("soft_budget_crossed", format!("Total Soft Budget:`{:?}`", shown(soft)))
            }
            Crossed::Fifteen => ("threshold_crossed", "15% Threshold Crossed".to_owned()),
            Crossed::Five => ("threshold_crossed", "5% Threshold Crossed ".to_owned()),
            Crossed::Max | Crossed::Projection => {
                ("budget_crossed", format!("Budget Crossed\n Total Budget:`{:?}`", shown(max)))
            }
        };
        Self {
            spend: spent.amount.dollars(),
            max_budget: max.map(NanoUsd::dollars),
            soft_budget: soft.map(NanoUsd::dollars),
            about,
            projected_exceeded_date: None,
            projected_spend: None,
            event_group: group(spent.scope),
            event,
            event_message: format!("{whose}{what}"),
        }
    }

    /// What it will come to, and the day on which it will be more than somebody wants.
    pub(super) fn projected(spent: &Spent<'_>, sum: NanoUsd, day: &str, about: About) -> Self {
        Self {
            event: "projected_limit_exceeded",
            event_message: "Key Budget: Projected Limit Exceeded".to_owned(),
            projected_exceeded_date: Some(day.to_owned()),
            projected_spend: Some(sum.dollars()),
            ..Self::new(spent, Crossed::Soft, about)
        }
    }

    /// What it says to people: without the key.
    pub(super) fn text(&self, place: Option<&str>) -> String {
        let time = clock::iso(clock::now());
        let time = time.get(11..19).unwrap_or_default();
        let mut text = format!(
            "Alert type: `budget_alerts`\nLevel: `High`\nTimestamp: `{time}`\n\nMessage: {}\n\n",
            self.event_message
        );
        let About { customer_id, user_id, team_id, team_alias, .. } = &self.about;
        let About { organization_id, user_email, key_alias, .. } = &self.about;
        let number = |number: Option<f64>| number.map(|number| format!("{number:?}"));
        let fields = [
            ("spend", number(Some(self.spend))),
            ("max_budget", number(self.max_budget)),
            ("soft_budget", number(self.soft_budget)),
            ("customer_id", customer_id.clone()),
            ("user_id", user_id.clone()),
            ("team_id", team_id.clone()),
            ("team_alias", team_alias.clone()),
            ("organization_id", organization_id.clone()),
            ("user_email", user_email.clone()),
            ("key_alias", key_alias.clone()),
            ("projected_exceeded_date", self.projected_exceeded_date.clone()),
            ("projected_spend", number(self.projected_spend)),
            ("event_group", Some(self.event_group.to_owned())),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                // A text takes all that is written.
                writeln!(text, "*{name}:* `{value}`").ok();
            }
        }
        if let Some(place) = place {
            write!(text, "\n\nProxy URL: `{place}`").ok();
        }
        text
    }
}

fn group(scope: Scope) -> &'static str {
    match scope {
        Scope::Key | Scope::ModelPerKey => "key",
        Scope::User => "user",
        Scope::EndUser => "end_user",
        Scope::Team => "team",
        Scope::TeamMember => "team_member",
        Scope::Organization => "organization",
        Scope::Tag => "tag",
        _ => "proxy",
    }
}

/// What a month comes to if it goes on like this, where that is more than `soft`: the sum, the day
/// on which it is too much, and when the month ends (seconds since 1970).
pub(super) fn projected(spent: NanoUsd, soft: NanoUsd, now: i64) -> Option<(NanoUsd, String, i64)> {
    let month = clock::month(now);
    if spent >= soft || spent.0 <= 0 {
        return None;
    }
    let daily = i128::from(spent.0) / i128::from((month.day - 1).max(1));
    let sum = i128::from(spent.0) + daily * i128::from(month.days - month.day);
    if sum <= i128::from(soft.0) || daily == 0 {
        return None;
    }
    let days = i64::try_from(i128::from(soft.0 - spent.0) / daily).ok()?;
    let day = clock::day((now + days * 86_400).saturating_mul(1000));
    Some((NanoUsd(sum.try_into().unwrap_or(i64::MAX)), day, month.end))
}

#[cfg(test)]
mod tests {
    use super::{About, Event, projected};
    use crate::alerts::Spent;
    use crate::alerts::told::Crossed;
    use crate::clock;
    use crate::identity::Money;
    use bartizan_layers::facts::{NanoUsd, Scope};

    fn at(text: &str) -> i64 {
        clock::parse(text).unwrap() / 1000
    }

    #[test]
    fn a_month_is_projected_from_the_days_before() {
        let dollars = NanoUsd::from_dollars;
        // Ten dollars in ten days: one a day, and twenty days to come.
        let (sum, day, end) =
            projected(dollars(10.0), dollars(20.0), at("2026-06-11T12:00:00Z")).unwrap();
        assert_eq!((sum, day.as_str()), (dollars(29.0), "2026-06-21"));
        assert_eq!(end, at("2026-07-01T00:00:00Z"));
        let first = at("2026-06-01T12:00:00Z");
        assert_eq!(projected(dollars(1.0), dollars(20.0), first).unwrap().0, dollars(30.0));
        for (spent, soft) in [(10.0, 30.0), (0.0, 1.0), (20.0, 20.0)] {
            assert_eq!(
                projected(dollars(spent), dollars(soft), at("2026-06-11T12:00:00Z")),
                None,
                "{spent} {soft}"
            );
        }
    }

    #[test]
    fn a_message_says_who_and_how_much_and_not_the_key() {
        let money = Money { max: Some(NanoUsd::from_dollars(2.0)), soft: None, window: None };
        let amount = NanoUsd::from_dollars(2.5);
        let spent = Spent { scope: Scope::Team, subject: "t", money, amount, until: None };
        let about =
            About { token: Some("d1g3st".into()), team_id: Some("t".into()), ..About::default() };
        let event = Event::new(&spent, Crossed::Max, about);
        let text = event.text(Some("https://llm.example"));
        assert!(text.starts_with("Alert type: `budget_alerts`\nLevel: `High`\nTimestamp: `"));
        let end = "\n\nMessage: Team Budget: Budget Crossed\n Total Budget:`2.0`\n\n\
                   *spend:* `2.5`\n*max_budget:* `2.0`\n*team_id:* `t`\n*event_group:* `team`\n\
                   \n\nProxy URL: `https://llm.example`";
        assert!(text.ends_with(end), "{text}");
        assert!(!text.contains("d1g3st"));
    }
}
