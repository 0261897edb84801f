//! Keys of AWS.
