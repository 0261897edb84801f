//! Proofs of thoughts go back to whom they came from, and to nobody else.
use super::clients::{go_on, request};
use super::fakes;
use super::rows::{CLIENTS, Column};
use crate::translation::golden::MODELS;
use crate::translation::setup::{reply, translated};
use bartizan::providers::translate::{Protocol, Translation};
use serde_json::Value;

/// What a client has heard of a provider's thoughts and calls.
fn heard(client: Protocol, provider: Protocol) -> Value {
    let said = fakes::answer(provider, "a-provider", Column::Reasoning, false);
    let heard = match client == provider {
        true => said.into_bytes().into(),
        false => reply(client, provider, false).whole(said.as_bytes()).expect("an answer").body,
    };
    serde_json::from_slice(&heard).expect("JSON")
}

#[test]
fn a_proof_of_one_provider_is_not_sent_to_another() {
    let mut wrong = Vec::new();
    for (client, from) in CLIENTS.into_iter().flat_map(|(client, _)| {
        let provers = [Protocol::Messages, Protocol::Gemini, Protocol::Responses];
        provers.map(|from| (client, from))
    }) {
        let Some(asked) = request(client, Column::Reasoning, "a-model", false) else { continue };
        let proof = fakes::proof(from, "").expect("it proves thoughts");
        let next = go_on(client, asked, &heard(client, from)).to_string();
        // Only those that stand in ids of calls.
        let keeps = match client {
            Protocol::Cohere | Protocol::Ollama => from == Protocol::Gemini,
            client => client != Protocol::Gemini,
        };
        assert!(next.contains(proof) || !keeps, "{client:?} keeps {from:?}'s");
        for (to, provider, model) in MODELS {
            if to == client {
                continue;
            }
            let translation = Translation { client, provider: to };
            let sent = translated(translation, next.as_bytes(), (provider, model), false);
            let sent = String::from_utf8(sent.expect("a request").body.to_vec()).expect("UTF-8");
            // Claude's are good wherever Claude is.
            let same = from == to || (from, to) == (Protocol::Messages, Protocol::Converse);
            let goes_back = same && (keeps || client == Protocol::Gemini);
            if sent.contains(proof) != goes_back || sent.contains("__thought__") {
                wrong.push(format!("{client:?}: of {from:?} to {to:?}: {sent}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
