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
    tail: Tail,
    len: i64,
}

/// The end of the pieces before, in which a mark may have begun.
#[derive(Debug, Default)]
struct Tail {
    bytes: [u8; 8],
    len: usize,
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
                    self.tail.len = 0;
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
        let len = mark.needle().len();
        if self.tail.len > 0
            && let Some(behind) = self.tail.find(mark, piece)
        {
            return piece.get(behind..);
        }
        if let Some(at) = mark.find(piece) {
            return piece.get(at + len..);
        }
        self.tail.push(piece, len - 1);
        None
    }
}

impl Tail {
    /// Where in `piece` a mark ends that has begun here.
    fn find(&self, mark: &Finder<'_>, piece: &[u8]) -> Option<usize> {
        let most = mark.needle().len() - 1;
        let head = &piece[..piece.len().min(most)];
        let mut joined = [0; 16];
        joined[..self.len].copy_from_slice(&self.bytes[..self.len]);
        joined[self.len..self.len + head.len()].copy_from_slice(head);
        let at = mark.find(&joined[..self.len + head.len()])?;
        Some(at + most + 1 - self.len)
    }

    /// Keeps the last `most` bytes of what it has and `piece`.
    fn push(&mut self, piece: &[u8], most: usize) {
        let new = &piece[piece.len().saturating_sub(most)..];
        let old = self.len.min(most - new.len());
        self.bytes.copy_within(self.len - old..self.len, 0);
        self.bytes[old..old + new.len()].copy_from_slice(new);
        self.len = old + new.len();
    }
}
