//! Limits calls, tokens and parallel calls.
