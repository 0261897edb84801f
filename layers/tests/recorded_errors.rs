//! Recorded errors, and what they are to retry, fallback and breaker.
use bartizan_layers::facts::Cause;
use bartizan_layers::wire::cause::fault_of;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Recordings whose cause is not the one that their status has alone, by the end of their names.
const TOLD: [(&str, Cause); 9] = [
    // A key that is not known, with 400.
    ("ff4d7b", Cause::BadCredential),
    // Tokens and signatures of AWS that are not good or not good any more, with 403.
    ("d5bdf8", Cause::BadCredential),
    ("3a6de6", Cause::BadCredential),
    ("ac6793", Cause::BadCredential),
    // Too long, with 400.
    ("e6217b", Cause::ContextTooLong),
    ("5115ea", Cause::ContextTooLong),
    ("f60917", Cause::ContextTooLong),
    ("d0834f", Cause::ContextTooLong),
    // The policy of a provider behind a router, with 403.
    ("f85607", Cause::ContentFilter),
];

/// Those that tell when to ask again, in milliseconds.
const WAITS: [(&str, u64); 4] =
    [("d3daae", 0), ("56ebd6", 34_400), ("b69747", 48_000), ("b6b7a3", 60_000)];

#[test]
fn every_recorded_error_has_its_cause() {
    let mut wrong = Vec::new();
    let errors = errors();
    for (name, status, headers, body) in &errors {
        let ends = |hash: &str| name.contains(hash);
        let want = TOLD.iter().find(|(hash, _)| ends(hash));
        let want = want.map_or_else(|| Cause::of(*status), |(_, cause)| *cause);
        let fault = fault_of(*status, headers, body, now());
        if fault.cause != want {
            wrong.push(format!("{name}: {:?}, want {want:?}", fault.cause));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recorded_waits_are_found() {
    for (name, status, headers, body) in &errors() {
        let Some((_, millis)) = WAITS.iter().find(|(hash, _)| name.contains(hash)) else {
            continue;
        };
        let fault = fault_of(*status, headers, body, now());
        assert_eq!(fault.retry_after, Some(Duration::from_millis(*millis)), "{name}");
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_754_667_600)
}

type Error = (String, StatusCode, HeaderMap, Vec<u8>);

fn errors() -> Vec<Error> {
    let mut found = Vec::new();
    let Ok(providers) = std::fs::read_dir(fixtures()) else {
        eprintln!("skipped: no recordings at {}", fixtures().display());
        return found;
    };
    for provider in providers.flatten().filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(provider.path()).expect("it is a folder").flatten() {
            found.extend(error(&file.path()));
        }
    }
    assert!(found.len() > 50, "only {} errors", found.len());
    found
}

fn error(path: &Path) -> Option<Error> {
    let file: Value =
        serde_json::from_slice(&std::fs::read(path).ok()?).expect("a recording is JSON");
    let answer = &file["response"];
    let status = u16::try_from(answer["status"].as_u64()?).ok()?;
    let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 400)?;
    let body = match &answer["body_text"] {
        Value::String(text) => text.clone().into_bytes(),
        _ => answer["body"].to_string().into_bytes(),
    };
    let headers =
        answer["headers"].as_object().into_iter().flatten().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
        });
    Some((path.file_name()?.to_string_lossy().into_owned(), status, headers.collect(), body))
}

/// Only tests may look at the variables of the process; the crate itself reads none.
fn fixtures() -> PathBuf {
    let local = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    std::env::var_os("BARTIZAN_FIXTURES").map_or_else(local, PathBuf::from)
}
