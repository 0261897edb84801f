//! Probabilities of words: Gemini's `logprobsResult` and OpenAI's `logprobs`.
use super::fields::members;
use crate::providers::chat::{Taking, object};
use serde_json::{Map, Value};

/// OpenAI's words for a `logprobsResult`.
pub(crate) fn read(mut result: Map<String, Value>) -> Value {
    let mut tops = result.take_array("topCandidates").into_iter().filter_map(members);
    let chosen = result.take_array("chosenCandidates").into_iter().filter_map(members);
    let content = chosen.map(|chosen| {
        let top = tops.next().map(|mut top| top.take_array("candidates")).unwrap_or_default();
        let top = top.into_iter().filter_map(members).map(token).map(Value::Object);
        let mut token = token(chosen);
        token.insert("top_logprobs".to_owned(), top.collect());
        Value::Object(token)
    });
    object([("content", content.collect())])
}

fn token(mut candidate: Map<String, Value>) -> Map<String, Value> {
    let token = candidate.take_text("token").unwrap_or_default();
    let bytes = token.bytes().map(Value::from).collect();
    let logprob = candidate.take("logProbability").unwrap_or_else(|| 0.into());
    let members = [("token", token.into()), ("logprob", logprob), ("bytes", bytes)];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A `logprobsResult` of OpenAI's words.
pub(crate) fn write(logprobs: Value) -> Option<Value> {
    let mut chosen = Vec::new();
    let mut tops = Vec::new();
    for mut token in members(logprobs)?.take_array("content").into_iter().filter_map(members) {
        let top = token.take_array("top_logprobs").into_iter().filter_map(members);
        let top: Vec<_> = top.map(candidate).collect();
        tops.push(object([("candidates", top.into())]));
        chosen.push(candidate(token));
    }
    Some(object([("topCandidates", tops.into()), ("chosenCandidates", chosen.into())]))
}

fn candidate(mut token: Map<String, Value>) -> Value {
    object([
        ("token", token.take_text("token").unwrap_or_default().into()),
        ("logProbability", token.take("logprob").unwrap_or_else(|| 0.into())),
    ])
}
