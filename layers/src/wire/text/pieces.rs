//! A body while it comes, frame by frame. What comes is checked and skimmed at once, while it is
//! still in the processor's cache, and large frames are kept as they are.
use super::Text;
use crate::wire::scan::{Skim, scan};
use bytes::{Bytes, BytesMut};
use simdutf8::basic::from_utf8;
use thiserror::Error;

/// Frames below this size are copied together: each may hold on to a buffer of the connection
/// that is many times its size.
const LARGE: usize = 16 * 1024;

/// Small frames are gathered in pieces of this size.
const PIECE: usize = 64 * 1024;

/// The members whose values nobody reads before they are sent: of them an outline will do.
const UNREAD: [&[u8]; 7] =
    [b"messages", b"prompt", b"input", b"contents", b"system", b"tools", b"instructions"];

/// A body is not UTF-8, as JSON has to be (RFC 8259, 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("invalid utf-8 sequence")]
pub struct NotUtf8;

/// What has come of a body. A single frame is not copied, and not looked at.
///
/// ```
/// use bartizan_layers::wire::text::Pieces;
/// use bytes::Bytes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut pieces = Pieces::default();
/// for frame in [r#"{"prompt":"Hel"#, r#"lo"}"#] {
///     pieces.push(Bytes::from(frame), 0);
/// }
/// assert_eq!(pieces.into_text()?.whole(), r#"{"prompt":"Hello"}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Pieces(Came);

#[derive(Debug)]
enum Came {
    One(Bytes),
    Many(Box<Frames>),
}

impl Default for Pieces {
    fn default() -> Self {
        Bytes::new().into()
    }
}

/// A body that came at once.
impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self(Came::One(bytes))
    }
}

impl Pieces {
    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Came::One(bytes) => bytes.len(),
            Came::Many(frames) => frames.len,
        }
    }

    /// Whether nothing has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a frame to a body that will have `announced` bytes at least.
    pub fn push(&mut self, frame: Bytes, announced: usize) {
        match &mut self.0 {
            Came::One(first) if first.is_empty() => *first = frame,
            Came::One(first) => {
                let mut frames = Box::<Frames>::default();
                frames.push(std::mem::take(first), announced);
                frames.push(frame, announced);
                self.0 = Came::Many(frames);
            }
            Came::Many(frames) => frames.push(frame, announced),
        }
    }

    /// The body in one piece.
    #[must_use]
    pub fn whole(self) -> Bytes {
        match self.0 {
            Came::One(bytes) => bytes,
            Came::Many(frames) => frames.kept().concat().into(),
        }
    }

    /// The body as a text, in frames if only what nobody reads is left out of its outline.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn into_text(self) -> Result<Text, NotUtf8> {
        match self.0 {
            Came::One(bytes) => {
                check(&bytes)?;
                Ok(bytes.into())
            }
            Came::Many(frames) => frames.into_text(),
        }
    }
}

fn check(bytes: &[u8]) -> Result<(), NotUtf8> {
    from_utf8(bytes).map(|_| ()).map_err(|_| NotUtf8)
}

/// The frames of a body, and what is known of them.
#[derive(Debug, Default)]
struct Frames {
    kept: Vec<Bytes>,
    /// Small frames that came behind those.
    small: BytesMut,
    len: usize,
    characters: Characters,
    skim: Skim,
}

impl Frames {
    fn push(&mut self, frame: Bytes, announced: usize) {
        self.characters.push(&frame);
        self.skim.push(&frame);
        if frame.len() >= LARGE {
            self.keep_small();
            self.len += frame.len();
            self.kept.push(frame);
            return;
        }
        if self.small.capacity() - self.small.len() < frame.len() {
            self.keep_small();
            let expected = announced.saturating_sub(self.len).max(self.len);
            self.small.reserve(expected.clamp(frame.len(), PIECE));
        }
        self.len += frame.len();
        self.small.extend_from_slice(&frame);
    }

    /// Keeps the small frames in a buffer that is half full at least.
    fn keep_small(&mut self) {
        if self.small.is_empty() {
            return;
        }
        if self.small.len() < self.small.capacity() / 2 {
            self.kept.push(Bytes::copy_from_slice(&self.small));
            self.small.clear();
        } else {
            self.kept.push(std::mem::take(&mut self.small).freeze());
        }
    }

    fn kept(mut self) -> Vec<Bytes> {
        self.keep_small();
        self.kept
    }

    fn into_text(mut self) -> Result<Text, NotUtf8> {
        self.keep_small();
        let Self { kept, characters, skim, .. } = self;
        let text = skim.into_text(kept);
        if !characters.are_whole() {
            check(&text.whole())?;
        }
        Ok(if is_readable(&text) { text } else { text.whole().into() })
    }
}

/// Whether all that is read of a text stands in its outline. Faults are explained by the whole.
fn is_readable(text: &Text) -> bool {
    if text.cuts() == 0 {
        return true;
    }
    let Ok(object) = scan(text.outline()) else { return false };
    let unread = object.members().iter().filter(|member| UNREAD.contains(&member.key()));
    unread.filter(|member| text.is_cut(member.value().range().start)).count() == text.cuts()
}

/// Checks that frames are UTF-8, wherever characters are cut.
#[derive(Debug, Default)]
struct Characters {
    /// What has come of the last character, if it has not come whole.
    part: Vec<u8>,
    is_broken: bool,
}

impl Characters {
    fn push(&mut self, mut frame: &[u8]) {
        while let Some((byte, rest)) = frame.split_first().filter(|_| !self.part.is_empty()) {
            self.part.push(*byte);
            self.judge_part();
            frame = rest;
        }
        let (whole, part) = frame.split_at(whole_characters(frame));
        self.is_broken = self.is_broken || from_utf8(whole).is_err();
        self.part.extend_from_slice(part);
        self.judge_part();
    }

    /// Lets go of a part that has become whole, or never will.
    fn judge_part(&mut self) {
        match std::str::from_utf8(&self.part) {
            Err(error) if error.error_len().is_none() => return,
            Err(_) => self.is_broken = true,
            Ok(_) => {}
        }
        self.part.clear();
    }

    fn are_whole(&self) -> bool {
        !self.is_broken && self.part.is_empty()
    }
}

/// The length of `bytes` without a last character that may have come in part.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4).position(|byte| !(0x80..0xc0).contains(byte));
    match last.map(|behind| bytes.len() - 1 - behind) {
        Some(last) if bytes[last] >= 0xc0 => last,
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests;
