//! State that several processes share.
mod handle;
mod joint;
mod level;
mod link;
mod outage;
mod queue;
mod script;
#[cfg(test)]
mod server;
mod settings;
mod settler;
#[cfg(test)]
mod tests;
mod ticket;
mod write;

pub use self::handle::Redis;
pub use self::joint::Joining;
pub use self::outage::Outage;
pub use self::settings::{Settings, UrlError};
pub use self::settler::Settler;

pub(crate) use self::handle::Verdict;
pub(crate) use self::joint::{Joins, Joint, Left};
pub(crate) use self::level::{Count, Level, Lost, Mode, Money, Take, Window, tag};
pub(crate) use self::ticket::Ticket;
pub(crate) use self::write::Write;
