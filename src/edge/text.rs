//! A body while it comes, frame by frame. What comes is checked and skimmed at once, while it is
//! still in the processor's cache.
use bartizan_layers::wire::scan::{Invalid, Object, Skim, scan_skimmed};
use bytes::{Bytes, BytesMut};

/// What is known of a body so far.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// So many bytes are whole characters.
    valid: usize,
    /// A byte behind those is wrong.
    is_broken: bool,
    skim: Skim,
}

impl Text {
    /// Reads on in a body of which `bytes` have come.
    fn push(&mut self, bytes: &[u8]) {
        self.skim.push(bytes);
        let more = bytes.get(self.valid..whole_characters(bytes)).unwrap_or_default();
        if self.is_broken {
            return;
        }
        match simdutf8::basic::from_utf8(more) {
            Ok(more) => self.valid += more.len(),
            Err(_) => self.is_broken = true,
        }
    }

    /// Checks what is left to check of a body that has come whole.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<(), simdutf8::basic::Utf8Error> {
        simdutf8::basic::from_utf8(bytes.get(self.valid..).unwrap_or_default()).map(drop)
    }

    /// Scans a body that has come whole.
    pub(super) fn scan<'a>(&self, bytes: &'a [u8]) -> Result<Object<'a>, Invalid> {
        scan_skimmed(bytes, &self.skim)
    }
}

/// The length of `bytes` without a character that has come in part.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4).position(|byte| !(0x80..0xc0).contains(byte));
    match last.map(|behind| bytes.len() - 1 - behind) {
        Some(last) if bytes[last] >= 0xc0 => last,
        _ => bytes.len(),
    }
}

/// Frames that become one piece. A single frame is not copied, and not looked at.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Bytes,
    rest: BytesMut,
    text: Text,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    /// Adds a frame to a body that will have `announced` bytes at least.
    pub(super) fn push(&mut self, frame: Bytes, announced: usize) {
        if self.len() == 0 {
            self.first = frame;
            return;
        }
        if self.rest.is_empty() {
            self.rest.reserve(announced.max(self.first.len() + frame.len()));
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
            self.text.push(&self.rest);
        }
        self.rest.extend_from_slice(&frame);
        self.text.push(&self.rest);
    }

    pub(super) fn into_whole(self) -> (Bytes, Text) {
        let whole = if self.rest.is_empty() { self.first } else { self.rest.freeze() };
        (whole, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pieces, Text};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn gathered<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> (Bytes, Text) {
        let mut pieces = Pieces::default();
        for frame in frames {
            pieces.push(Bytes::copy_from_slice(frame), 0);
        }
        pieces.into_whole()
    }

    proptest! {
        #[test]
        fn characters_are_judged_the_same_however_they_are_cut(
            text in "[a\u{e9}\u{20ac}\u{1f600}]{0,40}",
            fault in prop::option::of((any::<prop::sample::Index>(), 0x80u8..)),
            frames in prop::collection::vec(1..7usize, 1..9),
        ) {
            let mut text = text.into_bytes();
            if let Some((at, byte)) = fault.filter(|_| !text.is_empty()) {
                let at = at.index(text.len());
                text[at] = byte;
            }
            let (mut cut, mut rest) = (Vec::new(), &text[..]);
            for frame in frames.into_iter().cycle() {
                let (frame, later) = rest.split_at(frame.min(rest.len()));
                cut.push(frame);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let (whole, known) = gathered(cut);
            prop_assert_eq!(&whole, &text);
            prop_assert_eq!(known.check(&whole).is_ok(), std::str::from_utf8(&text).is_ok());
        }
    }

    #[test]
    fn a_body_in_one_frame_is_not_copied() {
        let frame = Bytes::from_static(b"{}");
        let mut pieces = Pieces::default();
        pieces.push(Bytes::new(), 2);
        pieces.push(frame.clone(), 2);
        let (whole, text) = pieces.into_whole();
        assert_eq!(whole.as_ptr(), frame.as_ptr());
        assert!(text.check(&whole).is_ok() && text.scan(&whole).is_ok());
    }
}
