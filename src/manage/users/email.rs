//! Users by their addresses.
use crate::manage::Refusal;
use crate::store::{Change, Filter, Kind};

/// Whether another user than `id` has that address, whatever its case.
///
/// # Errors
///
/// As the store says.
pub(super) async fn is_taken(change: &mut Change, email: &str, id: &str) -> Result<bool, Refusal> {
    let filter = Filter { alias_has: Some(email.to_owned()), ..Filter::default() };
    let users = change.work().things(Kind::User, &filter).await?;
    Ok(users.iter().any(|user| {
        let own = user.text("user_email").unwrap_or_default();
        user.id != id && own.to_lowercase() == email.to_lowercase()
    }))
}
