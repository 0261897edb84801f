//! A response but for its output.
use super::super::json::Members;
use super::super::{echo, usage};
use super::Ending;
use crate::providers::chat::Client;
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What stands around the output.
#[derive(Debug)]
pub(in super::super) struct Envelope<'a> {
    pub(in super::super) id: &'a str,
    pub(in super::super) model: &'a str,
    pub(in super::super) created: u64,
    /// `None` while it goes on.
    pub(in super::super) ending: Option<&'a Ending>,
    pub(in super::super) usage: Option<&'a Usage>,
    pub(in super::super) tier: Option<&'a str>,
    pub(in super::super) echo: &'a Map<String, Value>,
}

/// The id of the response that `client` gets for an answer with this id of its provider: that one if
/// it is a response's, the client's own otherwise.
#[must_use]
pub fn response_id(id: Option<&str>, client: &Client) -> String {
    match id.filter(|id| id.starts_with("resp_")) {
        Some(id) => id.to_owned(),
        None => format!("resp_{}", client.id),
    }
}

impl<'a> Envelope<'a> {
    /// The response with this `output`: items as JSON, with commas in between.
    pub(in super::super) fn around(&self, output: &[u8]) -> Vec<u8> {
        let mut whole = Vec::with_capacity(output.len() + 1024);
        let mut members = Members::of(&mut whole, "object", "response");
        for (name, value) in self.members() {
            members = members.value(name, &value);
        }
        members.list("output", output).close();
        whole
    }

    fn members(&self) -> impl Iterator<Item = (&'static str, Cow<'a, Value>)> + use<'a> {
        let (status, error, reason) = match self.ending {
            None => ("in_progress", None, None),
            Some(ending) => (ending.status(), ending.error.as_deref(), ending.reason),
        };
        let error = error
            .map_or(Value::Null, |message| json!({"code": "server_error", "message": message}));
        let incomplete = reason.map_or(Value::Null, |reason| json!({ "reason": reason }));
        // Of a tier that is left to OpenAI it tells which one that is.
        let asked = self.echo.get("service_tier").and_then(Value::as_str);
        let tier = self.tier.or(asked).filter(|tier| *tier != "auto").unwrap_or("default");
        let own = [
            ("id", self.id.into()),
            ("created_at", self.created.into()),
            ("status", status.into()),
            ("error", error),
            ("incomplete_details", incomplete),
            ("model", self.model.into()),
            ("service_tier", tier.into()),
        ];
        let usage = self.usage.map(|usage| ("usage", usage::write(usage)));
        let own = own.into_iter().chain(usage).map(|(name, value)| (name, Cow::Owned(value)));
        own.chain(echo::repeated(self.echo))
    }
}
