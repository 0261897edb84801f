//! What a whole JSON answer tells.
use super::Wire;
use super::key::behind_colon;
use super::learned::Learned;
use crate::wire::scan::value;
use bytes::Bytes;
use memchr::memmem;

/// Of a whole answer, at least this many of the last bytes are kept: 1 MiB.
const WHOLE_KEPT: usize = 1024 * 1024;

impl Learned {
    /// Takes in a whole answer, or the end of one that was too long to be kept.
    pub(super) fn whole(&mut self, body: &[u8]) {
        let key = if self.wire == Wire::Gemini { "usageMetadata" } else { "usage" };
        if !body.trim_ascii_start().starts_with(b"{") {
            let quoted = format!("\"{key}\"");
            let Some(at) = memmem::rfind(body, quoted.as_bytes()) else { return };
            return self.used(value(behind_colon(&body[at + quoted.len()..])));
        }
        let (mut usage, mut failed) = (None, false);
        for (name, value) in value(body).members() {
            match &*name {
                name if name == key.as_bytes() => usage = Some(value),
                b"error" => failed |= !value.is_null(),
                name => {
                    self.ending(name, value);
                    self.written.whole(self.wire, name, value);
                }
            }
        }
        match usage {
            Some(usage) => self.used(usage),
            None => self.begun = !failed,
        }
        if self.wire == Wire::Responses {
            self.response(value(body));
        }
    }
}

/// Keeps the last frames of a whole answer.
pub(super) fn keep(frames: &mut Vec<Bytes>, len: &mut usize, frame: &Bytes) {
    frames.push(frame.clone());
    *len += frame.len();
    let mut surplus = 0;
    while let Some(first) = frames.get(surplus).filter(|first| *len - first.len() >= WHOLE_KEPT) {
        *len -= first.len();
        surplus += 1;
    }
    frames.drain(..surplus);
}

pub(super) fn join(mut frames: Vec<Bytes>) -> Bytes {
    match frames.len() {
        1 => frames.pop().unwrap_or_default(),
        _ => frames.concat().into(),
    }
}
