//! The chain of hashes that binds each line of a journal to all before it.
use blake3::Hasher;

/// A BLAKE3 in lower-case hexadecimal.
pub(super) type Hex = [u8; 64];

/// What the first segment of a journal follows.
pub(super) const GENESIS: Hex = [b'0'; 64];

/// Parts a line's hash from its payload.
const SPACE: u8 = b' ';

/// The hash of a payload that follows a line with the hash `previous`.
pub(super) fn hash(previous: &Hex, payload: &[u8]) -> Hex {
    let mut hasher = Hasher::new();
    hasher.update(previous).update(payload);
    let mut hex = [0; 64];
    hex.copy_from_slice(hasher.finalize().to_hex().as_bytes());
    hex
}

/// Makes `out` the line of a payload, and returns its hash.
pub(super) fn line(out: &mut Vec<u8>, previous: &Hex, payload: &[u8]) -> Hex {
    let hash = hash(previous, payload);
    out.clear();
    out.extend_from_slice(&hash);
    out.push(SPACE);
    out.extend_from_slice(payload);
    out.push(b'\n');
    hash
}

/// The hash and the payload of a line without its end.
pub(super) fn parts(line: &[u8]) -> Option<(Hex, &[u8])> {
    let (hash, rest) = line.split_first_chunk::<64>()?;
    Some((*hash, rest.strip_prefix(&[SPACE])?))
}

/// A hash as text.
pub(super) fn text(hash: &Hex) -> &str {
    std::str::from_utf8(hash).unwrap_or_default()
}

/// A hash from a text.
pub(super) fn parse(text: &str) -> Option<Hex> {
    text.as_bytes().try_into().ok()
}
