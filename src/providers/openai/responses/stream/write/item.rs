//! What all items have in common.
use super::super::super::json::Members;
use super::lines::Lines;
use serde_json::Value;

/// An item of the output while it grows.
#[derive(Debug)]
pub(super) struct Item {
    /// Its id.
    pub(super) id: String,
    /// Its place in the output.
    pub(super) index: u64,
}

impl Item {
    /// Begins it as `item`.
    pub(super) fn added(&self, item: &Value, lines: &mut Lines, out: &mut Vec<u8>) {
        let event = lines.event(out, "response.output_item.added");
        event.number("output_index", self.index).value("item", item).end();
    }

    /// Begins an event of it.
    pub(super) fn event<'a>(
        &self,
        kind: &str,
        lines: &mut Lines,
        out: &'a mut Vec<u8>,
    ) -> Members<'a> {
        let event = lines.event(out, kind);
        event.text("item_id", &self.id).number("output_index", self.index)
    }
}
