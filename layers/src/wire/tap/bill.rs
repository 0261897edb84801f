//! What an answer is charged for that does not tell its usage, and how it failed.
use super::{Tap, Wire};
use crate::facts::{Fault, Unit, Usage};

impl Tap {
    /// Counts the content, and notes four bytes of it as a token on the cell, with these `tokens`
    /// of input, where an answer that began is over without a usage report. Answers that are not
    /// text are not counted.
    #[must_use]
    pub const fn input_estimate(mut self, tokens: i64) -> Self {
        let is_text = !matches!(self.learned.wire, Wire::Media);
        self.input = if is_text { Some(tokens) } else { None };
        self.learned.written.counts = is_text;
        self
    }

    /// Nobody reads the answer any more: notes what was counted where no usage was reported.
    /// [`finish`](Self::finish) does too. More than once does no harm.
    pub fn leave(&mut self) {
        let (Some(input), Some(cell)) = (self.input, &self.learned.cell) else { return };
        let learned = &self.learned;
        let output = i64::try_from(learned.written.bytes.div_ceil(4)).unwrap_or(i64::MAX);
        let begun = learned.content > 0 || learned.begun;
        match self.usage() {
            None if begun => cell.estimate(Usage::tokens(input, output)),
            // Anthropic's first event counts the input, and only the first words of the output.
            Some(usage)
                if !learned.ended && learned.finished == 0 && usage[Unit::Output] < output =>
            {
                cell.go_on(usage.with(Unit::Output, output));
            }
            _ => {}
        }
    }

    /// The answer breaks off.
    pub(in crate::wire) fn fail(&self, fault: Fault) {
        if let Some(cell) = &self.learned.cell {
            cell.fail(fault);
        }
    }
}
