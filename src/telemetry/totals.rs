//! What a whole run comes to.

/// Everything that was counted since the start, in all series together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Calls that have ended.
    pub calls: u64,
    /// Of these: calls that failed.
    pub failed: u64,
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// What they cost, in US dollars, where prices are known.
    pub dollars: f64,
}
