//! Where a call's arguments end.

/// Follows a JSON object that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arguments {
    depth: u32,
    in_text: bool,
    is_escaped: bool,
    is_whole: bool,
}

impl Arguments {
    /// Takes in the next piece.
    pub(super) fn push(&mut self, json: &str) {
        for byte in json.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_text => self.is_escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.is_whole = self.depth == 0;
                }
                _ => {}
            }
        }
    }

    /// Whether the object is whole.
    pub(super) const fn is_whole(self) -> bool {
        self.is_whole
    }
}
