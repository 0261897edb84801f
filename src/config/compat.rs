//! Which LiteLLM is followed.

/// Which LiteLLM generation to follow where two differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// Late 2026.
    #[default]
    Current,
    /// Early 2026.
    Classic,
}
