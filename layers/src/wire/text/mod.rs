//! A JSON text in memory: in one piece, or as the frames in which it came and an outline of them.
//!
//! The outline of a long text is the text without the insides of its long values. It is short and
//! in one piece; what is read and edited of a request is read and edited there, and the long
//! values go from frame to frame without a copy.
mod pieces;

pub use self::pieces::{NotUtf8, Pieces};

use bytes::Bytes;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text. Clones share its bytes.
///
/// ```
/// use bartizan_layers::wire::scan::{Skim, scan};
/// use bytes::Bytes;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let night = "It was a dark and stormy night. ".repeat(200);
/// let body = Bytes::from(format!(r#"{{"prompt": "{night}", "n": 1}}"#));
/// let frames = vec![body.slice(..2000), body.slice(2000..)];
/// let mut skim = Skim::default();
/// frames.iter().for_each(|frame| skim.push(frame));
/// let text = skim.into_text(frames);
/// assert_eq!(text.outline(), r#"{"prompt": "", "n": 1}"#);
/// assert!(text.is_cut(scan(text.outline())?.members()[0].value().range().start));
/// assert_eq!(text.whole(), body);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Text {
    outline: Bytes,
    /// Where the outline is not the text.
    long: Option<Arc<Long>>,
}

struct Long {
    frames: Frames,
    cuts: Vec<Cut>,
}

/// A place in the outline where bytes of the text are missing.
#[derive(Debug)]
struct Cut {
    at: usize,
    /// So many are missing here and at all places before it.
    missing: usize,
}

/// How long the outline is; what clients write is nobody's business.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("outline", &self.outline.len()).finish_non_exhaustive()
    }
}

/// A text in one piece.
impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self { outline: bytes, long: None }
    }
}

impl Text {
    /// The text of `frames`, outlined: of the `values`, which are sorted ranges of two bytes at
    /// least, only the first and the last byte remain.
    pub(super) fn outlined(frames: Vec<Bytes>, values: &[Range<usize>]) -> Self {
        let frames = Frames::new(frames);
        if values.is_empty() {
            return frames.copy(0..frames.len()).into();
        }
        let (mut outline, mut cuts) = (Vec::new(), Vec::with_capacity(values.len()));
        let (mut at, mut missing) = (0, 0);
        for value in values {
            frames.visit(at..value.start + 1, |frame, range| {
                outline.extend_from_slice(&frame[range]);
            });
            missing += value.len() - 2;
            cuts.push(Cut { at: outline.len(), missing });
            at = value.end - 1;
        }
        frames.visit(at..frames.len(), |frame, range| outline.extend_from_slice(&frame[range]));
        Self { outline: outline.into(), long: Some(Arc::new(Long { frames, cuts })) }
    }

    /// The text, or its outline.
    #[must_use]
    pub const fn outline(&self) -> &Bytes {
        &self.outline
    }

    /// Whether the value that begins at `start` of the outline is longer in the text.
    #[must_use]
    pub fn is_cut(&self, start: usize) -> bool {
        let Some(long) = &self.long else { return false };
        long.cuts.binary_search_by_key(&(start + 1), |cut| cut.at).is_ok()
    }

    /// How many values are longer in the text than in the outline.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.long.as_ref().map_or(0, |long| long.cuts.len())
    }

    /// The length of the text in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.long.as_ref().map_or(self.outline.len(), |long| long.frames.len())
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text in one piece: a copy, if it is in frames.
    #[must_use]
    pub fn whole(&self) -> Bytes {
        match &self.long {
            None => self.outline.clone(),
            Some(long) => long.frames.copy(0..long.frames.len()),
        }
    }

    /// Visits the pieces of the text that stand at `range` of the outline: bytes, and the range of
    /// them that belongs to it. The range must not begin or end inside of a value.
    #[inline]
    pub(super) fn visit(&self, range: Range<usize>, mut visit: impl FnMut(&Bytes, Range<usize>)) {
        match &self.long {
            None => visit(&self.outline, range),
            Some(long) => long.frames.visit(long.place(range.start)..long.place(range.end), visit),
        }
    }
}

impl Long {
    /// Where the byte at `place` of the outline stands in the text.
    fn place(&self, place: usize) -> usize {
        let before = self.cuts.partition_point(|cut| cut.at < place);
        let cut = before.checked_sub(1).and_then(|last| self.cuts.get(last));
        place + cut.map_or(0, |cut| cut.missing)
    }
}

/// Pieces of a text, each with its end in it.
#[derive(Debug)]
struct Frames(Vec<(usize, Bytes)>);

impl Frames {
    fn new(frames: Vec<Bytes>) -> Self {
        let ends = frames.iter().scan(0, |end, frame| {
            *end += frame.len();
            Some(*end)
        });
        Self(ends.collect::<Vec<_>>().into_iter().zip(frames).collect())
    }

    fn len(&self) -> usize {
        self.0.last().map_or(0, |(end, _)| *end)
    }

    fn visit(&self, range: Range<usize>, mut visit: impl FnMut(&Bytes, Range<usize>)) {
        let mut at = range.start;
        let first = self.0.partition_point(|(end, _)| *end <= at);
        for (end, frame) in self.0.iter().skip(first) {
            if at >= range.end {
                break;
            }
            let start = end - frame.len();
            let stop = range.end.min(*end);
            visit(frame, at - start..stop - start);
            at = stop;
        }
    }

    /// The bytes at `range` in one piece.
    fn copy(&self, range: Range<usize>) -> Bytes {
        if let [(_, only)] = &*self.0 {
            return only.slice(range);
        }
        let mut copy = Vec::with_capacity(range.len());
        self.visit(range, |frame, range| copy.extend_from_slice(&frame[range]));
        copy.into()
    }
}

#[cfg(test)]
mod tests;
