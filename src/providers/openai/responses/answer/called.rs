//! Calls of tools, as their client knows them.
use crate::providers::chat::{Client, Qualified, object};
use serde_json::Value;

/// A tool that is called.
#[derive(Clone, Debug)]
pub(in super::super) struct Called {
    /// Its name; where it is in a namespace, the one there.
    pub(in super::super) name: String,
    namespace: Option<String>,
    /// Whether it takes free text.
    pub(in super::super) custom: bool,
}

impl Called {
    /// The tool that the model knows by this `name`.
    pub(in super::super) fn of(client: &Client, name: String) -> Self {
        let custom = client.custom.contains(&name);
        match client.qualified.get(&name) {
            Some(Qualified { namespace, name }) => {
                Self { name: name.clone(), namespace: Some(namespace.clone()), custom }
            }
            None => Self { name, namespace: None, custom },
        }
    }

    /// What the ids of its calls begin with.
    pub(in super::super) const fn prefix(&self) -> &'static str {
        if self.custom { "ctc" } else { "fc" }
    }

    /// A call of it, with free text or with arguments as `input`.
    pub(in super::super) fn item(
        &self,
        id: &str,
        call: &str,
        input: String,
        status: &str,
    ) -> Value {
        let (kind, member) = match self.custom {
            true => ("custom_tool_call", "input"),
            false => ("function_call", "arguments"),
        };
        let mut item = object([
            ("id", id.into()),
            ("type", kind.into()),
            ("status", status.into()),
            (member, input.into()),
            ("call_id", call.into()),
            ("name", self.name.as_str().into()),
        ]);
        if let Some(namespace) = &self.namespace {
            item["namespace"] = namespace.as_str().into();
        }
        item
    }
}
