//! What a client says of thinking.
use super::fields::{Object, count, required_text, text, wrong};
use crate::providers::chat::{Malformed, Thinking};

/// A client's `thinking`.
pub(super) fn read_thinking(mut thinking: Object) -> Result<Thinking, Malformed> {
    let mut read = Thinking::default();
    read.on = Some(match required_text(&mut thinking, "type")?.as_str() {
        "enabled" => {
            let budget = count(&mut thinking, "budget_tokens")?;
            let right = || wrong("budget_tokens", "a number of tokens");
            read.budget = Some(budget.ok_or_else(right)?);
            true
        }
        "adaptive" => true,
        "disabled" | "between_tools" => false,
        _ => return Err(wrong("type", "`enabled`, `adaptive` or `disabled`")),
    });
    read.shown = text(&mut thinking, "display")?.map(|display| display != "omitted");
    Ok(read)
}
