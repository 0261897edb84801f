//! One file per sub-command.
mod announce;
mod ask;
mod check;
mod describe;
mod exec;
mod keys;
mod place;
mod schema;
mod serve;
mod spend;

pub use self::ask::{health, test};
pub use self::check::check;
pub use self::describe::{completions, man};
pub use self::exec::exec;
pub use self::keys::keys;
pub use self::schema::schema;
pub use self::serve::serve;
pub use self::spend::{receipts, spend};
