//! How the answers of an attempt are tapped.
use super::UsageTapError;
use crate::facts::{Fault, UsageCell};
use crate::wire::cause::{fault_of_break, fault_of_event};
use crate::wire::peek::Verdict;
use crate::wire::tap::{Framing, Tap, Wire};

/// What is known of an attempt before its answer is tapped. An answer may be tapped twice: to see
/// how it begins, and then while it passes.
#[derive(Clone, Debug)]
pub struct Tapping {
    /// Whose words the answer uses.
    pub wire: Wire,
    /// How many choices are asked for.
    pub choices: u32,
    /// The tokens that the input is likely to have; `None` where that is not known.
    pub input: Option<i64>,
    /// The event with usage is there for us alone.
    pub usage_is_ours: bool,
    /// The answer was translated, and its usage is on the cell: see [`Tap::told`].
    pub told: bool,
}

impl Tapping {
    /// A tap for the beginning of an answer, which takes nothing out. Some tell what the input costs
    /// before all content, so it writes to `cell`, too: the client may leave before there is more.
    #[must_use]
    pub fn begin(&self, framing: Framing, cell: UsageCell) -> Tap {
        let tap = Tap::new(self.wire, framing).choices(self.choices);
        let tap = if self.told { tap.told(cell) } else { tap.cell(cell) };
        // How streams of images and audio end, not every server agrees.
        if self.wire == Wire::Media { tap.lenient_end() } else { tap }
    }

    /// A tap for all of an answer, which writes to `cell`.
    #[must_use]
    pub fn all(&self, framing: Framing, cell: UsageCell) -> Tap {
        let tap = self.begin(framing, cell);
        let tap = self.input.into_iter().fold(tap, Tap::input_estimate);
        if self.usage_is_ours { tap.take_out_usage_event() } else { tap }
    }
}

/// Whether an answer has begun well.
///
/// # Errors
/// When it is none, and another may take its place.
pub fn begun(verdict: Verdict) -> Result<(), UsageTapError> {
    Err(match verdict {
        Verdict::ErrorFirst(error) => {
            let fault = fault_of_event(&error);
            UsageTapError::ErrorFirst { fault, message: error.message }
        }
        Verdict::Broke(error) => {
            UsageTapError::Broke { fault: fault_of_break(Some(&*error)), error }
        }
        Verdict::Ended { complete: false } => UsageTapError::Cut(fault_of_break(None)),
        _ => return Ok(()),
    })
}

impl UsageTapError {
    /// What it is to retry, fallback and breakers.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        match self {
            Self::ErrorFirst { fault, .. } | Self::Broke { fault, .. } | Self::Cut(fault) => fault,
        }
    }
}
