//! Decodes compressed request bodies, under the same cap as plain ones.
use super::budget::Share;
use super::ingest::IngestError;
use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::HeaderValue;
use std::io::Read;

/// A `content-encoding` that is decoded (RFC 9110 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inflate {
    Gzip,
    Deflate,
    Identity,
}

impl Inflate {
    pub(super) fn of(encoding: &HeaderValue) -> Option<Self> {
        match encoding.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "identity" | "" => Some(Self::Identity),
            _ => None,
        }
    }
}

/// The decoded bytes, `cap` at most: a small body that unfolds into a huge one is refused.
pub(super) fn inflate(
    encoding: Inflate,
    bytes: &Bytes,
    cap: usize,
    share: &Share,
) -> Result<Bytes, IngestError> {
    match encoding {
        Inflate::Identity => Ok(bytes.clone()),
        Inflate::Gzip => read(MultiGzDecoder::new(&bytes[..]), cap, share),
        Inflate::Deflate => read(ZlibDecoder::new(&bytes[..]), cap, share),
    }
}

fn read(mut decoder: impl Read, cap: usize, share: &Share) -> Result<Bytes, IngestError> {
    let mut out = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let got = decoder.read(&mut piece).map_err(|error| IngestError::Broken(error.into()))?;
        if got == 0 {
            return Ok(out.into());
        }
        if out.len() + got > cap {
            return Err(IngestError::TooLarge(cap));
        }
        if !share.grow_to(out.len() + got) {
            return Err(IngestError::NoMemory);
        }
        out.extend_from_slice(piece.get(..got).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{Inflate, inflate};
    use crate::edge::Budget;
    use crate::edge::ingest::IngestError;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn a_small_body_that_unfolds_into_a_huge_one_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        let bomb = encoder.finish().unwrap().into();
        let share = Budget::new(1 << 20).share();
        let error = inflate(Inflate::Gzip, &bomb, 1 << 16, &share).unwrap_err();
        assert!(matches!(error, IngestError::TooLarge(65_536)));
        let share = Budget::new(1 << 16).share();
        let error = inflate(Inflate::Gzip, &bomb, 1 << 24, &share).unwrap_err();
        assert!(matches!(error, IngestError::NoMemory));
        let share = Budget::new(1 << 20).share();
        let whole = inflate(Inflate::Gzip, &bomb, 1 << 24, &share).unwrap();
        assert_eq!(whole.len(), 1 << 20);
    }
}
