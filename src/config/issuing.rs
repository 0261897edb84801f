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
    /// Who may make keys (`key_generation_settings`).
    pub keys: MakingKeys,
    /// What users get when they are made.
    pub users: NewUsers,
    /// What teams get when they are made, of fields that a request does not set
    /// (`default_team_params`).
    pub teams: Map<String, Value>,
}

/// Who may make keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MakingKeys {
    /// Keys of teams, by those who are no admins (`team_key_generation`).
    pub team: Option<Making>,
    /// Keys of no team (`personal_key_generation`).
    pub personal: Option<Making>,
}

/// Who may make one kind of keys, and what each must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Making {
    /// The roles that may (`allowed_user_roles`, `allowed_team_member_roles`); `None` is all.
    pub roles: Option<Vec<String>>,
    /// Fields that a request must have (`required_params`).
    pub required: Vec<String>,
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
        let mut teams = map("default_team_params");
        // LiteLLM looks for it in the first of them alone.
        let first = litellm.get("default_team_settings").and_then(|all| all.items().first());
        if let Some(max) = first.and_then(|first| self.number(first, "max_budget")) {
            teams.entry("max_budget").or_insert_with(|| max.into());
        }
        Issuing {
            users,
            teams,
            keys: self.making_keys(litellm),
            defaults: map("default_key_generate_params"),
            most: map("upperbound_key_generate_params"),
        }
    }

    fn making_keys(&mut self, litellm: &Node) -> MakingKeys {
        let Some(settings) = self.section(litellm, "key_generation_settings") else {
            return MakingKeys::default();
        };
        let mut rule = |name, roles| {
            let map = self.section(settings, name)?;
            let told = map.get(roles).is_some_and(|roles| !roles.is_null());
            Some(Making {
                roles: told.then(|| self.texts(map, roles)),
                required: self.texts(map, "required_params"),
            })
        };
        MakingKeys {
            team: rule("team_key_generation", "allowed_team_member_roles"),
            personal: rule("personal_key_generation", "allowed_user_roles"),
        }
    }
}
