//! What keys get, and have at most, when they are made.
use super::fields::Check;
use super::load::Sections;
use super::yaml::Node;
use serde_json::{Map, Value};

/// What keys get, and have at most, when they are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Issuing {
    /// Values of fields that a request does not set (`default_key_generate_params`).
    pub defaults: Map<String, Value>,
    /// The greatest values of fields; also those of requests that set none
    /// (`upperbound_key_generate_params`).
    pub most: Map<String, Value>,
    /// What users get when they are made.
    pub users: NewUsers,
    /// What teams get when they are made, of fields that a request does not set
    /// (`default_team_params`).
    pub teams: Map<String, Value>,
}

/// What users get when they are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewUsers {
    /// Values of fields that a request does not set (`default_internal_user_params`); besides them
    /// `teams`, which each new user joins, and `available_teams`, which each may join.
    pub params: Map<String, Value>,
    /// US dollars of an `internal_user` of whom nothing else is said (`max_internal_user_budget`,
    /// `default_max_internal_user_budget`).
    pub max_budget: Option<f64>,
    /// After which its budget starts anew (`internal_user_budget_duration`).
    pub budget_duration: Option<String>,
}

impl NewUsers {
    /// Bounds the document of an `internal_user` that has no bounds of its own.
    pub fn bound(&self, doc: &mut Map<String, Value>) {
        let bounds = [
            ("max_budget", self.max_budget.map(Value::from)),
            ("budget_duration", self.budget_duration.clone().map(Value::from)),
        ];
        for (name, value) in bounds {
            if let (Some(value), false) = (value, doc.contains_key(name)) {
                doc.insert(name.to_owned(), value);
            }
        }
    }
}

impl Check<'_> {
    pub(super) fn issuing(&mut self, sections: &Sections<'_>) -> Issuing {
        let map = |name: &str| match sections.litellm.get(name).map(Node::to_json) {
            Some(Value::Object(mut map)) => {
                map.retain(|_, value| !value.is_null());
                map
            }
            // Whatever else stands there was found wrong by the table of keys.
            _ => Map::new(),
        };
        let litellm = sections.litellm;
        let usual = self.number(litellm, "default_max_internal_user_budget");
        let users = NewUsers {
            params: map("default_internal_user_params"),
            max_budget: self.number(litellm, "max_internal_user_budget").or(usual),
            budget_duration: self.text(litellm, "internal_user_budget_duration"),
        };
        Issuing {
            users,
            teams: map("default_team_params"),
            defaults: map("default_key_generate_params"),
            most: map("upperbound_key_generate_params"),
        }
    }
}
