//! Answers equal calls once.
