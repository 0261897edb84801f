//! Reads the frames of one direction of a WebSocket (RFC 6455) while they pass, cut anywhere.
//!
//! Nothing is changed and nothing held back: who pumps the bytes shows them to [`Messages`], which
//! learns of text messages and of the closing. A message that comes in one piece is not copied.
#[cfg(test)]
mod tests;

/// The most bytes of a frame's head (5.2): two, an extended length, a mask.
const MAX_HEAD: usize = 14;

/// A buffer larger than this is let go after its message.
const KEPT: usize = 16 * 1024;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// What was read of one direction so far.
#[derive(Debug)]
pub struct Messages {
    /// The longest message that is read, in bytes; longer ones, masked and compressed ones pass
    /// unread.
    longest: usize,
    head: [u8; MAX_HEAD],
    filled: usize,
    /// Bytes of the frame's payload that are still to come.
    left: u64,
    /// The frame is a part of a message, and not a control frame between its parts.
    is_data: bool,
    is_last: bool,
    /// The message is text that can be read, and not too long.
    is_read: bool,
    /// The parts of the message that came so far.
    text: Vec<u8>,
    is_closed: bool,
    /// The bytes are no frames; nothing more is read of them.
    is_broken: bool,
}

impl Messages {
    /// Reads text messages of up to `longest` bytes; with 0 only the closing is noticed.
    #[must_use]
    pub const fn new(longest: usize) -> Self {
        Self {
            longest,
            head: [0; MAX_HEAD],
            filled: 0,
            left: 0,
            is_data: false,
            is_last: false,
            is_read: false,
            text: Vec::new(),
            is_closed: false,
            is_broken: false,
        }
    }

    /// Whether a close frame has begun to pass (5.5.1).
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether a frame of our own could stand here.
    #[must_use]
    pub const fn is_between_frames(&self) -> bool {
        self.filled == 0 && self.left == 0 && !self.is_broken
    }

    /// Takes in what passes, and calls `text` with each text message that ends in it.
    pub fn push(&mut self, mut bytes: &[u8], mut text: impl FnMut(&[u8])) {
        while !bytes.is_empty() && !self.is_broken {
            if self.left == 0 {
                bytes = self.head(bytes, &mut text);
                continue;
            }
            let fits = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            let (part, rest) = bytes.split_at(fits);
            self.left -= part.len() as u64;
            bytes = rest;
            if !self.is_data || !self.is_read {
                continue;
            }
            let whole = self.left == 0 && self.is_last;
            if whole && self.text.is_empty() {
                self.is_read = false;
                text(part);
                continue;
            }
            self.text.extend_from_slice(part);
            if whole {
                self.end_message(&mut text);
            }
        }
    }

    /// Takes in a frame's head; what is left of `bytes`.
    fn head<'a>(&mut self, bytes: &'a [u8], text: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let mut bytes = bytes;
        while self.filled < head_len(&self.head, self.filled) {
            let Some((byte, rest)) = bytes.split_first() else { return bytes };
            self.head[self.filled] = *byte;
            self.filled += 1;
            bytes = rest;
        }
        self.filled = 0;
        let Some(len) = payload_len(&self.head) else {
            self.is_broken = true;
            return bytes;
        };
        self.begin(len);
        if self.left == 0 && self.is_data && self.is_last && self.is_read {
            self.end_message(text);
        }
        bytes
    }

    /// Begins a frame with a payload of `len` bytes.
    fn begin(&mut self, len: u64) {
        let [first, second, ..] = self.head;
        let (opcode, is_plain) = (first & 0x0f, first & 0x70 == 0 && second & 0x80 == 0);
        self.left = len;
        self.is_closed |= opcode == CLOSE;
        self.is_data = matches!(opcode, CONTINUATION | TEXT | BINARY);
        if !self.is_data {
            return;
        }
        self.is_last = first & 0x80 != 0;
        if opcode != CONTINUATION {
            self.is_read = opcode == TEXT && self.longest > 0;
            self.text.clear();
        }
        let fits = (self.text.len() as u64).saturating_add(len) <= self.longest as u64;
        if !is_plain || !fits {
            self.is_read = false;
            self.forget();
        }
    }

    fn end_message(&mut self, text: &mut impl FnMut(&[u8])) {
        self.is_read = false;
        text(&self.text);
        self.forget();
    }

    fn forget(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT);
    }
}

/// How many bytes the head has, as far as its first `filled` bytes tell.
const fn head_len(head: &[u8; MAX_HEAD], filled: usize) -> usize {
    if filled < 2 {
        return 2;
    }
    let extended = match head[1] & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if head[1] & 0x80 == 0 { 0 } else { 4 };
    2 + extended + mask
}

/// The payload's length of a whole head; `None` if its first bit is set, which no length may have.
fn payload_len(head: &[u8; MAX_HEAD]) -> Option<u64> {
    let [_, second, a, b, c, d, e, f, g, h, ..] = *head;
    match second & 0x7f {
        126 => Some(u64::from(u16::from_be_bytes([a, b]))),
        127 => {
            Some(u64::from_be_bytes([a, b, c, d, e, f, g, h])).filter(|len| *len <= u64::MAX >> 1)
        }
        len => Some(u64::from(len)),
    }
}
