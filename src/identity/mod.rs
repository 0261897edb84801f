//! Who may do what: virtual keys, users, teams, organisations, end users, tags, as the layers need
//! them on the path of a call.
//!
//! The [`Directory`] holds them in memory; the store is never asked there. What a [`Thing`] says is
//! read once, into what has an effect: [`Holder`] and [`Rules`]. A [`Caller`] is a key with all that
//! stands above it, as they are at the beginning of a call.
//!
//! [`Thing`]: crate::store::Thing
mod access;
mod accounts;
mod budgets;
mod caller;
mod denied;
mod digest;
mod directory;
mod holder;
mod interned;
mod issued;
mod levels;
mod models;
mod owners;
mod purse;
mod region;
mod revoked;
mod role;
mod routes;
mod rules;
mod sync;
mod tags;
mod unseen;

pub use self::access::{Allowed, Names, Sought};
pub use self::accounts::Setter;
pub use self::caller::Caller;
pub use self::denied::Denied;
pub use self::directory::Directory;
pub use self::holder::{Holder, Key, Spent};
pub use self::issued::Issued;
pub use self::levels::Level;
pub use self::models::Models;
pub use self::owners::{Owners, Tenant};
pub use self::purse::Purse;
pub use self::region::Region;
pub use self::revoked::Revoked;
pub use self::role::Role;
pub use self::routes::RouteKind;
pub use self::rules::{Money, Rules};
pub use self::sync::Following;
pub use self::tags::Tags;
