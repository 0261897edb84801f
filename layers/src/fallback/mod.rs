//! Moves a failed call to the next group.
