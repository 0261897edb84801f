//! What a call says and what it is answered, where that is kept.
use super::trail::Trail;
use bartizan_layers::wire::replay::Retell;
use bytes::Bytes;

/// So many bytes of a request, and of its answer, are held until the call ends. Of larger ones
/// nothing is kept.
const MOST: usize = 256 * 1024;

/// What a call says and what it is answered. It is held until the call is booked, and no longer.
#[derive(Debug, Default)]
pub struct Words {
    request: Option<Bytes>,
    /// Makes one answer of a stream.
    retell: Option<Retell>,
    answer: Vec<Bytes>,
    size: usize,
}

impl Words {
    /// The request of a call, unless it is too large; and what makes one answer of its stream.
    #[must_use]
    pub fn new(size: usize, request: impl FnOnce() -> Bytes, retell: Option<Retell>) -> Self {
        let request = (size <= MOST).then(request);
        Self { request, retell, ..Self::default() }
    }

    /// Holds one more piece of the answer.
    pub(super) fn hear(&mut self, piece: &Bytes) {
        self.size = self.size.saturating_add(piece.len());
        if self.size <= MOST {
            self.answer.push(piece.clone());
        } else {
            self.answer = Vec::new();
        }
    }

    /// The request; `None` if it was too large.
    #[must_use]
    pub const fn request(&self) -> Option<&Bytes> {
        self.request.as_ref()
    }

    /// The whole answer; `None` if it was too large, or is a stream that tells no whole answer.
    #[must_use]
    pub fn answer(&self) -> Option<Bytes> {
        if self.size > MOST {
            return None;
        }
        let all: Bytes = self.answer.concat().into();
        match &self.retell {
            Some(retell) => retell.whole(&all),
            None => Some(all),
        }
    }
}

impl Trail {
    /// Whether what it says is kept with its answer.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.learned().words.is_some()
    }

    /// Holds a piece of its answer, where that is kept.
    pub fn hear(&self, piece: &Bytes) {
        if let Some(words) = &mut self.learned().words {
            words.hear(piece);
        }
    }
}
