//! One file per sub-command.
mod announce;
mod ask;
mod check;
mod describe;
mod exec;
mod keys;
mod schema;
mod serve;

pub use self::ask::{health, test};
pub use self::check::check;
pub use self::describe::{completions, man};
pub use self::exec::exec;
pub use self::keys::keys;
pub use self::schema::schema;
pub use self::serve::serve;
