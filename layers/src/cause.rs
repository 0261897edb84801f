//! Finds a typed cause in a chain of errors.
use std::error::Error;

/// The first error of type `E` in the chain that starts at `error`.
///
/// ```
/// use bartizan_layers::cause::cause_ref;
/// let error: Box<dyn std::error::Error + Send + Sync> = std::io::Error::other("reset").into();
/// assert!(cause_ref::<std::io::Error>(&*error).is_some());
/// ```
pub fn cause_ref<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
