//! What became of the last change of the config, for whoever asks for readiness.
use crate::telemetry;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the config as it was last read is in force. At first it is.
#[derive(Debug, Default)]
pub struct LastReload(Mutex<Option<Refused>>);

#[derive(Debug)]
struct Refused {
    /// When the first refusal was, since the config was last in order.
    since: String,
    message: String,
}

impl LastReload {
    /// The config was refused. `message` is shown to everyone: it holds no names and no secrets.
    pub fn refuse(&self, message: String) {
        let mut state = self.state();
        let since = state.take().map_or_else(telemetry::now, |before| before.since);
        *state = Some(Refused { since, message });
    }

    /// The config is in force.
    pub fn accept(&self) {
        *self.state() = None;
    }

    /// Whether a refused config lies there.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.state().is_some()
    }

    /// What readiness shows while a refused config lies there.
    pub(super) fn refused(&self) -> Option<Value> {
        let state = self.state();
        let Refused { since, message } = state.as_ref()?;
        Some(json!({"status": "error", "since": since, "message": message}))
    }

    fn state(&self) -> MutexGuard<'_, Option<Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::LastReload;

    #[test]
    fn the_time_of_the_first_refusal_stays_until_the_config_is_mended() {
        let state = LastReload::default();
        assert_eq!(state.refused(), None);
        state.refuse("one".into());
        let first = state.refused().unwrap();
        state.refuse("two".into());
        let second = state.refused().unwrap();
        assert_eq!(first["since"], second["since"]);
        assert_eq!(second["message"], "two");
        state.accept();
        assert_eq!(state.refused(), None);
    }
}
