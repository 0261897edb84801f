//! What keys are found by.

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// Hexadecimal, as it is spelt everywhere: in lower case.
#[must_use]
pub(super) fn digest_of(id: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if id.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(id.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| match pair[at] {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(digest)
}
