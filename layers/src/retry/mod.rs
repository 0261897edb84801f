//! Tries a failed call again.
