//! Reads AWS's event stream encoding (`application/vnd.amazon.eventstream`) from frames that are cut
//! anywhere: <https://smithy.io/2.0/aws/amazon-eventstream.html>.
//!
//! A message is a prelude (its length, that of its headers, and a checksum of both), headers, a
//! payload and a checksum of all that. A message within one frame is borrowed from it; one that
//! straddles two is copied. Nothing is told of a message before both checksums were right, and
//! nothing at all behind one that was not: where the next one would begin is unknown then.
//!
//! ```
//! use bartizan_layers::wire::eventstream::{Kind, Messages, encode};
//!
//! let bytes = encode(&[(":message-type", "event"), (":event-type", "ping")], b"{}");
//! let mut messages = Messages::up_to(1024);
//! let mut seen = Vec::new();
//! for frame in bytes.chunks(5) {
//!     messages.push(frame, |message| {
//!         assert_eq!(message.kind(), Kind::Event("ping"));
//!         seen.push(message.payload.to_vec());
//!     })?;
//! }
//! messages.finish()?;
//! assert_eq!(seen, [b"{}"]);
//! # Ok::<(), bartizan_layers::wire::eventstream::Broken>(())
//! ```
mod headers;
#[cfg(test)]
mod tests;
mod write;

pub use self::headers::Headers;
pub use self::write::encode;

/// The length of the message, that of its headers, and their checksum.
const PRELUDE: usize = 12;

/// A checksum (CRC-32, as of gzip).
const CHECKSUM: usize = 4;

/// What a buffer keeps for the next message once a long one is over.
const KEPT: usize = 16 * 1024;

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A checksum is wrong, or a length that it vouches for cannot be.
    #[error("a message of the event stream is damaged")]
    Damaged,
    /// A message is longer than it may be.
    #[error("a message of the event stream is too long")]
    TooLong,
    /// The stream ends within a message.
    #[error("the event stream ends within a message")]
    Cut,
}

/// A message whose checksums are right.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// What is said about the payload.
    pub headers: Headers<'m>,
    /// What it says: JSON mostly.
    pub payload: &'m [u8],
}

/// What a message is, by its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'m> {
    /// An event with this name.
    Event(&'m str),
    /// A failure that the service's model names; its payload says more. Nothing follows.
    Exception(&'m str),
    /// A failure that it does not name: its code and its words. Nothing follows.
    Error {
        /// `:error-code`.
        code: &'m str,
        /// `:error-message`.
        message: &'m str,
    },
}

/// The reader's state between two frames. Holds at most one message that is not over.
#[derive(Debug)]
pub struct Messages {
    longest: usize,
    /// The begun message, when it began in an earlier frame.
    carry: Vec<u8>,
    broken: Option<Broken>,
}

impl Messages {
    /// At the start of a stream whose messages have at most this many bytes.
    #[must_use]
    pub const fn up_to(longest: usize) -> Self {
        Self { longest, carry: Vec::new(), broken: None }
    }

    /// How many bytes it has taken to keep what is begun.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.carry.capacity()
    }

    /// Reads the next frame and hands over each message that ends in it.
    ///
    /// # Errors
    /// If it cannot be read on, now and ever after.
    pub fn push(&mut self, frame: &[u8], mut each: impl FnMut(Message<'_>)) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let read = self.read(frame, &mut each);
        if let Err(broken) = read {
            self.broken = Some(broken);
            self.carry = Vec::new();
        }
        read
    }

    /// The stream ended.
    ///
    /// # Errors
    /// If it ended within a message, or was broken before.
    pub fn finish(&self) -> Result<(), Broken> {
        match self.broken {
            Some(broken) => Err(broken),
            None if self.carry.is_empty() => Ok(()),
            None => Err(Broken::Cut),
        }
    }

    fn read(&mut self, mut frame: &[u8], each: &mut impl FnMut(Message<'_>)) -> Result<(), Broken> {
        while !self.carry.is_empty() {
            let length = self.length(&self.carry)?;
            let missing = length.unwrap_or(PRELUDE).saturating_sub(self.carry.len());
            let (head, rest) = frame.split_at(missing.min(frame.len()));
            self.carry.extend_from_slice(head);
            frame = rest;
            if head.len() < missing {
                return Ok(());
            }
            if length.is_some() {
                let mut whole = std::mem::take(&mut self.carry);
                each(Message::read(&whole)?);
                whole.clear();
                whole.shrink_to(KEPT);
                self.carry = whole;
            }
        }
        while let Some(length) = self.length(frame)? {
            let Some((whole, rest)) = frame.split_at_checked(length) else { break };
            each(Message::read(whole)?);
            frame = rest;
        }
        self.carry.extend_from_slice(frame);
        Ok(())
    }

    /// The length of the message that `bytes` begin with; `None` while its prelude is not there.
    fn length(&self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        let Some(prelude) = bytes.first_chunk::<PRELUDE>() else { return Ok(None) };
        let [length, headers, checksum] = numbers(prelude);
        if crc32fast::hash(&prelude[..PRELUDE - CHECKSUM]) != checksum {
            return Err(Broken::Damaged);
        }
        let length = usize::try_from(length).map_err(|_| Broken::TooLong)?;
        let headers = usize::try_from(headers).map_err(|_| Broken::TooLong)?;
        if length > self.longest {
            return Err(Broken::TooLong);
        }
        let least = headers.checked_add(PRELUDE + CHECKSUM);
        if least.is_none_or(|least| length < least) {
            return Err(Broken::Damaged);
        }
        Ok(Some(length))
    }
}

impl<'m> Message<'m> {
    /// Reads a whole message, whose prelude was checked.
    fn read(whole: &'m [u8]) -> Result<Self, Broken> {
        let (told, checksum) = whole.split_last_chunk::<CHECKSUM>().ok_or(Broken::Damaged)?;
        if crc32fast::hash(told) != u32::from_be_bytes(*checksum) {
            return Err(Broken::Damaged);
        }
        let (prelude, rest) = told.split_first_chunk::<PRELUDE>().ok_or(Broken::Damaged)?;
        let [_, headers, _] = numbers(prelude);
        let headers = usize::try_from(headers).map_err(|_| Broken::Damaged)?;
        let (headers, payload) = rest.split_at_checked(headers).ok_or(Broken::Damaged)?;
        let headers = Headers::read(headers).ok_or(Broken::Damaged)?;
        Ok(Self { headers, payload })
    }

    /// What it is. A message that does not say is an event without a name.
    #[must_use]
    pub fn kind(&self) -> Kind<'m> {
        let text = |name| self.headers.text(name).unwrap_or_default();
        match text(":message-type") {
            "exception" => Kind::Exception(text(":exception-type")),
            "error" => Kind::Error { code: text(":error-code"), message: text(":error-message") },
            _ => Kind::Event(text(":event-type")),
        }
    }
}

/// A prelude's three numbers, most significant bytes first.
fn numbers(prelude: &[u8; PRELUDE]) -> [u32; 3] {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *prelude;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_be_bytes)
}
