//! Nothing that comes from outside makes a translation panic, or its JSON break.
use super::frames::events;
use super::golden::{given, pairs};
use super::setup::{CLIENTS, EDITS, PROVIDERS, client, reply, streamed};
use bartizan::config::Fit;
use bartizan::providers::chat::Target;
use bartizan::providers::translate::{Protocol, Translation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use serde_json::Value;

/// Changes of a text: where, and what stands there then.
type Changes = Vec<(Index, String)>;

/// Pieces that mean something to some reader.
const WORDS: [&str; 14] = [
    "data: ", "\n\n", "\r", "[DONE]", "null", "{}", "[]", "-1", "1e400", "\"\"", "\\u0000", "{",
    "\"", ",",
];

fn changes() -> impl Strategy<Value = Changes> {
    let word = prop_oneof![select(&WORDS[..]).prop_map(str::to_owned), "\\PC{0,3}"];
    vec((any::<Index>(), word), 0..6)
}

fn changed(mut text: Vec<u8>, changes: &Changes, end: Option<Index>) -> Vec<u8> {
    for (place, word) in changes {
        let at = place.index(text.len().max(1)).min(text.len());
        let until = (at + word.len()).min(text.len());
        text.splice(at..until, word.bytes());
    }
    text.truncate(end.map_or(text.len(), |end| end.index(text.len() + 1)));
    text
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok()
}

/// Whether each event of a client's stream is JSON, or the ending.
fn is_stream(stream: &str) -> bool {
    let lines = || stream.ends_with('\n') && stream.lines().all(|line| is_json(line.as_bytes()));
    stream.is_empty()
        || stream.starts_with('{') && lines()
        || stream.ends_with("\n\n")
            && events(stream).iter().all(|it| it.data == "[DONE]" || is_json(it.data.as_bytes()))
}

fn answers(translation: Translation, body: &[u8], stream: &[u8], size: usize) -> TestCaseResult {
    let Translation { client, provider } = translation;
    let reply = reply(client, provider, false);
    let _said = reply.error(body);
    if let Ok(whole) = reply.whole(body) {
        prop_assert!(is_json(&whole.body), "{:?}", whole.body);
        let streamed = reply.as_stream(body).expect("it was read before").body;
        let streamed = String::from_utf8(streamed.to_vec()).expect("UTF-8");
        prop_assert!(is_stream(&streamed), "{streamed}");
    }
    let cut = streamed(&reply, stream.chunks(size));
    prop_assert!(is_stream(&cut), "{cut}");
    prop_assert_eq!(cut, streamed(&reply, std::iter::once(stream)));
    if client == Protocol::Gemini {
        let array = super::setup::reply(client, provider, true);
        let told = streamed(&array, stream.chunks(size));
        let whole = told.ends_with(']') && is_json(told.as_bytes());
        prop_assert!(whole || !told.ends_with(']'), "{told}");
    }
    Ok(())
}

fn asks(translation: Translation, body: &[u8]) -> TestCaseResult {
    let Ok(mut draft) = translation.read(body, &EDITS, Fit::default()) else { return Ok(()) };
    let _media = draft.media_outside();
    let target = Target {
        provider: "a-provider",
        row: None,
        model: "a-model",
        like: "a-model",
        max_output: Some(4096),
        thinks: Some(true),
        modify: true,
    };
    if let Ok(translated) = draft.write(&target, &EDITS, client(false)) {
        prop_assert!(is_json(&translated.body), "{:?}", translated.body);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_mutilated_answer_is_json_or_none(
        translation in select(pairs().collect::<Vec<_>>()),
        changes in changes(),
        end in any::<Option<Index>>(),
        size in 1..400_usize,
    ) {
        let given = |file| changed(given(translation.provider, file), &changes, end);
        answers(translation, &given("answer.in.json"), &given("stream.in.txt"), size)?;
    }

    #[test]
    fn a_mutilated_request_is_refused_or_asked(
        translation in select(pairs().collect::<Vec<_>>()),
        changes in changes(),
    ) {
        asks(translation, &changed(given(translation.client, "request.in.json"), &changes, None))?;
    }

    #[test]
    fn bytes_of_no_meaning_are_none(
        translation in select(pairs().collect::<Vec<_>>()),
        bytes in vec(any::<u8>(), 0..300),
        size in 1..40_usize,
    ) {
        answers(translation, &bytes, &bytes, size)?;
        asks(translation, &bytes)?;
    }
}

/// A document with values of wrong types in each of its places, one at a time: a third of them, in
/// turn.
fn odd(given: &[u8], turn: usize) -> impl Iterator<Item = String> {
    let odd = ["null", "true", "-7", "1e300", "\"x\"", "[]", "{}", "[{}]", "[[\"x\"]]"];
    let given: Value = serde_json::from_slice(given).expect("JSON");
    let places = places(&given).into_iter().enumerate();
    places.flat_map(move |(at, place)| {
        let given = given.clone();
        odd.into_iter().skip((at + turn) % 3).step_by(3).map(move |odd| {
            let mut wrong = given.clone();
            let value = serde_json::from_str(odd).expect("JSON");
            *wrong.pointer_mut(&place).expect("it is there") = value;
            wrong.to_string()
        })
    })
}

/// All places in a document.
fn places(value: &Value) -> Vec<String> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(all) => all.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(all) => (0..).map(|at: usize| at.to_string()).zip(all).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, member) in members {
        found.push(format!("/{name}"));
        found.extend(places(member).into_iter().map(|rest| format!("/{name}{rest}")));
    }
    found
}

#[test]
fn an_answers_members_may_have_any_type() {
    for provider in PROVIDERS {
        for (turn, client) in CLIENTS.into_iter().enumerate() {
            let reply = reply(client, provider, false);
            for body in odd(&given(provider, "answer.in.json"), turn) {
                let told = reply.whole(body.as_bytes()).map(|it| it.body).unwrap_or_default();
                assert!(told.is_empty() || is_json(&told), "{body}");
                let stream = streamed(&reply, [b"data: ", body.as_bytes(), b"\n\n"].into_iter());
                assert!(is_stream(&stream), "{body}");
            }
        }
    }
}

#[test]
fn a_requests_members_may_have_any_type() {
    for (turn, translation) in pairs().enumerate() {
        for body in odd(&given(translation.client, "request.in.json"), turn) {
            asks(translation, body.as_bytes()).expect("it is refused, or asked");
        }
    }
}
