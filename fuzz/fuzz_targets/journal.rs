//! Whatever stands in a journal is read to its end; what was written is told from what was changed
//! afterwards, and one damaged line hides no other.
#![no_main]
use bartizan::ledger::{Verified, verify};
use libfuzzer_sys::fuzz_target;
use std::io::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Beyond this an input costs more than it finds.
const LONGEST: usize = 4096;

/// A file of this process, in memory where the system has such a place.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = PathBuf::from("/dev/shm");
    let directory = if shared.is_dir() { shared } else { std::env::temp_dir() };
    directory.join(format!("bartizan-fuzz-journal-{}", std::process::id()))
});

fuzz_target!(|data: &[u8]| {
    if data.len() > LONGEST {
        return;
    }
    as_it_is(data);
    written(data);
});

/// Any bytes.
fn as_it_is(data: &[u8]) {
    let found = read(&[data]);
    let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64;
    let last = data.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    assert!(found.records + found.damaged <= lines);
    assert_eq!(found.torn, (data.len() - last) as u64);
    if last == data.len() {
        let more = read(&[data, b"no line of ours\n"]);
        assert_eq!((more.records, more.damaged), (found.records, found.damaged + 1));
    }
}

/// Records with these payloads, as they were written and with one byte changed.
fn written(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // What may be the head of another file is none of them.
    let payloads: Vec<_> = text.lines().filter(|line| !line.contains("journal") && !line.contains("\\u")).collect();
    let mut previous = "0".repeat(64);
    let head = format!(r#"{{"journal":"j","segment":1,"previous":"{previous}","format":1}}"#);
    let mut file = Vec::new();
    let mut begins = Vec::new();
    for payload in std::iter::once(&*head).chain(payloads.iter().copied()) {
        begins.push(file.len());
        let hash = blake3::hash(format!("{previous}{payload}").as_bytes());
        previous = hash.to_hex().to_string();
        file.extend_from_slice(format!("{previous} {payload}\n").as_bytes());
    }
    let records = payloads.len() as u64;
    assert_eq!(read(&[&file]), Verified { records, damaged: 0, torn: 0 });
    let Some(from) = begins.get(1).copied() else { return };
    let chosen = data.iter().fold(data.len(), |sum, byte| sum.wrapping_mul(31) + usize::from(*byte));
    let at = from + chosen % (file.len() - from);
    // Lines stay lines.
    if file[at] == b'\n' || file[at] ^ 1 == b'\n' {
        return;
    }
    file[at] ^= 1;
    let found = read(&[&file]);
    assert_eq!((found.records, found.damaged), (records - 1, 1));
}

fn read(pieces: &[&[u8]]) -> Verified {
    let mut file = std::fs::File::create(&*FILE).expect("a place for a file");
    pieces.iter().for_each(|piece| file.write_all(piece).expect("it can be written"));
    verify(&FILE).expect("it can be read")
}
