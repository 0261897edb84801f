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
}

impl Check<'_> {
    pub(super) fn issuing(&self, sections: &Sections<'_>) -> Issuing {
        let map = |name: &str| match sections.litellm.get(name).map(Node::to_json) {
            Some(Value::Object(mut map)) => {
                map.retain(|_, value| !value.is_null());
                map
            }
            // Whatever else stands there was found wrong by the table of keys.
            _ => Map::new(),
        };
        Issuing {
            defaults: map("default_key_generate_params"),
            most: map("upperbound_key_generate_params"),
        }
    }
}
