//! Finds data in base64 in a text that is in pieces.
use memchr::memchr;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What stands before data: in data URLs, and as Anthropic and Gemini have it.
static URL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(";base64,"));
static MEMBER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"data\":"));

/// A shorter member called `data` may be anything.
const SHORTEST: i64 = 256;

/// Data that was found.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) pieces: i64,
    pub(super) bytes: i64,
    urls: Search,
    members: Search,
}

impl Data {
    /// Reads the next piece of the text.
    pub(super) fn read(&mut self, piece: &[u8]) {
        let (mut pieces, mut bytes) = (0, 0);
        let mut found = |len| {
            pieces += 1;
            bytes += len;
        };
        self.urls.read(&URL, Stage::Inside, piece, &mut found);
        self.members.read(&MEMBER, Stage::Before, piece, |len| {
            if len >= SHORTEST {
                found(len);
            }
        });
        self.pieces += pieces;
        self.bytes += bytes;
    }
}

/// A search for one mark.
#[derive(Debug, Default)]
struct Search {
    stage: Stage,
    /// The end of the piece before, in which a mark may have begun.
    tail: Vec<u8>,
    len: i64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    #[default]
    Outside,
    /// Between a key and its value.
    Before,
    /// In a string of data.
    Inside,
}

impl Search {
    fn read(&mut self, mark: &Finder<'_>, behind: Stage, piece: &[u8], mut found: impl FnMut(i64)) {
        let mut rest = piece;
        while !rest.is_empty() {
            match self.stage {
                Stage::Outside => {
                    let Some(next) = self.find(mark, rest) else { return };
                    rest = next;
                    self.stage = behind;
                    self.tail.clear();
                }
                Stage::Before => {
                    let (first, next) = (rest[0], &rest[1..]);
                    match first {
                        b' ' | b'\n' | b'\r' | b'\t' => rest = next,
                        b'"' => (self.stage, rest) = (Stage::Inside, next),
                        _ => self.stage = Stage::Outside,
                    }
                }
                Stage::Inside => {
                    let end = memchr(b'"', rest).unwrap_or(rest.len());
                    self.len += super::whole(end);
                    rest = &rest[end..];
                    if !rest.is_empty() {
                        found(std::mem::take(&mut self.len));
                        self.stage = Stage::Outside;
                    }
                }
            }
        }
    }

    /// What follows the next mark.
    fn find<'p>(&mut self, mark: &Finder<'_>, piece: &'p [u8]) -> Option<&'p [u8]> {
        let most = mark.needle().len() - 1;
        if !self.tail.is_empty() {
            let before = self.tail.len();
            self.tail.extend_from_slice(&piece[..piece.len().min(most)]);
            if let Some(at) = mark.find(&self.tail) {
                return piece.get(at + most + 1 - before..);
            }
            if piece.len() < most {
                self.tail.drain(..self.tail.len().saturating_sub(most));
                return None;
            }
        }
        if let Some(at) = mark.find(piece) {
            return piece.get(at + most + 1..);
        }
        self.tail.clear();
        self.tail.extend_from_slice(&piece[piece.len().saturating_sub(most)..]);
        None
    }
}
