//! How budgets stand, told at a scrape from what is held in memory (contract 9.1).
use super::family::{append, sample};
use super::live::escaped;
use crate::clock;
use crate::identity::{Directory, Holder, Money};
use crate::store::Kind;
use bartizan_layers::facts::NanoUsd;
use std::sync::Arc;

/// So many of each kind are told at most: those that have the least left.
const MOST: usize = 5_000;

/// The three families of one kind of budget, and their labels in the order of the alphabet.
struct Families {
    names: [(&'static str, &'static str); 3],
    labels: fn(&Holder) -> String,
}

const KEYS: Families = Families {
    names: [
        ("litellm_remaining_api_key_budget_metric", "What is left of a key's budget, in dollars."),
        ("litellm_api_key_max_budget_metric", "A key's budget, in US dollars."),
        (
            "litellm_api_key_budget_remaining_hours_metric",
            "Hours until a key's budget starts anew.",
        ),
    ],
    labels: |key| {
        format!("api_key_alias=\"{}\",hashed_api_key=\"{}\"", alias(key), escaped(&key.id))
    },
};

const TEAMS: Families = Families {
    names: [
        ("litellm_remaining_team_budget_metric", "What is left of a team's budget, in dollars."),
        ("litellm_team_max_budget_metric", "A team's budget, in US dollars."),
        ("litellm_team_budget_remaining_hours_metric", "Hours until a team's budget starts anew."),
    ],
    labels: |team| format!("team=\"{}\",team_alias=\"{}\"", escaped(&team.id), alias(team)),
};

const USERS: Families = Families {
    names: [
        ("litellm_remaining_user_budget_metric", "What is left of a user's budget, in dollars."),
        ("litellm_user_max_budget_metric", "A user's budget, in US dollars."),
        ("litellm_user_budget_remaining_hours_metric", "Hours until a user's budget starts anew."),
    ],
    labels: |user| format!("user=\"{}\"", escaped(&user.id)),
};

fn alias(holder: &Holder) -> String {
    escaped(holder.alias.as_deref().unwrap_or_default())
}

/// One budget as it stands.
struct Standing {
    labels: String,
    left: f64,
    max: f64,
    /// Until it starts anew, if it does.
    hours: Option<f64>,
}

/// Appends how the budgets of keys, teams and users stand.
pub fn budgets(directory: &Directory, out: &mut String) {
    let (mut keys, mut left_out) = (Vec::new(), 0);
    directory
        .each_key(|key| keys.extend(bounded(directory, &key.holder).map(|it| (key.clone(), it))));
    let keys = keys.iter().map(|(key, budget)| (&key.holder, *budget));
    left_out += tell(out, &KEYS, keys);
    for (kind, families) in [(Kind::Team, &TEAMS), (Kind::User, &USERS)] {
        let mut holders: Vec<(Arc<Holder>, _)> = Vec::new();
        directory.each(kind, |holder| {
            holders.extend(bounded(directory, holder).map(|it| (holder.clone(), it)));
        });
        left_out += tell(out, families, holders.iter().map(|(holder, it)| (&**holder, *it)));
    }
    let name = "bartizan_budgets_left_out";
    head(out, name, "Budgets that have no series, for there are more than metrics hold.");
    sample(out, name, "", left_out as f64);
}

/// Appends what is left to providers.
pub fn provider_budgets<'a>(providers: impl Iterator<Item = (&'a str, NanoUsd)>, out: &mut String) {
    let name = "litellm_provider_remaining_budget_metric";
    head(out, name, "What is left of a provider's budget, in US dollars.");
    for (provider, left) in providers {
        sample(out, name, &format!("api_provider=\"{}\"", escaped(provider)), left.dollars());
    }
}

/// What a holder may spend, if that is bounded.
fn bounded(directory: &Directory, holder: &Holder) -> Option<(Money, NanoUsd)> {
    let money = directory.money(holder);
    money.max.map(|max| (money, max))
}

/// Appends the families of one kind; tells how many are left out.
fn tell<'a>(
    out: &mut String,
    Families { names, labels }: &Families,
    holders: impl Iterator<Item = (&'a Holder, (Money, NanoUsd))>,
) -> usize {
    let now = clock::now() / 1000;
    let mut all: Vec<_> = holders
        .map(|(holder, (money, max))| {
            let left = max - holder.spent.amount(now);
            (left, holder, money, max)
        })
        .collect();
    all.sort_unstable_by(|one, other| (one.0, &one.1.id).cmp(&(other.0, &other.1.id)));
    let left_out = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    let all = all.into_iter().map(|(left, holder, money, max)| {
        let end = |window| clock::window_end(window, now);
        let until = holder.spent.until(now).or_else(|| money.window.map(end));
        Standing {
            labels: labels(holder),
            left: left.dollars(),
            max: max.dollars(),
            hours: until.map(|until| (until - now) as f64 / 3600.0),
        }
    });
    let all: Vec<_> = all.collect();
    let figures: [fn(&Standing) -> Option<f64>; 3] =
        [|it| Some(it.left), |it| Some(it.max), |it| it.hours];
    for ((name, help), figure) in names.iter().zip(figures) {
        head(out, name, help);
        for standing in &all {
            if let Some(figure) = figure(standing) {
                sample(out, name, &standing.labels, figure);
            }
        }
    }
    left_out
}

fn head(out: &mut String, name: &str, help: &str) {
    append(out, format_args!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

#[cfg(test)]
mod tests {
    use super::{MOST, budgets};
    use crate::identity::Directory;
    use crate::store::{Account, Kind, Thing};
    use serde_json::{Value, json};

    fn put(directory: &Directory, kind: Kind, id: &str, doc: Value) {
        let Value::Object(doc) = doc else { panic!("{doc}") };
        let thing = Thing { kind, id: id.to_owned(), doc, created_at: 0, updated_at: 0 };
        directory.apply(kind, id, Some(&thing));
    }

    #[test]
    fn the_budgets_that_have_the_least_left_are_told_first_and_no_more_than_fit() {
        let directory = Directory::default();
        for number in 0..=MOST {
            put(&directory, Kind::User, &number.to_string(), json!({"max_budget": number}));
        }
        put(&directory, Kind::Team, "t\"", json!({"max_budget": 3, "team_alias": "T"}));
        put(&directory, Kind::Team, "free", json!({}));
        directory.set_spent(&Account {
            scope: "team".into(),
            subject: "t\"".into(),
            spend: 500_000_000,
            until: None,
        });
        let mut out = String::new();
        budgets(&directory, &mut out);
        assert!(out.contains(
            "litellm_remaining_team_budget_metric{team=\"t\\\"\",team_alias=\"T\"} 2.5\n"
        ));
        assert!(!out.contains("free"));
        assert!(!out.contains("litellm_team_budget_remaining_hours_metric{"));
        assert!(out.contains("litellm_user_max_budget_metric{user=\"0\"} 0.0\n"));
        assert!(!out.contains(&format!("{{user=\"{MOST}\"}}")));
        assert!(out.contains("bartizan_budgets_left_out 1.0\n"));
    }
}
