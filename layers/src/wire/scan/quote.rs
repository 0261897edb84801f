//! Finds where a JSON string ends.
use memchr::memchr;

/// Steps that are made in registers, a word or an escape each: most strings are shorter than the
/// start-up of a vectorised search. One that has escapes early on will have more of them, at each
/// of which such a search would stop.
const STEPS: usize = 4;
const STEPS_WITH_ESCAPES: usize = 20;

/// The quote that ends the string whose text begins at `start`. One that stands behind an odd
/// number of backslashes is escaped, and no other escape matters here.
#[inline]
pub(in crate::wire) fn closing_quote(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut step, mut steps) = (start, 0, STEPS);
    while step < steps {
        let Some(word) = word(bytes, at) else { break };
        let marks = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
        if marks == 0 {
            at += 8;
        } else {
            at += first_mark(marks);
            if bytes.get(at) == Some(&b'"') {
                return Some(at);
            }
            at += 2;
            steps = STEPS_WITH_ESCAPES;
        }
        step += 1;
    }
    closing_quote_from(bytes, start, at)
}

/// The quote that ends the string whose text begins at `start`, if that text needs no unescaping.
/// A string near the end of `bytes` is not looked at.
#[inline]
pub(super) fn plain_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let word = word(bytes, at)?;
        let marks = equal_bytes(word, b'"') | equal_bytes(word, b'\\') | control_bytes(word);
        if marks != 0 {
            at += first_mark(marks);
            return (bytes.get(at) == Some(&b'"')).then_some(at);
        }
        at += 8;
    }
}

/// Like [`closing_quote`], where the bytes before `from` are known not to end the string.
pub(super) fn closing_quote_from(bytes: &[u8], start: usize, from: usize) -> Option<usize> {
    let quote = from + memchr(b'"', bytes.get(from..)?)?;
    if !is_escaped(bytes, start, quote) {
        return Some(quote);
    }
    closing_quote_behind(bytes, start, quote)
}

/// Like [`closing_quote`], behind an escaped quote: more of them will follow, and a search that
/// stops at each of them would cost more than to look at every byte.
fn closing_quote_behind(bytes: &[u8], start: usize, mut escaped: usize) -> Option<usize> {
    loop {
        let at = pass_blocks(bytes, escaped + 1);
        let quote = at + memchr(b'"', bytes.get(at..)?)?;
        if !is_escaped(bytes, start, quote) {
            return Some(quote);
        }
        escaped = quote;
    }
}

/// Bytes that are judged together; the compiler makes a few vector instructions of each block.
const BLOCK: usize = 64;

/// Blocks until a plain search is tried again: it is faster where no quotes are.
const MOST_BLOCKS: usize = 32;

/// Passes blocks from `at` on, which is behind an escaped quote, that cannot hold the end of a
/// string. It never passes two backslashes in a row, so a quote behind one backslash is escaped.
fn pass_blocks(bytes: &[u8], mut at: usize) -> usize {
    for _ in 0..MOST_BLOCKS {
        let before = bytes.get(at - 1..).and_then(<[u8]>::first_chunk);
        let here = bytes.get(at..).and_then(<[u8]>::first_chunk);
        match (before, here) {
            (Some(before), Some(here)) if !may_end(before, here) => at += BLOCK,
            _ => break,
        }
    }
    at
}

/// Whether `here` has a quote without a backslash before it, or a backslash with one. `before` is
/// the same text, one byte earlier. Indices and not a `zip`, which may stay a call and then keeps
/// vector instructions out.
#[inline]
fn may_end(before: &[u8; BLOCK], here: &[u8; BLOCK]) -> bool {
    let mut found = false;
    for at in 0..BLOCK {
        // Behind a backslash the two marks change places.
        let swap = if before[at] == b'\\' { b'\\' ^ b'"' } else { 0 };
        found |= here[at] ^ swap == b'"';
    }
    found
}

/// Whether the byte at `at` is escaped in a string whose text begins at `start`.
#[inline]
pub(super) fn is_escaped(bytes: &[u8], start: usize, at: usize) -> bool {
    let before = bytes.get(start..at).unwrap_or_default();
    before.ends_with(b"\\")
        && before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

const LOW: u64 = u64::from_le_bytes([1; 8]);
const HIGH: u64 = LOW << 7;

/// The eight bytes from `at` on.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The place of the lowest mark.
const fn first_mark(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// Marks bytes of `word` that equal `byte` in their high bit. The lowest mark is exact, which is
/// all that a search for the first hit needs.
const fn equal_bytes(word: u64, byte: u8) -> u64 {
    let zeroed = word ^ (LOW * byte as u64);
    zeroed.wrapping_sub(LOW) & !zeroed & HIGH
}

/// Marks bytes of `word` below the blank, like [`equal_bytes`].
const fn control_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW * b' ' as u64) & !word & HIGH
}
