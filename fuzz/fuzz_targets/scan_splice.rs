//! The scanner sees what `serde_json` sees wherever that is content, and edits change what they
//! name and nothing else.
#![no_main]
use bartizan_layers::wire::{scan::scan, splice::Splice, text::Text};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let scanned = scan(data);
    let Ok(oracle) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let object = scanned.expect("the oracle read it");
    let mut seen = Map::new();
    for member in object.members() {
        let value: Value =
            serde_json::from_slice(member.value().raw()).expect("the oracle read it");
        assert_eq!(member.value().as_str().as_deref(), value.as_str());
        assert_eq!(member.value().as_bool(), value.as_bool());
        seen.insert(String::from_utf8(member.key().to_vec()).unwrap(), value);
    }
    assert_eq!(seen, oracle);
    if object.members().len() == oracle.len() {
        splice(data, &oracle);
    }
});

/// Removes every third member, replaces every other third, and adds one.
fn splice(data: &[u8], oracle: &Map<String, Value>) {
    let text = Text::from(Bytes::copy_from_slice(data));
    let object = scan(text.outline()).expect("it was scanned before");
    let mut want = oracle.clone();
    let mut splice = Splice::new(&object);
    for (index, member) in object.members().iter().enumerate() {
        match (index + data.len()) % 3 {
            0 => {
                splice.remove(index);
                want.remove(std::str::from_utf8(member.key()).unwrap());
            }
            1 => {
                splice.replace(index, "7");
                want.insert(String::from_utf8(member.key().to_vec()).unwrap(), 7.into());
            }
            _ => {}
        }
    }
    splice.insert("\"added\"", "[]");
    want.insert("\"added\"".to_owned(), Value::Array(Vec::new()));
    let edited: Map<String, Value> =
        serde_json::from_slice(&splice.bytes(&text)).expect("an edit keeps it JSON");
    assert_eq!(edited, want);
}
