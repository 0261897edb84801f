//! What clients hear of recorded answers.
use super::able::told;
use super::golden::needs_translation;
use super::recording::{Recording, Told, answered};
use super::setup::{CLIENTS, heard, heard_stream, reply, streamed};
use bartizan::providers::translate::Protocol;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is not heard as it was said: recording, client, and why that is right.
const MISSES: [(&str, Protocol, &str); 7] = [
    ("change-model-on-the-fly-between-anthropic-c-1-9d3c97.json", Protocol::Messages, BESIDE),
    ("azure-grok-4-1-fast-non-reasoni-1-159202.json", Protocol::Messages, BESIDE),
    ("azure-grok-4-1-fast-non-reasoni-ab642e.json", Protocol::Messages, BESIDE),
    ("azure-grok-4-1-fast-non-re-d82c54.json", Protocol::Messages, BESIDE),
    ("azure-grok-4-1-fast-non-re-23a8d8.json", Protocol::Messages, BESIDE),
    ("azure-grok-4-1-fast-non-re-2-384e7a.json", Protocol::Messages, BESIDE),
    ("gemini/audio-google-response-18f7b0.json", Protocol::Ollama, SILENT),
];

/// Of two numbers that contradict each other the larger one is believed.
const BESIDE: &str = "its usage has more tokens from a cache than tokens of the prompt";
const SILENT: &str = "Ollama's answers have no sound.";

/// What a client hears otherwise than it was said; nothing for nothing.
fn unlike(recording: &Recording, client: Protocol) -> String {
    let said = told(recording.said(), client);
    let reply = reply(client, recording.protocol, false);
    match &recording.answer {
        Told::Whole(body) => {
            let Ok(whole) = reply.whole(body) else { return " it is not read;".to_owned() };
            let stream = reply.as_stream(body).expect("it was read before");
            let stream = String::from_utf8(stream.body.to_vec()).expect("UTF-8");
            let streamed = said.unlike(&heard_stream(client, false, &stream));
            let whole = said.unlike(&heard(client, &whole.body));
            if streamed == whole { whole } else { format!("{whole} as a stream:{streamed}") }
        }
        Told::Stream(stream) => {
            let heard = heard_stream(client, false, &streamed(&reply, pieces(stream)));
            let mut wrong = said.unlike(&heard);
            if client == Protocol::Gemini {
                let array = super::setup::reply(client, recording.protocol, true);
                let heard =
                    heard_stream(client, true, &super::setup::streamed(&array, pieces(stream)));
                wrong += &said.unlike(&heard);
            }
            wrong
        }
    }
}

/// A stream in pieces that cut through everything.
fn pieces(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    stream.chunks(97)
}

#[test]
fn a_recorded_answer_says_the_same_in_every_other_dialect() {
    let Some(all) = answered("answers in other dialects") else { return };
    let (mut heard, mut wrong, mut known) = (0, Vec::new(), 0);
    for recording in &all {
        for client in CLIENTS.into_iter().filter(|it| needs_translation(*it, recording.protocol)) {
            heard += 1;
            let unlike = catch_unwind(AssertUnwindSafe(|| unlike(recording, client)))
                .unwrap_or_else(|_| " its stream is not well made;".to_owned());
            let miss = |(name, to, _): &(&str, Protocol, &str)| {
                recording.name.ends_with(name) && *to == client
            };
            match (unlike.is_empty(), MISSES.iter().any(miss)) {
                (true, false) => {}
                (false, true) => known += 1,
                (true, true) => wrong.push(format!("{}: no miss", recording.name)),
                (false, false) => wrong.push(format!("{} for {client:?}:{unlike}", recording.name)),
            }
        }
    }
    eprintln!("{} of {heard} answers are heard as they were said", heard - wrong.len() - known);
    assert_eq!(known, MISSES.len(), "each known miss is there");
    assert!(wrong.is_empty(), "{} of {heard} are not:\n{}", wrong.len(), wrong.join("\n"));
}
