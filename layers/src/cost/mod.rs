//! Holds budget before a call and settles it when the response body ends.
