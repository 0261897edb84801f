//! How calls are booked.
use super::fields::Check;
use super::yaml::Node;
use std::time::Duration;

/// How calls are booked.
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    /// Time between two batches that are taken over into the store (`proxy_batch_write_at`).
    /// Default 1 s.
    pub batch: Duration,
    /// Whether each call has a row of its own (`disable_spend_logs`). Default true; sums are kept
    /// either way.
    pub rows: bool,
    /// Whether what calls say and are answered is kept with their rows
    /// (`store_prompts_in_spend_logs`, but not with `turn_off_message_logging`). Default false.
    pub words: bool,
    /// Whether calls that were refused, or failed before any model was reached, are booked
    /// (`disable_error_logs`). Default true.
    pub errors: bool,
    /// How long rows are kept (`maximum_spend_logs_retention_period`); `None` is for ever.
    pub keep: Option<Duration>,
    /// How often old rows are looked for (`maximum_spend_logs_retention_interval`). Default a day.
    pub sweep: Duration,
    /// When records are made sure to be on the disk (`journal_fsync`).
    pub fsync: Fsync,
}

/// When what is written to the journal is made sure to be on the disk. It outlives the process
/// either way; this is about machines that lose their power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// When the system thinks it is time.
    Never,
    /// Before each batch is taken over.
    #[default]
    Batch,
    /// Before a client sees the end of its answer.
    Each,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self {
            batch: Duration::from_secs(1),
            rows: true,
            words: false,
            errors: true,
            keep: None,
            sweep: Duration::from_hours(24),
            fsync: Fsync::Batch,
        }
    }
}

impl Check<'_> {
    pub(super) fn ledger(&mut self, general: &Node, litellm: &Node) -> LedgerSettings {
        let usual = LedgerSettings::default();
        let keep = self.lasting(general, "maximum_spend_logs_retention_period");
        let sweep = self.lasting(general, "maximum_spend_logs_retention_interval");
        let words = self.flag(general, "store_prompts_in_spend_logs");
        let words = words.unwrap_or_else(|| self.env.is_on("STORE_PROMPTS_IN_SPEND_LOGS"));
        let silent = self.flag(litellm, "turn_off_message_logging").unwrap_or(false);
        let rows = !self.flag(general, "disable_spend_logs").unwrap_or(false);
        LedgerSettings {
            words: words && rows && !silent,
            batch: self.seconds(general, "proxy_batch_write_at").unwrap_or(usual.batch),
            rows,
            errors: !self.flag(general, "disable_error_logs").unwrap_or(false),
            keep,
            sweep: sweep.unwrap_or(usual.sweep),
            fsync: match self.text(general, "journal_fsync").as_deref() {
                Some("never") => Fsync::Never,
                Some("each") => Fsync::Each,
                _ => Fsync::Batch,
            },
        }
    }

    /// A duration such as `30d`; what is none was named when its key was judged.
    pub(super) fn lasting(&mut self, map: &Node, key: &str) -> Option<Duration> {
        super::BudgetDuration::parse(&self.text(map, key)?).map(super::BudgetDuration::length)
    }
}
