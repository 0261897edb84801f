//! Why somebody who is known may not go on.
use bartizan_layers::facts::NanoUsd;
use std::sync::Arc;

/// Why a caller who is known may not go on. The texts are LiteLLM's (contract 4.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The time of its key is over.
    #[error(
        "Authentication Error - Expired Key. Key Expiry time {} and current time {}",
        crate::clock::iso(*expires),
        crate::clock::iso(*now)
    )]
    Expired {
        /// When it was over, in milliseconds since 1970.
        expires: i64,
        /// When it was used.
        now: i64,
        /// What may be shown of the key.
        name: Box<str>,
    },
    /// Its key is blocked.
    #[error("Authentication Error, Key is blocked. Update via `/key/unblock` if you're admin.")]
    KeyBlocked,
    /// Its team is blocked.
    #[error(
        "Authentication Error, Team={0} is blocked. Update via `/team/unblock` if you're admin."
    )]
    TeamBlocked(Arc<str>),
    /// Whom it calls for is blocked.
    #[error(
        "Authentication Error, User={0} is blocked. Update via `/customer/unblock` if you're admin."
    )]
    EndUserBlocked(Arc<str>),
    /// It may use other models, but not this one.
    #[error(
        "{whose} not allowed to access model. This {whose} can only access models={models}. Tried \
         to access {model}"
    )]
    Model {
        /// Whose list it is: `key`, `team`, `user`, `org`.
        whose: &'static str,
        /// The list, as Python shows one.
        models: Box<str>,
        /// What was asked for.
        model: Box<str>,
    },
    /// It may not use this route.
    #[error(
        "Virtual key is not allowed to call this route. Only allowed to call routes: {allowed}. Tried to call route: {route}"
    )]
    Route {
        /// The list, as Python shows one.
        allowed: Box<str>,
        /// What was called.
        route: Box<str>,
    },
    /// Which model it asks a provider for cannot be told, and it may use certain models only.
    #[error(
        "Virtual key is not allowed to call this route: it may use certain models only, and which \
         one this request asks for cannot be told. Use the proxy's own paths, or name this route in \
         the key's `allowed_routes`."
    )]
    Through,
    /// It would change something at a provider, and whose that is cannot be told.
    #[error(
        "Virtual key is not allowed to change what a provider keeps on this path: whose that is \
         cannot be told. Name this route in the key's `allowed_routes`, or use an admin's key."
    )]
    Unowned,
    /// An object at a provider is not its own.
    #[error("No such object: '{0}'. It may be gone, or belong to somebody else.")]
    Object(Box<str>),
    /// A list of objects at a provider cannot be read, so that it may hold those of others.
    #[error(
        "The provider's list cannot be read, so it cannot be told what of it belongs to this key. \
         Ask for the objects by their ids."
    )]
    List,
    /// The request lacks a parameter that its key has to send.
    #[error("BadRequest please pass param={0} in request body. This is a required param")]
    Parameter(Box<str>),
    /// The budget of whom it calls for is spent.
    #[error("ExceededBudget: End User={end_user} over budget. Spend={spent}, Budget={max}")]
    EndUserBudget {
        /// Whom it calls for.
        end_user: Box<str>,
        /// What was spent.
        spent: NanoUsd,
        /// Of how much.
        max: NanoUsd,
    },
    /// A budget is spent.
    #[error("Budget has been exceeded! {whose}Current cost: {spent}, Max budget: {max}")]
    Budget {
        /// Whose budget it is, as in `Team=red `; empty for a key's.
        whose: Box<str>,
        /// What was spent.
        spent: NanoUsd,
        /// Of how much.
        max: NanoUsd,
    },
}

/// A list as Python shows it, which is how LiteLLM's messages have it.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> Box<str> {
    let names: Vec<_> = names.into_iter().map(|name| format!("'{name}'")).collect();
    format!("[{}]", names.join(", ")).into()
}
