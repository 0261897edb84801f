//! One file per sub-command.
mod announce;
mod check;
mod keys;
mod schema;
mod serve;

pub use self::check::check;
pub use self::keys::master;
pub use self::schema::schema;
pub use self::serve::serve;
