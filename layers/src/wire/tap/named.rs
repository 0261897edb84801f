//! What an answer calls itself.
use super::Wire;
use super::learned::Learned;
use crate::wire::scan::Value;

/// A longer name is none.
const LONGEST: usize = 256;

impl Learned {
    /// Reads a member of an answer, or of a part of one, that may be its id or its model. All parts
    /// of a stream say the same.
    #[inline]
    pub(super) fn named(&mut self, key: &[u8], value: Value<'_>) {
        let (is_id, is_model) = match self.wire {
            Wire::Gemini => (key == b"responseId", key == b"modelVersion"),
            _ => (key == b"id", key == b"model"),
        };
        let known = if is_id { &mut self.has_id } else { &mut self.has_model };
        if (!is_id && !is_model) || *known {
            return;
        }
        let Some(name) = value.as_str().filter(|name| !name.is_empty() && name.len() <= LONGEST)
        else {
            return;
        };
        *known = true;
        if let Some(cell) = &self.cell {
            if is_id { cell.set_id(&name) } else { cell.set_model(&name) }
        }
    }
}
