//! State that several processes share.
mod handle;
mod joint;
mod level;
mod link;
mod outage;
mod queue;
mod script;
mod settings;
mod settler;
mod ticket;

pub use self::handle::Redis;
pub use self::outage::Outage;
pub use self::settings::{Settings, UrlError};
pub use self::settler::Settler;

pub(crate) use self::handle::{Rested, Verdict};
pub(crate) use self::joint::{Joins, Joint, Left};
pub(crate) use self::level::{Count, Level, Lost, Mode, Money, Take, Window, key, tag};
pub(crate) use self::ticket::Ticket;
