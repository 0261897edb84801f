//! Recorded answers, told as streams and put together again.
use bartizan_layers::wire::replay::{Form, Retell};
use bytes::Bytes;
use serde_json::Value;
use std::path::{Path, PathBuf};

struct Recorded {
    name: String,
    form: Form,
    stream: bool,
    body: Bytes,
}

/// Recordings that have no other form, by the end of their names: cut, failed or refused, without
/// an ending, or with audio.
const UNTOLD: [&str; 12] = [
    "2ec4d1", "b9ad63", "af3d0b", "6509d2", "b3fdef", "c3529d", "cf89d9", "712168", "d16ac8",
    "501342", "ca6a3a", "da0bb8",
];

#[test]
fn recorded_answers_keep_their_meaning_both_ways() {
    let mut wrong = Vec::new();
    for Recorded { name, form, stream, body } in recordings() {
        let retell = Retell::new(form).usage_event(true);
        let whole = if stream { retell.whole(&body) } else { Some(body) };
        let again = whole.as_ref().and_then(|whole| retell.stream(whole));
        let again = again.and_then(|stream| retell.whole(&stream));
        let (whole, again) = (whole.as_ref().map(plain), again.as_ref().map(plain));
        let untold = UNTOLD.iter().any(|hash| name.contains(hash));
        if again.is_none() != untold || (!untold && again != whole) {
            wrong.push(format!("{name}: {whole:?} is told as {again:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The answer without what the other form has no place for.
fn plain(answer: &Bytes) -> Value {
    let mut answer = told(serde_json::from_slice(answer).expect("it is JSON"));
    answer.as_object_mut().expect("an answer is an object").remove("object");
    answer
}

/// Without members that say nothing.
fn told(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, told(value)));
            Value::Object(
                members.filter(|(name, value)| !value.is_null() && name != "delta").collect(),
            )
        }
        Value::Array(items) => {
            let call = |item: &Value| item.get("function").is_some();
            let items = items.into_iter().map(told).map(|mut item| {
                if call(&item) {
                    item.as_object_mut().and_then(|call| call.remove("index"));
                }
                item
            });
            Value::Array(items.collect())
        }
        value => value,
    }
}

fn recordings() -> Vec<Recorded> {
    let Ok(providers) = std::fs::read_dir(fixtures()) else {
        eprintln!("skipped: no recordings at {}", fixtures().display());
        return Vec::new();
    };
    let providers = providers.flatten().filter(|entry| entry.path().is_dir());
    let files = providers
        .flat_map(|provider| std::fs::read_dir(provider.path()).expect("it is a folder").flatten());
    let mut found: Vec<_> = files.filter_map(|file| recording(&file.path())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn recording(path: &Path) -> Option<Recorded> {
    let file: Value =
        serde_json::from_slice(&std::fs::read(path).ok()?).expect("a recording is JSON");
    let (endpoint, response) = (file["endpoint"].as_str()?, &file["response"]);
    endpoint.strip_prefix("POST ")?;
    let form = if endpoint.ends_with("/responses") {
        Form::Responses
    } else if endpoint.ends_with("/messages") {
        Form::Messages
    } else if endpoint.ends_with("/chat/completions") {
        Form::Chat
    } else if endpoint.ends_with("/completions") {
        Form::Completions
    } else {
        return None;
    };
    let stream = response["body_text"].as_str().filter(|text| text.contains("data:"));
    let body = match stream {
        _ if response["status"] != 200 => return None,
        Some(text) => text.to_owned(),
        None if response["body"].is_object() => response["body"].to_string(),
        None => return None,
    };
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(Recorded { name, form, stream: stream.is_some(), body: body.into() })
}

/// Only tests may look at the variables of the process; the crate itself reads none.
fn fixtures() -> PathBuf {
    let local = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    std::env::var_os("BARTIZAN_FIXTURES").map_or_else(local, PathBuf::from)
}
